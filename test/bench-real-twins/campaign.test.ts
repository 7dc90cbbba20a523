import { expect, test } from "vitest";
import { judgeSession } from "../../bench/real-twins/judge-session.ts";
import type { PairTable } from "../../bench/real-twins/rebase.ts";
import { resultsPage } from "../../bench/real-twins/results-page.ts";
import { HARMS, shuffledTurns } from "../../bench/real-twins/schedule.ts";
import type { Session } from "../../bench/real-twins/session-file.ts";
import { seededRandom } from "../../src/core/random.ts";
import { TrafficSpecSchema } from "../../src/replay/traffic-spec.ts";

const RATE = 100;
const traffic = TrafficSpecSchema.parse({
  ratePerSecond: RATE,
  mix: [{ route: "all", weight: 1, http: { path: "/" } }],
});
const lengths = { baseline: 120, harmed: 40, gross: 30, clean: 20, settle: 2 };

function sessionOf(kinds: readonly Session["stretches"][number]["kind"][]): Session {
  let atMs = 10_000;
  const stretches = kinds.map((kind, i) => {
    const seconds =
      kind === "clean"
        ? i === 0
          ? lengths.baseline
          : lengths.clean
        : kind === "gross"
          ? lengths.gross
          : lengths.harmed;
    const stretch = { kind, fromMs: atMs, toMs: atMs + (seconds + lengths.settle) * 1000 };
    atMs = stretch.toMs;
    return stretch;
  });
  return {
    schema: "canary.bench.real-twins/v1",
    ratePerSecond: RATE,
    seed: 1,
    startedAt: "2026-11-23T12:00:00.000Z",
    machine: "2 x simulated",
    cores: "pinned",
    reach: 1,
    lengths,
    stretches,
  };
}

/** Requests of a whole session: log-normal latencies whose base the twins share, and the planted factor. */
function tableOf({ stretches }: Session): PairTable {
  const random = seededRandom(7);
  const size = Math.floor(((stretches.at(-1)?.toMs ?? 0) / 1000) * RATE);
  const column = () => ({
    outcome: new Uint8Array(size),
    status: new Uint16Array(size).fill(200),
    sendLagMs: new Float32Array(size),
    latencyMs: new Float32Array(size),
    serviceMs: new Float32Array(size),
  });
  const table = {
    intendedMs: new Float64Array(size),
    route: new Uint16Array(size),
    arms: { control: column(), shadow: column() },
  };
  const spread = (): number => random() + random() + random() - 1.5;
  for (let i = 0; i < size; i++) {
    const atMs = (i * 1000) / RATE;
    const kind = stretches.find((stretch) => atMs >= stretch.fromMs && atMs < stretch.toMs)?.kind;
    const factor = kind === "at-bound" ? 1.1 : kind === "gross" ? 1.5 : 1;
    const base = 20 * Math.exp(0.8 * spread());
    table.intendedMs[i] = atMs;
    table.arms.control.latencyMs[i] = base * Math.exp(0.1 * spread());
    table.arms.shadow.latencyMs[i] = base * factor * Math.exp(0.1 * spread());
  }
  return table;
}

const KINDS = ["clean", "clean", "gross", "clean", "clean", "at-bound", "clean", "clean"] as const;

test("every harmed stretch is a run against clean traffic only, and clean ones make A/A runs of the same length", () => {
  const session = sessionOf(KINDS);
  const runs = judgeSession(session, tableOf(session), traffic);
  expect(runs.map((run) => run.truth)).toEqual(["gross", "aa", "at-bound", "aa"]);
  const estimates = runs.map((run) => run.limits.find((limit) => limit.name === "p50 +10%")?.estimate ?? Number.NaN);
  expect(estimates[0]).toBeCloseTo(0.5, 1);
  expect(estimates[1]).toBeCloseTo(0, 1);
  expect(estimates[2]).toBeCloseTo(0.1, 1);
});

test("gross harm is rejected and sets off the alarm, and nothing at all is promoted for its latency", () => {
  const session = sessionOf(KINDS);
  const [gross, nothing] = judgeSession(session, tableOf(session), traffic);
  expect(gross?.overall.verdict).toBe("reject");
  expect(gross?.alarmSeconds).toBeLessThan(20);
  expect(nothing?.limits.find((limit) => limit.name === "p50 +10%")?.verdict).toBe("promote");
  expect(nothing?.alarmSeconds).toBeNull();
});

test("the page says of every truth how its runs ended", () => {
  const session = sessionOf(KINDS);
  const page = resultsPage([session], judgeSession(session, tableOf(session), traffic));
  expect(page).toContain("### every latency +50%, 1 runs");
  expect(page).toContain("| overall | 0 of 1 | 1 of 1 | 0 of 1 |");
  expect(page).toContain("Harm alarm: in 1 of 1, 1 within 20 s of the harm");
});

test("a seed always gives the same order, and every turn has every harm", () => {
  const order = shuffledTurns(3, seededRandom(5));
  expect(order).toEqual(shuffledTurns(3, seededRandom(5)));
  for (const turn of [0, 2, 4]) expect(order.slice(turn, turn + 2).toSorted()).toEqual([...HARMS].toSorted());
});
