import { systemClock } from "../../src/cli/system.ts";
import type { Fingerprint } from "../../src/mirror/fingerprint.ts";
import type { StateAccess } from "../../src/mirror/state/state-access.ts";
import { ROLES, type TwinPair } from "../../src/mirror/twin.ts";
import { parsePlan } from "../../src/plan/plan.ts";
import { proveQuietly } from "../../src/replay/proof/quiet-proof.ts";

const signal = new AbortController().signal;

/** Statements and a program that act and change nothing, so that whatever is seen afterwards is a false positive. */
const NO_OP_PLAN = `
schema: canary.plan/v1
name: nothing
agent: { id: bench, version: 1.0.0, model: { provider: none, name: none, version: "1" } }
target: { environment: bench }
tier: 3
confidence: 1
intent: Change nothing
evidence: [ { kind: metric, summary: none, ref: none } ]
actions:
  - id: look
    what: Update no row
    why: A false positive would show here
    uses: sql
    with: { service: db, statements: [ "UPDATE products SET title = title WHERE false" ] }
    requires: [ "postgres:update@public.products" ]
    changes: []
    rollback: { uses: sql, with: { service: db, statements: [ "SELECT 1" ] } }
  - id: run
    what: Run a program that does nothing
    why: A false positive would show here
    uses: exec
    with: { service: api, argv: [ "node", "--version" ] }
    requires: []
    changes: []
    rollback: { uses: exec, with: { service: api, argv: [ "node", "--version" ] } }
expects: []
rollback: { withinSeconds: 30 }
`;

/** Proves a plan that does nothing again and again on one pair of twins; every effect or residue is one false positive. */
export async function quietPasses(options: {
  readonly pair: TwinPair;
  readonly state: StateAccess;
  readonly passes: number;
  readonly line: (what: string, measured: string) => void;
}): Promise<void> {
  const { pair, state, passes, line } = options;
  await Promise.all(ROLES.map((role) => pair[role].freeze(pair.spec.background, signal)));
  const plan = parsePlan(NO_OP_PLAN, "the plan of the bench");
  const look = (role: "control" | "shadow"): Promise<Fingerprint> =>
    state.fingerprint(pair[role], pair.spec.state, { signal });
  const [controlBaseline, baseline] = await Promise.all([look("control"), look("shadow")]);
  const [false_, noise] = [new Set<string>(), new Set<string>()];
  let wrong = 0;
  const startMs = systemClock.monotonicMs();
  for (let pass = 0; pass < passes; pass++) {
    const proof = await proveQuietly({
      plan,
      pair,
      state,
      baseline,
      controlBaseline,
      allowedChanges: ["**"],
      intent: { record: async () => undefined },
      clock: systemClock,
      axisMs: () => systemClock.monotonicMs(),
      baseDir: "/",
      signal,
      onStep: () => undefined,
      onRecord: () => undefined,
    });
    const seen = [...proof.actions.flatMap(({ effects }) => effects), ...proof.residue].map(({ path }) => path);
    for (const path of proof.noise ?? []) noise.add(path);
    if (proof.failed !== undefined) seen.push(`failed: ${proof.failed.message}`);
    for (const path of seen) false_.add(path);
    if (seen.length > 0) wrong++;
  }
  const seconds = (systemClock.monotonicMs() - startMs) / 1000;
  line(
    `${passes} quiet passes of a plan that does nothing`,
    `${wrong} with a false positive${wrong === 0 ? "" : ` (${[...false_].slice(0, 5).join(", ")})`}; left out as noise: ${noise.size} paths; ${(seconds / passes).toFixed(2)} s each`,
  );
}
