import { systemClock } from "../../src/cli/system.ts";
import { seededRandom } from "../../src/core/random.ts";
import { TriggerSchema } from "../../src/judge/watch/trigger-spec.ts";
import { createBlockStore } from "../../src/measure/block-store.ts";
import type { Twin } from "../../src/mirror/twin.ts";
import { parsePlan } from "../../src/plan/plan.ts";
import { replayPlan } from "../../src/replay/proof/load-replay.ts";
import { undoPlan } from "../../src/replay/proof/undo-plan.ts";
import { openGuardBook } from "../../src/run/guards/guard-book.ts";
import { watchTriggers } from "../../src/run/guards/trigger-watch.ts";
import { raiseMini, runIdOf } from "../../test/docker/fixtures/mini/engine-of-tests.ts";
import { miniMirror } from "../../test/docker/fixtures/mini/mini-mirror.ts";

// The same on real containers, by the wall clock: an action scales a service while a probe looks, and somewhere in between what it
// looks at turns bad. From the breach until the replay has let go and the first undo begins.

const trials = Number(process.argv[2] ?? 50);
const random = seededRandom(Number(process.argv[3] ?? 1));
const forever = new AbortController().signal;
const plan = parsePlan(
  JSON.stringify({
    schema: "canary.plan/v1",
    name: "reaction",
    agent: { id: "bench", version: "1.0.0", model: { provider: "none", name: "none", version: "2026-01-01" } },
    target: { environment: "bench" },
    tier: 2,
    confidence: 1,
    intent: "Be stopped",
    actions: [2, 3, 4].map((replicas) => ({
      id: `to-${replicas}`,
      what: `Scale echo to ${replicas}`,
      why: "To be stopped",
      uses: "scale",
      with: { service: "echo", replicas },
      requires: ["bench:all"],
      changes: ["service/echo/replicas"],
      rollback: { uses: "scale", with: { service: "echo", replicas: replicas - 1 } },
      timeoutSeconds: 60,
    })),
    expects: [],
    rollback: { withinSeconds: 60 },
  }),
  "bench",
);
const trigger = TriggerSchema.parse({
  name: "flag",
  probe: { sql: { service: "db", query: "SELECT NOT EXISTS (SELECT FROM bench_flag)" } },
  everySeconds: 0.25,
});

await using pair = await raiseMini({ spec: miniMirror(), runId: runIdOf("reaction") });
const { shadow } = pair;
await sql(shadow, "CREATE TABLE bench_flag (raised boolean)");
const reactionMs: number[] = [];
let stoppedActing = 0;
for (let trial = 0; trial < trials; trial++) {
  reactionMs.push(await oneTrial());
  process.stderr.write(".");
}
const ascending = reactionMs.toSorted((a, b) => a - b);
const at = (p: number): number => Math.round(ascending[Math.ceil(p * ascending.length) - 1] ?? Number.NaN);
process.stdout.write(
  `\n${trials} trials, ${stoppedActing} of them stopped while the plan acted: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms\n`,
);

async function oneTrial(): Promise<number> {
  let breachedMs = Number.NaN;
  const axisMs = (): number => systemClock.monotonicMs();
  const log = {
    breach: () => {
      breachedMs = axisMs();
    },
  };
  const book = openGuardBook({ triggers: [trigger], safeguards: [], log, axisMs });
  const session = {
    store: createBlockStore({ routes: [] }),
    flowingFromMs: () => 0,
    axisMs,
    overdue: () => ({ atMs: 0, pairs: [] }),
  };
  const watch = watchTriggers({
    triggers: [trigger],
    book,
    asked: { shadow, session, clock: systemClock },
    session,
  });
  const over = new AbortController();
  const looking = watch.inForce(over.signal).map((loop) => loop.catch(() => undefined));
  const harm = systemClock
    .sleep(50 + 1000 * random(), forever)
    .then(() => sql(shadow, "INSERT INTO bench_flag VALUES (true)"));
  const to: Parameters<typeof replayPlan>[0]["to"] = {
    proof: "load",
    shadow,
    intent: { record: async () => undefined },
    clock: systemClock,
    axisMs,
    baseDir: ".",
    onStep: () => undefined,
    onRecord: () => undefined,
  };
  const { acted, end } = await replayPlan({ plan, to, signal: book.stop.signal });
  // A plan that was quicker than its harm waits in force, as it would while it is observed.
  while (Number.isNaN(breachedMs)) await systemClock.sleep(1, forever);
  const tookMs = axisMs() - breachedMs;
  if (end.kind === "aborted") stoppedActing++;
  over.abort();
  await Promise.all([harm, ...looking]);
  await undoPlan(acted, to, forever);
  await shadow.scale("echo", 1, forever);
  await sql(shadow, "TRUNCATE bench_flag");
  return tookMs;
}

async function sql(twin: Pick<Twin, "sql">, text: string): Promise<void> {
  await twin.sql({ service: "db" }, text);
}
