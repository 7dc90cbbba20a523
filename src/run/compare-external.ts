import { readFile, stat } from "node:fs/promises";
import { type WrittenDelta, WrittenDeltaSchema } from "../core/delta-range.ts";
import { CanaryError, messageOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { compareSeries } from "../judge/compare-series.ts";
import type { Comparison } from "../judge/comparison.ts";
import { DEFAULT_JUDGE_LIMITS } from "../judge/judge-limits.ts";
import { parseLimit, withSettings } from "./judge-changes.ts";
import { joinSides, parseMatrix, queryRange } from "./query-prometheus.ts";
import { instantMs, isWithoutZone, parseSeries, READ_AS_UTC, type SeriesRows } from "./read-series-file.ts";

/** Where the values of both sides are. */
export type SeriesSource =
  | { readonly kind: "file"; readonly file: string }
  /** A saved answer of a range query for each side. */
  | { readonly kind: "answers"; readonly control: string; readonly experiment: string }
  | {
      readonly kind: "prometheus";
      readonly url: string;
      readonly control: string;
      readonly experiment: string;
      readonly from: string;
      readonly to: string;
      readonly stepSeconds: string;
    };

/** One comparison as asked on the command line. */
export interface SeriesQuestion {
  readonly source: SeriesSource;
  /** One limit, as `parseLimit` reads it. */
  readonly slo: string;
  /** Judge limits, `name=value`. */
  readonly set: readonly string[];
  readonly actedAt?: string;
  /** `2%` or `0.05pp`: sd of the difference that both sides have anyway. */
  readonly bias?: string;
}

/**
 * Compares two series that somebody else measured with a limit.
 * @throws CanaryError USAGE for options that can not be read, RECORDING_INVALID for a source that can not
 */
export async function compareExternal(question: SeriesQuestion): Promise<Comparison> {
  const { name, limit: written } = parseLimit(question.slo);
  const asked = deltaOf(written, `--slo ${question.slo}`);
  const limit = asked.range;
  const unit = unitOf(name, asked);
  const limits = withSettings(DEFAULT_JUDGE_LIMITS, question.set);
  const actedAtMs = question.actedAt === undefined ? undefined : instantOf(question.actedAt, "--acted-at");
  const biasSd = question.bias === undefined ? undefined : biasOf(question.bias, { scale: limit.scale, unit });
  const { points, notes } = await readRows(question.source);
  if (actedAtMs !== undefined && points.every((point) => point.atMs === undefined)) {
    throw usage("--acted-at needs rows with a time", "Add a column time, or a column phase (before, after).");
  }
  if (actedAtMs !== undefined && points.some((point) => point.phase !== undefined)) {
    throw usage("--acted-at beside a column phase says twice when the change was made", "Leave one of them out.");
  }
  const comparison = compareSeries({
    name,
    points,
    limit,
    unit,
    limits,
    ...(actedAtMs === undefined ? {} : { actedAtMs }),
    ...(biasSd === undefined ? {} : { biasSd }),
  });
  const assumed = isWithoutZone(question.actedAt) ? [READ_AS_UTC] : [];
  return { ...comparison, notes: [...new Set([...notes, ...assumed, ...comparison.notes])] };
}

async function readRows(source: SeriesSource): Promise<SeriesRows> {
  switch (source.kind) {
    case "file":
      return parseSeries(await readBounded(source.file), source.file);
    case "answers":
      return {
        points: joinSides(
          parseMatrix(await readBounded(source.control), source.control),
          parseMatrix(await readBounded(source.experiment), source.experiment),
        ),
        notes: [],
      };
    case "prometheus": {
      const range = {
        url: source.url,
        fromMs: instantOf(source.from, "--from"),
        toMs: instantOf(source.to, "--to"),
        stepSeconds: secondsOf(source.stepSeconds),
      };
      if (range.fromMs >= range.toMs) throw usage("--from is not before --to", "Give the earlier instant first.");
      const [control, experiment] = await Promise.all([
        queryRange(range, source.control),
        queryRange(range, source.experiment),
      ]);
      const notes = [source.from, source.to].some(isWithoutZone) ? [READ_AS_UTC] : [];
      return { points: joinSides(control, experiment), notes };
    }
  }
}

async function readBounded(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size <= LIMITS.seriesBytesMax) return await readFile(file, "utf8");
  } catch (cause) {
    const hint = "Give a CSV or JSON file, or a saved answer of Prometheus.";
    throw new CanaryError({
      code: "RECORDING_INVALID",
      message: `cannot read ${file}: ${messageOf(cause)}`,
      hint,
      cause,
    });
  }
  const hint = `At most ${LIMITS.seriesBytesMax} bytes are read: give a shorter stretch or a longer step.`;
  throw new CanaryError({ code: "RECORDING_INVALID", message: `${file} is too long`, hint });
}

function deltaOf(written: unknown, what: string): WrittenDelta {
  const parsed = WrittenDeltaSchema.safeParse(written);
  if (parsed.success) return parsed.data;
  throw usage(`${what} can not be read`, parsed.error.issues.map(({ message }) => message).join("\n"));
}

/** A series is called as its user likes; these names promise what an SLO of errors measures, and its bounds are in pp. */
const ERROR_RATE = /(?:^|-)errors?(?:-rate)?$/;

function unitOf(name: string, { unit }: WrittenDelta): "pp" | "" {
  const isRate = ERROR_RATE.test(name);
  if (isRate && unit === "own") {
    const hint =
      "Write +0.2pp. If the values are no rates from 0 to 1, call the limit otherwise: 'failures-per-second<=+3'.";
    throw usage(`--slo ${name}: error rates are compared in percentage points`, hint);
  }
  return unit === "pp" || (isRate && unit === "any") ? "pp" : "";
}

function biasOf(
  written: string,
  limit: { readonly scale: WrittenDelta["range"]["scale"]; readonly unit: "pp" | "" },
): number {
  const { range, unit } = deltaOf({ to: written }, `--bias ${written}`);
  const fits = unit === "any" || (range.scale === limit.scale && (unit === "pp") === (limit.unit === "pp"));
  if (fits && range.hi >= 0) return range.hi;
  throw usage(`--bias ${written} is not on the scale of the limit`, "Write 2% for a limit in %, 0.05pp for one in pp.");
}

function instantOf(written: string, option: string): number {
  const atMs = instantMs(written);
  if (Number.isFinite(atMs)) return atMs;
  throw usage(
    `${option} ${written} is no instant`,
    "Write 2026-11-23T10:15:00Z, or seconds or milliseconds since 1970.",
  );
}

function secondsOf(written: string): number {
  const seconds = Number(written);
  if (Number.isFinite(seconds) && seconds > 0) return seconds;
  throw usage(`--step ${written} is no number of seconds`, "Write 15.");
}

function usage(message: string, hint: string): CanaryError {
  return new CanaryError({ code: "USAGE", message, hint });
}
