// npx node bench/gate/decisions.ts [verdicts] [seconds] [perSecond]
// A gate over a SQLite ledger with that many verdicts, asked over loopback by another process that keeps to its own times.
import { fork } from "node:child_process";
import { cpus } from "node:os";
import { publishVerdict } from "../../src/gate/publish.ts";
import { CALLERS, gateWorld, tokenOf } from "../../test/gate/gate-world.ts";
import { ENVIRONMENT } from "../../test/gate/promotion-builder.ts";

const [verdicts = 100_000, seconds = 20, perSecond = 500] = process.argv.slice(2).map(Number);
/** Environments that promotions are spread over: policy looks at what happened lately in each. */
const ENVIRONMENTS = 200;
const AT_ONCE = 500;

const environments = Array.from({ length: ENVIRONMENTS }, (_, index) => ({
  ...ENVIRONMENT,
  id: `production/${index}`,
}));
await using world = await gateWorld({ environments });
const plans: { readonly sha256: string; readonly environment: string }[] = [];
const publishOne = async (number: number): Promise<void> => {
  const environment = environments[number % ENVIRONMENTS]?.id ?? "";
  const plan = world.plan(number, (document) => {
    document["target"] = { environment };
  });
  const submission = world.submission(plan, 2, { environment: { id: environment, class: "production" } });
  await publishVerdict(submission, "bench", world.sources);
  plans[number] = { sha256: plan.sha256, environment };
};
const publishedFrom = performance.now();
for (let from = 0; from < verdicts; from += AT_ONCE) {
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, verdicts - from) }, (_, index) => publishOne(from + index)));
}
const publishSeconds = (performance.now() - publishedFrom) / 1000;

await using gate = await world.serve({ callers: CALLERS });
const results: Record<string, unknown> = {};
for (const mode of ["check", "promote"] as const) {
  const asker = fork(new URL("./asker.ts", import.meta.url), { stdio: "inherit" });
  const wanted = plans.slice(0, seconds * perSecond);
  asker.send({ url: gate.url, token: tokenOf("any"), mode, perSecond, plans: wanted });
  results[mode] = await new Promise((resolve) => asker.once("message", resolve));
}
const machine = { cpu: cpus()[0]?.model, cores: cpus().length };
process.stdout.write(
  `${JSON.stringify({ machine, verdicts, publishSeconds, perSecond, seconds, ...results }, null, 2)}\n`,
);
