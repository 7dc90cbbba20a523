import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { expect, test } from "vitest";
import { junitXml } from "../../src/report/files/junit-xml.ts";
import { escapeMarkdown, escapeMarkdownItem } from "../../src/report/files/markdown.ts";
import { reportJson } from "../../src/report/files/report-json.ts";
import { SUMMARY_BYTES_MAX, summaryMarkdown } from "../../src/report/files/summary-md.ts";
import { writeReports } from "../../src/report/write-reports.ts";
import { withHostileText } from "../support/hostile-report.ts";
import { VERDICT_KINDS } from "../support/run-event-script.ts";
import { buildRunReport } from "../support/run-report-builder.ts";

const PARSER = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "",
  isArray: (name) => name === "testcase" || name === "testsuite",
});

interface ReadCase {
  readonly classname: string;
  readonly name: string;
  readonly failure?: unknown;
  readonly skipped?: unknown;
}
interface ReadSuite {
  readonly name: string;
  readonly tests: string;
  readonly failures: string;
  readonly skipped: string;
  readonly testcase: readonly ReadCase[];
}

function readSuites(xml: string): readonly ReadSuite[] {
  expect(XMLValidator.validate(xml)).toBe(true);
  const parsed: { testsuites: { testsuite: ReadSuite[] } } = PARSER.parse(xml);
  return parsed.testsuites.testsuite;
}

for (const kind of VERDICT_KINDS) {
  test(`summary and JUnit of a ${kind} read as agreed`, async () => {
    const report = buildRunReport({ verdict: kind });
    await expect(summaryMarkdown(report)).toMatchFileSnapshot(`golden/summary-${kind}.md`);
    await expect(junitXml(report)).toMatchFileSnapshot(`golden/junit-${kind}.xml`);
  });

  test(`JUnit counts of a ${kind} agree with its cases, and no name stands twice`, () => {
    for (const suite of readSuites(junitXml(buildRunReport({ verdict: kind })))) {
      expect(Number(suite.tests)).toBe(suite.testcase.length);
      expect(Number(suite.failures)).toBe(suite.testcase.filter((entry) => entry.failure !== undefined).length);
      expect(Number(suite.skipped)).toBe(suite.testcase.filter((entry) => entry.skipped !== undefined).length);
      const names = suite.testcase.map((entry) => `${entry.classname} ${entry.name}`);
      expect(new Set(names).size).toBe(names.length);
    }
  });
}

test("JUnit has a case per SLO, per action's effects and per proof of the undo", () => {
  const suites = readSuites(junitXml(buildRunReport({ verdict: "reject" })));
  const names = suites.flatMap((suite) => suite.testcase.map((entry) => `${suite.name}/${entry.name}`));
  expect(names).toEqual([
    "verdict/verdict",
    "slo/jobs-done",
    "slo/checkout-latency",
    "slo/checkout-errors",
    ...["browse", "search", "checkout", "stock-grpc"].map((route) => `work/${route}`),
    "effects/more-workers",
    "effects/open-fast-lane",
    "rollback/quiet-undo-leaves-nothing",
    "rollback/undo-under-load",
  ]);
});

test("hold is skipped, or a failure where the caller is strict; promote fails nothing", () => {
  const failures = (xml: string): number => readSuites(xml).reduce((sum, suite) => sum + Number(suite.failures), 0);
  expect(failures(junitXml(buildRunReport({ verdict: "hold" })))).toBe(0);
  expect(failures(junitXml(buildRunReport({ verdict: "hold" }), { holdAs: "failure" }))).toBeGreaterThan(0);
  expect(failures(junitXml(buildRunReport({ verdict: "promote" })))).toBe(0);
});

test("a proof that never ran does not count as passed", () => {
  const report = buildRunReport({ verdict: "hold" });
  const xml = junitXml({
    ...report,
    quiet: { actions: [], residue: [] },
    rollback: { kind: "not-run", why: "held before" },
  });
  const cases = readSuites(xml)
    .filter((suite) => suite.name !== "slo")
    .flatMap((suite) => suite.testcase);
  expect(cases.every((entry) => entry.skipped !== undefined)).toBe(true);
});

