import { completeTimeline } from "../complete-timeline.ts";
import { withPlainText } from "../plain-text.ts";
import type { RunReport } from "../run-report.ts";
import { VERDICT_WORDS } from "../verdict-words.ts";
import { type ChartPainter, loadChartPainter } from "./charts/chart-painter.ts";
import { PAGE_STYLE } from "./page-style.ts";
import { html, joinHtml, markupOf, type SafeHtml, trustedMarkup } from "./safe-html.ts";
import { duringSection } from "./sections/during-section.ts";
import { effectsSection } from "./sections/effects-section.ts";
import { explanationSection } from "./sections/explanation-section.ts";
import { guardsSection } from "./sections/guards-section.ts";
import { policySection } from "./sections/policy-section.ts";
import { powerSection } from "./sections/power-section.ts";
import { fidelitySection, provenanceSection, timelineSection } from "./sections/provenance-section.ts";
import { responsesSection } from "./sections/responses-section.ts";
import { rollbackSection } from "./sections/rollback-section.ts";
import { sensitivitySection } from "./sections/sensitivity-section.ts";
import { sloSection } from "./sections/slo-section.ts";
import { latencySection, soundnessSection, trailSection } from "./sections/traffic-section.ts";
import { verdictSection } from "./sections/verdict-section.ts";
import { writesSection } from "./sections/writes-section.ts";

/** The page may do nothing but show itself: no script, no request, whatever stands in it. */
export const CONTENT_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** The run as one self-contained HTML file; equal reports give equal bytes. */
export async function reportPage(written: RunReport): Promise<string> {
  const plain = withPlainText(written);
  const report = { ...plain, timeline: completeTimeline(plain) };
  const paint = await loadChartPainter();
  const title = `${VERDICT_WORDS[report.verdict.kind].title}: ${report.plan.name}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${trustedMarkup(PAGE_STYLE)}</style>
</head>
<body>
${verdictSection(report)}
<main>
${joinHtml(sections(report, paint))}
</main>
<footer><p>Written by canary ${report.harnessVersion}. Times are UTC.</p></footer>
</body>
</html>
`;
  return markupOf(page);
}

function sections(report: RunReport, paint: ChartPainter): readonly SafeHtml[] {
  return [
    sloSection(report, paint),
    duringSection(report),
    guardsSection(report),
    explanationSection(report),
    latencySection(report, paint),
    trailSection(report, paint),
    timelineSection(report, paint),
    effectsSection(report),
    responsesSection(report),
    writesSection(report),
    policySection(report),
    rollbackSection(report),
    sensitivitySection(report),
    powerSection(report),
    fidelitySection(report),
    soundnessSection(report),
    provenanceSection(report),
  ].filter((part) => part !== undefined);
}
