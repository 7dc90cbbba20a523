import { z } from "zod";
import { CanaryError, messageOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { ExternalPoint } from "../judge/external-points.ts";
import { plainText, shorten } from "../report/plain-text.ts";

/** Where to ask, for which stretch. */
export interface RangeQuery {
  /** Base URL of a Prometheus server, as the user wrote it; nothing else is contacted, no redirect is followed. */
  readonly url: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepSeconds: number;
}

/** Values of one side by their instant, ms. */
export type SideValues = ReadonlyMap<number, number>;

const ANSWER_WITHIN_MS = 60_000;

const MatrixSchema = z.looseObject({
  status: z.literal("success"),
  data: z.looseObject({
    resultType: z.literal("matrix"),
    result: z.array(z.looseObject({ values: z.array(z.tuple([z.number(), z.string()])) })),
  }),
  warnings: z.array(z.string()).nullish(),
  /** How VictoriaMetrics says that some of its storage did not answer. */
  isPartial: z.boolean().nullish(),
});
const FailureSchema = z.looseObject({ status: z.literal("error"), error: z.string() });

/**
 * One PromQL query over a stretch of time.
 * @throws CanaryError USAGE for a URL that is none, RECORDING_INVALID when the server does not answer or answers
 *   something else than exactly one series
 */
export async function queryRange(range: RangeQuery, query: string): Promise<SideValues> {
  const url = rangeUrl(range, query);
  const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }).catch(
    (cause: unknown) => {
      const why = cause instanceof Error && cause.cause !== undefined ? messageOf(cause.cause) : messageOf(cause);
      throw invalid(
        `${url.origin} does not answer: ${why}`,
        "Check the address, and that it is a Prometheus server.",
        cause,
      );
    },
  );
  const text = await boundedText(response, url.origin);
  return parseMatrix(text, `the answer of ${url.origin} to ${query}`);
}

/**
 * A range-query answer as a server gave it, or as somebody saved it.
 * @throws CanaryError RECORDING_INVALID when it is none, not one series, or not whole
 */
export function parseMatrix(text: string, source: string): SideValues {
  const document = jsonOf(text, source);
  const failure = FailureSchema.safeParse(document);
  if (failure.success)
    throw invalid(`${source} is an error: ${failure.data.error.slice(0, 500)}`, "Correct the query.");
  const parsed = MatrixSchema.safeParse(document);
  if (!parsed.success)
    throw invalid(`${source} is no matrix of a range query`, "Ask /api/v1/query_range, not /api/v1/query.");
  expectWhole(parsed.data, source);
  const [series, ...others] = parsed.data.data.result;
  if (series === undefined)
    throw invalid(`${source} holds no series`, "No data was found: check names, labels and times.");
  if (others.length > 0) {
    const hint = "A side is one series: wrap the query in sum(...), or in histogram_quantile(0.99, sum by (le) (...)).";
    throw invalid(`${source} holds ${others.length + 1} series`, hint);
  }
  if (series.values.length > LIMITS.seriesPointsMax) {
    throw invalid(`${source} holds ${series.values.length} values`, `At most ${LIMITS.seriesPointsMax} are read.`);
  }
  const odd = series.values.find(
    ([, value]) => value.trim() === "" || (value !== "NaN" && Number.isNaN(numberOf(value))),
  );
  if (odd !== undefined) {
    const hint = "A value is a number, NaN, +Inf or -Inf.";
    throw invalid(`${source} holds no number at ${odd[0]} s: ${JSON.stringify(odd[1]).slice(0, 60)}`, hint);
  }
  if (series.values.length === 0)
    throw invalid(`${source} holds a series without values`, "Check the query and its stretch of time.");
  return new Map(series.values.map(([seconds, value]) => [Math.round(seconds * 1000), numberOf(value)]));
}

/** Remarks on the query's form, true or not; older servers put them among the warnings. */
const REMARK = /^PromQL info:/;

/** What a server left out, or could not compute, may be what matters: an answer with a warning is none. */
function expectWhole({ warnings, isPartial }: z.infer<typeof MatrixSchema>, source: string): void {
  const grave = (warnings ?? []).filter((warning) => !REMARK.test(warning));
  if (grave.length === 0 && isPartial !== true) return;
  const said = grave.slice(0, 3).map((warning) => `"${shorten(plainText(warning), 200)}"`);
  const more = grave.length > said.length ? ` and ${grave.length - said.length} warnings more` : "";
  throw invalid(
    `${source} may not be whole: the server warns ${said.length === 0 ? "that it is partial" : said.join(", ")}${more}`,
    "Ask again when all of its data can be read, or correct the query.",
  );
}

/** Both sides as rows, one for each instant that either has; NaN where a side has nothing. */
export function joinSides(control: SideValues, experiment: SideValues): readonly ExternalPoint[] {
  const instants = [...new Set([...control.keys(), ...experiment.keys()])].sort((a, b) => a - b);
  return instants.map((atMs) => ({
    atMs,
    control: control.get(atMs) ?? Number.NaN,
    experiment: experiment.get(atMs) ?? Number.NaN,
  }));
}

function rangeUrl({ url: base, fromMs, toMs, stepSeconds }: RangeQuery, query: string): URL {
  const url = URL.parse(base);
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.username !== "" || url.password !== "") {
    throw new CanaryError({
      code: "USAGE",
      message: "--prometheus wants the base URL of a server",
      hint: "Write http://127.0.0.1:9090, without a user name or password in it.",
    });
  }
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/api/v1/query_range`;
  const asked = { query, start: String(fromMs / 1000), end: String(toMs / 1000), step: String(stepSeconds) };
  url.search = new URLSearchParams(asked).toString();
  return url;
}

async function boundedText(response: Response, origin: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const piece of response.body ?? []) {
      bytes += piece.byteLength;
      if (bytes > LIMITS.seriesBytesMax) break;
      pieces.push(piece);
    }
  } catch (cause) {
    throw invalid(`${origin} broke off its answer: ${messageOf(cause)}`, "Ask again, or for a shorter stretch.", cause);
  }
  if (bytes <= LIMITS.seriesBytesMax) return Buffer.concat(pieces).toString("utf8");
  throw invalid(`${origin} answers more than ${LIMITS.seriesBytesMax} bytes`, "Ask for fewer series or a longer step.");
}

/** Prometheus writes infinities its own way. */
function numberOf(text: string): number {
  if (text === "+Inf") return Number.POSITIVE_INFINITY;
  return text === "-Inf" ? Number.NEGATIVE_INFINITY : Number(text);
}

function jsonOf(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(`${source} is not JSON`, "It should be the answer to /api/v1/query_range.", cause);
  }
}

function invalid(message: string, hint: string, cause?: unknown): CanaryError {
  return new CanaryError({ code: "RECORDING_INVALID", message, hint, cause });
}
