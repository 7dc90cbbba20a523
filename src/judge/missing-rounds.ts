import { type EffectScale, sum } from "../measure/arm-series.ts";
import type { BlockStore } from "../measure/block-store.ts";
import { lateSeconds } from "../measure/late-seconds.ts";
import { settledSeries } from "../measure/phase-series.ts";
import type { Measure } from "../measure/slo.ts";
import type { Window } from "../replay/recording.ts";
import type { SwitchbackRound } from "./switchback.ts";
import type { Reason } from "./verdict.ts";

/** Numbers of rounds said of one cause; the rest is counted. */
const ROUNDS_SAID_MAX = 5;
const LACK = "lack data of a twin";

/** Why rounds of a switchback have no value, by cause with the numbers of the rounds from 1: `4 of 12 rounds lack ...`. */
export function missingRounds(
  store: BlockStore,
  query: { readonly measure: Measure; readonly scale: EffectScale },
  rounds: readonly SwitchbackRound[],
): string {
  const byCause = new Map<string, number[]>();
  for (const [i, { before, on, after }] of rounds.entries()) {
    const [cause] = [on, before, after].flatMap((window) => causeOf(store, query, window) ?? []);
    if (cause !== undefined) byCause.set(cause, [...(byCause.get(cause) ?? []), i + 1]);
  }
  const causes = [...byCause].map(([cause, numbers]) => `${cause} (${numbersText(numbers)})`);
  return `${sum([...byCause.values()].map(({ length }) => length))} of ${rounds.length} rounds ${LACK}: ${causes.join("; ")}`;
}

/** Whether a reason is about rounds without data, which have remedies of their own. */
export function isOfMissingRounds({ code, message }: Reason): boolean {
  return code === "NO_DATA" && message.includes(`rounds ${LACK}`);
}

function causeOf(
  store: BlockStore,
  query: { readonly measure: Measure; readonly scale: EffectScale },
  window: Window,
): string | undefined {
  const series = settledSeries(store, { ...query, window, blockMs: window.toMs - window.fromMs });
  if (series.kind === "series") return undefined;
  const bases = store.bases(window);
  if (sum(bases.map((base) => base.size + base.malformed)) === 0) return "no request was recorded";
  if (bases.some((base) => base.malformed > 0)) return "requests have impossible times";
  const { late, seconds } = lateSeconds(store, window);
  if (3 * late > seconds) return "the load generator was late in more than a third of the seconds";
  return NEEDS_READINGS.has(query.measure.kind)
    ? "a twin's metric was not read often enough"
    : "no request of the route";
}

const NEEDS_READINGS: ReadonlySet<Measure["kind"]> = new Set([
  "cpu",
  "memory",
  "counter",
  "gauge",
  "sql",
  "histogram",
] as const);

function numbersText(numbers: readonly number[]): string {
  const said = numbers.slice(0, ROUNDS_SAID_MAX).join(", ");
  const more = numbers.length - ROUNDS_SAID_MAX;
  return `round ${said}${more > 0 ? ` and ${more} more` : ""}`;
}