const HOSTILE = fc
  .array(
    fc.constantFrom(
      "<script>",
      "</svg>",
      "]]>",
      "\"'",
      "&",
      "\u0000",
      "\u001b[1m",
      "\u202e",
      "\ud800",
      "\ufffe",
      "|",
      "`",
      "\n# x",
      "{b}",
      "@me",
    ),
  )
  .map((parts) => parts.join(""));

test("JUnit stays well-formed XML 1.0 whatever text it carries", () => {
  fc.assert(
    fc.property(HOSTILE, (text) => {
      const xml = junitXml(withHostileText(buildRunReport({ verdict: "reject" }), text));
      expect(XMLValidator.validate(xml)).toBe(true);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested
      expect(xml).not.toMatch(/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]|\p{Surrogate}/u);
      expect(readSuites(xml).flatMap((suite) => suite.testcase).length).toBe(12);
    }),
    { numRuns: 40 },
  );
});

test("the summary keeps its shape whatever text it carries", () => {
  const shape = (markdown: string): string[] =>
    markdown
      .split("\n")
      .filter((line) => /^(#|\|)/.test(line))
      .map((line) => line.match(/^#+|(?<!\\)\|/g)?.join("") ?? "");
  const clean = shape(summaryMarkdown(buildRunReport({ verdict: "reject" })));
  fc.assert(
    fc.property(HOSTILE, (text) => {
      const markdown = summaryMarkdown(withHostileText(buildRunReport({ verdict: "reject" }), text));
      expect(shape(markdown)).toEqual(clean);
      const outsideCode = markdown.replace(/(`+)(?:(?!\1).)*\1/g, "");
      expect(outsideCode).not.toContain("<script>");
    }),
    { numRuns: 40 },
  );
});

test("Markdown marks, links, mentions and HTML of others are shown and not obeyed", () => {
  expect(escapeMarkdown("**a** [b](c) <i> | @team https://x.example")).toBe(
    "\\*\\*a\\*\\* \\[b\\](c) &lt;i&gt; \\| @<!-- -->team https\\://x.example",
  );
  expect(escapeMarkdownItem("- x")).toBe("\\- x");
  expect(escapeMarkdownItem("1. x")).toBe("1\\. x");
});

test("a summary that would be too long for GitHub is cut at a line and says so", () => {
  const report = buildRunReport({ verdict: "reject" });
  const [reason] = report.verdict.reasons;
  const reasons = Array.from({ length: 300 }, () => ({ ...reason, message: "x".repeat(9_000) }));
  const markdown = summaryMarkdown({ ...report, verdict: { kind: "reject", reasons: [reason, ...reasons] } });
  expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(SUMMARY_BYTES_MAX);
  expect(markdown).toContain("cut here");
});

test("report.json is the report: sorted keys, infinite bounds as null, nothing lost that was said", () => {
  const report = buildRunReport({
    verdict: "reject",
    reasons: [{ code: "ACTION_FAILED", message: "a\u001b[2J\u202eb" }],
  });
  const text = reportJson(report);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  const read: typeof report = JSON.parse(text);
  expect(read.verdict.reasons[0].message).toBe("a\u001b[2J\u202eb");
  expect(read.slos[1]?.accepted.lo).toBeNull();
  expect(Object.keys(read)).toEqual(Object.keys(read).sort());
});

test("equal reports give equal files, and only whole ones", async () => {
  const dir = await mkdtemp(path.join(tmpdir(), "canary-report-"));
  const report = buildRunReport({ verdict: "promote" });
  const read = async (): Promise<string[]> => {
    const names = (await readdir(dir)).sort();
    return Promise.all(names.map(async (name) => `${name}\n${await readFile(path.join(dir, name), "utf8")}`));
  };
  try {
    await writeReports(report, dir);
    const first = await read();
    await writeReports(report, dir);
    expect(await read()).toEqual(first);
    expect(await readdir(dir)).toHaveLength(4);
  } finally {
    await rm(dir, { recursive: true });
  }
});
