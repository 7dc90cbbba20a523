// The Prometheus text exposition format 0.0.4 (and what OpenMetrics shares with it): a small strict reader.
// The packages that read it are unmaintained or lenient; a scraped text decides verdicts, so a bad line is no reading.

/** One sample line. */
export interface PrometheusSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** May be NaN or infinite, as the format allows. */
  readonly value: number;
}

export type PrometheusText =
  | { readonly kind: "samples"; readonly samples: readonly PrometheusSample[] }
  /** `line` counts from 1. */
  | { readonly kind: "malformed"; readonly line: number; readonly why: string };

/** One endpoint is one process; more is a mistake or an attack. */
const TEXT_CHARS_MAX = 8 * 1024 * 1024;
const SAMPLES_MAX = 200_000;

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?[ \t]+(\S+)(?:[ \t]+-?\d+(?:\.\d+)?)?$/;
const LABEL = /[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(,|$)/y;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Reads every sample, or says at which line the text stops making sense. */
export function parsePrometheusText(text: string): PrometheusText {
  if (text.length > TEXT_CHARS_MAX)
    return { kind: "malformed", line: 1, why: `longer than ${TEXT_CHARS_MAX} characters` };
  const samples: PrometheusSample[] = [];
  for (const [index, written] of text.split("\n").entries()) {
    const line = written.trim();
    if (line === "" || line.startsWith("#")) continue;
    // OpenMetrics appends an exemplar after ` # `; label values may hold the same characters, so only look past them.
    const sample = parseSample(line) ?? parseSample(line.slice(0, Math.max(0, line.lastIndexOf(" # "))).trimEnd());
    if (sample === undefined) return { kind: "malformed", line: index + 1, why: "not a sample line" };
    if (samples.length >= SAMPLES_MAX)
      return { kind: "malformed", line: index + 1, why: `more than ${SAMPLES_MAX} samples` };
    samples.push(sample);
  }
  return { kind: "samples", samples };
}

function parseSample(line: string): PrometheusSample | undefined {
  const match = SAMPLE.exec(line);
  if (match === null) return undefined;
  const [, name = "", writtenLabels, writtenValue = ""] = match;
  const labels = writtenLabels === undefined ? {} : parseLabels(writtenLabels);
  const value = parseValue(writtenValue);
  return labels === undefined || value === undefined ? undefined : { name, labels, value };
}

function parseLabels(text: string): Readonly<Record<string, string>> | undefined {
  const labels = new Map<string, string>();
  let at = 0;
  while (at < text.length && text.slice(at).trim() !== "") {
    LABEL.lastIndex = at;
    const match = LABEL.exec(text);
    if (match === null) return undefined;
    const [, name = "", value = ""] = match;
    if (labels.has(name)) return undefined;
    labels.set(
      name,
      value.replace(/\\(.)/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped)),
    );
    at = LABEL.lastIndex;
  }
  return Object.fromEntries(labels);
}

function parseValue(written: string): number | undefined {
  if (NUMBER.test(written)) return Number(written);
  switch (written.toLowerCase().replace("+", "")) {
    case "inf":
      return Number.POSITIVE_INFINITY;
    case "-inf":
      return Number.NEGATIVE_INFINITY;
    case "nan":
      return Number.NaN;
    default:
      return undefined;
  }
}
