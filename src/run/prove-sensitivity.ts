import { describeDelta } from "../core/delta-range.ts";
import { type HarmAtMargin, harmAtMargin, type PlantedHarm, type SensitivityProof } from "../judge/sensitivity.ts";
import type { SloJudgement } from "../judge/verdict.ts";
import type { Slo } from "../measure/slo.ts";
import type { Fingerprint } from "../mirror/fingerprint.ts";
import { sameTable } from "../mirror/state/difference.ts";
import type { Rogue } from "../mirror/state/rogue.ts";
import type { IngressHarm, Role } from "../mirror/twin.ts";
import type { BarrierComparison } from "../replay/proof/barrier.ts";
import type { Window } from "../replay/recording.ts";
import { requestsOfRoute } from "../replay/traffic/route-requests.ts";
import type { LoadContext } from "./load-context.ts";
import type { LoadSession } from "./load-session.ts";
import { createLooks } from "./looks.ts";
import { resolvedSlos } from "./resolved-slos.ts";

/** Seconds between a harm's first request and the first that is judged, and after its last. */
const SETTLE_MS = 1000;

type Fingerprints = Readonly<Record<Role, Fingerprint>>;

/**
 * Leaves a row and a key on the shadow while everything stands still, and asks the comparison of states for them. The row goes
 * into a table that traffic does not write: of the others a few rows may differ because requests ended differently.
 */
export async function plantInState(
  context: LoadContext,
  seen: { readonly now: Fingerprints; readonly compare: (now: Fingerprints) => BarrierComparison },
): Promise<SensitivityProof> {
  const { pair, effects, signal } = context;
  const startMs = effects.clock.monotonicMs();
  const stores = pair.spec.state;
  const tables = unwrittenTables(context, seen.now);
  const rogues = await effects.state.plantRogues({ twin: pair.shadow, stores, tables, signal });
  const shadow = await effects.state.fingerprint(pair.shadow, stores, { signal });
  const { residue } = seen.compare({ ...seen.now, shadow });
  for (const rogue of rogues) await rogue.remove();
  const seconds = (effects.clock.monotonicMs() - startMs) / 1000;
  const harms = rogues.map(({ kind, path }): PlantedHarm => {
    const caught = residue.some((one) => one.path === path || one.path.startsWith(`${path}/`));
    return { what: path, kind, planted: ROGUE_WORDS[kind], margin: "nothing may differ", caught, seconds };
  });
  const kinds = new Set(rogues.map(({ kind }) => kind));
  const left = stores
    .filter((store) => !kinds.has(store.kind === "postgres" ? "row" : "key"))
    .map(({ service }) => ({ what: service, why: "nothing in it that traffic leaves alone took anything" }));
  return { harms, left };
}

const ROGUE_WORDS: Readonly<Record<Rogue["kind"], string>> = { row: "a row too many", key: "a key too many" };

/** Smallest first. */
function unwrittenTables({ reference }: LoadContext, now: Fingerprints): readonly string[] {
  return Object.entries(now.shadow.tables)
    .filter(([path, { rows }]) => rows > 0 && sameTable(now.control.tables[path], reference.control.tables[path]))
    .toSorted(([, one], [, other]) => one.rows - other.rows)
    .map(([path]) => path);
}

/**
 * Plants, one after the other, a harm for every SLO of requests that is just beyond its limit, and looks whether the same
 * judge, with the run's own baseline and limits, calls it outside. Traffic flows; the plan is undone.
 * @param judged - the SLOs at the run's final look
 */
export async function plantInTraffic(
  context: LoadContext,
  session: LoadSession,
  judged: readonly SloJudgement[],
): Promise<SensitivityProof> {
  const { job, log } = context;
  const harms: PlantedHarm[] = [];
  const left: { readonly what: string; readonly why: string }[] = [];
  const todo = atTheMargin(context, session, judged);
  log.phase(
    "sensitivity",
    todo.reduce((sum, { harm }) => sum + (harm.kind === "none" ? 0 : EXPECTED_SHARE * harm.allowedSeconds), 0) * 1000,
  );
  for (const { slo, harm } of todo) {
    if (harm.kind === "none") left.push({ what: slo.name, why: harm.why });
    else harms.push(await plantOne(context, session, { slo, harm, sloCount: job.scenario.slos.length }));
  }
  return { harms, left };
}

