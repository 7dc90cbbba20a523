// npx node bench/gate/decisions.ts [verdicts] [seconds] [perSecond] [allowed|shipped]
// A gate over a SQLite ledger with that many verdicts, asked over loopback by another process that keeps to its own times.
// Ends with 1 when anything but an admission came back.
// `allowed`: policy is a constant, which measures the gate and its ledger; `shipped`: Cedar with the policy that ships, and
// one approval for each plan.
import { fork } from "node:child_process";
import { cpus, loadavg } from "node:os";
import { openPolicy } from "../../src/cli/open-policy.ts";
import { askPolicyEngine } from "../../src/gate/ask-policy.ts";
import { publishApproval, publishVerdict } from "../../src/gate/publish.ts";
import { loadSqlParser } from "../../src/policy/sql/parse-sql.ts";
import { CALLERS, gateWorld, tokenOf } from "../../test/gate/gate-world.ts";
import { ENVIRONMENT } from "../../test/gate/promotion-builder.ts";

const [verdicts = 100_000, seconds = 20, perSecond = 500] = process.argv.slice(2, 5).map(Number);
const isShipped = process.argv[5] === "shipped";
/** Environments that promotions are spread over: policy looks at what happened lately in each. */
const ENVIRONMENTS = 200;
const AT_ONCE = 500;
/** Plans of which all documents are still in the gate's memory when they are asked for. */
const RECENT = 3000;

const environments = Array.from({ length: ENVIRONMENTS }, (_, index) => ({
  ...ENVIRONMENT,
  id: `production/${index}`,
}));
const askPolicy = isShipped ? askPolicyEngine(await openPolicy(undefined), loadSqlParser) : undefined;
await using world = await gateWorld({ environments, ...(askPolicy === undefined ? {} : { askPolicy }) });
const plans: { readonly sha256: string; readonly environment: string }[] = [];
const publishOne = async (number: number): Promise<void> => {
  const environment = environments[number % ENVIRONMENTS]?.id ?? "";
  const plan = world.plan(number, (document) => {
    document["target"] = { environment };
  });
  const submission = world.submission(plan, 2, { environment: { id: environment, class: "production" } });
  await publishVerdict(submission, "bench", world.sources);
  if (isShipped) await publishApproval(world.approval("ada", plan), "bench", world.sources);
  plans[number] = { sha256: plan.sha256, environment };
};
const publishedFrom = performance.now();
for (let from = 0; from < verdicts; from += AT_ONCE) {
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, verdicts - from) }, (_, index) => publishOne(from + index)));
}
const publishSeconds = (performance.now() - publishedFrom) / 1000;

await using gate = await world.serve({ callers: CALLERS });
const asked = Math.min(seconds * perSecond, Math.floor((verdicts - RECENT) / 2));
/** Nobody asks for the same plan twice, but for the checks of recent ones, which come before their promotions. */
const LEGS = [
  { name: "check, published long ago", mode: "check", plans: plans.slice(0, asked) },
  { name: "promote, published long ago", mode: "promote", plans: plans.slice(asked, 2 * asked) },
  { name: "check, published lately", mode: "check", plans: plans.slice(-Math.min(RECENT, asked)) },
  { name: "promote, published lately", mode: "promote", plans: plans.slice(-Math.min(RECENT, asked)) },
] as const;
const results: Record<string, unknown> = {};
for (const { name, mode, plans: wanted } of LEGS) {
  // Documents of the plans published last must not be pushed out by a leg before theirs.
  if (name.endsWith("lately")) for (const one of wanted) await world.sources.documents.plan(one.sha256);
  const asker = fork(new URL("./asker.ts", import.meta.url), { stdio: "inherit" });
  const before = process.cpuUsage();
  asker.send({ url: gate.url, token: tokenOf("any"), mode, perSecond, plans: wanted });
  const report = await new Promise<{ readonly statuses: object }>((resolve) => asker.once("message", resolve));
  // A refusal is another piece of work, and quick answers that are wrong are no answers.
  if (Object.keys(report.statuses).some((status) => status !== "200")) process.exitCode = 1;
  const { user, system } = process.cpuUsage(before);
  const gateCpuMsEach = Math.round((user + system) / wanted.length) / 1000;
  results[name] = { ...report, gateCpuMsEach, loadAverage: loadavg()[0] };
}
const machine = { cpu: cpus()[0]?.model, cores: cpus().length };
const policy = isShipped ? "shipped" : "allowed";
process.stdout.write(
  `${JSON.stringify({ machine, policy, verdicts, publishSeconds, perSecond, seconds, ...results }, null, 2)}\n`,
);