/** Most harms are seen well before their time is up. */
const EXPECTED_SHARE = 0.6;

function atTheMargin(context: LoadContext, session: LoadSession, judged: readonly SloJudgement[]) {
  const { scenario } = context.job;
  const { baseline, recovery } = session.phases;
  const looks = createLooks(context, session, { slos: resolvedSlos(context.job) });
  const present = looks.judge({ baseline: baseline ?? EMPTY, after: recovery ?? EMPTY });
  return scenario.slos.map((slo) => {
    const [final, now] = [judged, present].map((all) => all.find(({ name }) => name === slo.name));
    const harm =
      final === undefined || now === undefined || context.sensitivity === undefined
        ? ({ kind: "none", why: "it was not judged" } as const)
        : harmAtMargin({
            slo,
            // A harm is looked for before and after, also where the plan was judged by its rounds: so is its size.
            judged: scenario.judge.design.kind === "switchback" ? now : final,
            now,
            limits: scenario.judge,
            secondsMax: context.sensitivity.secondsMax,
            sloCount: scenario.slos.length,
          });
    return { slo, harm };
  });
}

async function plantOne(
  context: LoadContext,
  session: LoadSession,
  asked: { readonly slo: Slo; readonly harm: HarmAtMargin; readonly sloCount: number },
): Promise<PlantedHarm> {
  const { pair, effects, signal, log } = context;
  const { slo, harm } = asked;
  const words = plantedWords(slo, harm);
  log.note(`planted on the shadow: ${words} (${slo.name}: ${harm.margin})`);
  await pair.shadow.plantHarm(ingressHarm(context, slo, harm), signal);
  try {
    await effects.clock.sleep(SETTLE_MS, signal);
    const { caught, window } = await lookForIt(context, session, asked);
    session.notePlanted(slo.name, window);
    const seconds = (window.toMs - window.fromMs + SETTLE_MS) / 1000;
    log.note(caught ? `seen after ${seconds.toFixed(0)} s` : `not seen in ${seconds.toFixed(0)} s`);
    const { kind, margin, excess } = harm;
    return { what: slo.name, kind, planted: words, margin, excess, caught, seconds, window };
  } finally {
    if (!signal.aborted) await pair.shadow.plantHarm(undefined, signal);
    await effects.clock.sleep(SETTLE_MS, signal);
  }
}

async function lookForIt(
  context: LoadContext,
  session: LoadSession,
  { slo, harm }: { readonly slo: Slo; readonly harm: HarmAtMargin },
): Promise<{ readonly caught: boolean; readonly window: Window }> {
  const looks = createLooks(context, session, { slos: resolvedSlos(context.job) });
  const fromMs = Math.ceil(session.axisMs() / 1000) * 1000;
  const untilMs = fromMs + Math.ceil(harm.allowedSeconds) * 1000;
  let window: Window = { fromMs, toMs: fromMs };
  for (;;) {
    const look = await looks.next({ fromMs, untilMs, signal: context.signal });
    if (look === undefined) return { caught: false, window };
    window = look.after;
    if (look.slos.some(({ name, state }) => name === slo.name && state === "fail")) return { caught: true, window };
  }
}

function ingressHarm({ job }: LoadContext, { measure }: Slo, harm: HarmAtMargin): IngressHarm {
  const route = "route" in measure ? measure.route : undefined;
  const requests = requestsOfRoute(job.scenario.traffic, route);
  return {
    ...(requests === undefined ? {} : { requests }),
    ...(harm.kind === "latency" ? { delayMs: harm.amount } : { errorShare: harm.amount }),
  };
}

function plantedWords({ measure }: Slo, harm: HarmAtMargin): string {
  const where = "route" in measure && measure.route !== undefined ? `of ${measure.route}` : "of all routes";
  return harm.kind === "latency"
    ? `+${Number(harm.amount.toPrecision(2))} ms on every request ${where}`
    : `${describeDelta(harm.amount, "absolute", "pp").replace("+", "")} of requests ${where} failing`;
}

const EMPTY: Window = { fromMs: 0, toMs: 0 };
