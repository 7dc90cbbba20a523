import { messageOf } from "../../core/errors.ts";
import { redactForPeople } from "../../core/redact.ts";
import type { MetricsSpec } from "../../mirror/mirror-spec.ts";
import type { Twin } from "../../mirror/twin.ts";
import type { StepOf } from "../../plan/action.ts";
import { executeHttp } from "./http-action.ts";
import { holds } from "./sql-action.ts";
import { notLanded, type StepContext, type StepOutcome } from "./step-result.ts";

/** Lets the seconds pass. */
export async function executeWait(step: StepOf<"wait">, context: StepContext): Promise<StepOutcome> {
  const slept = context.clock.sleep(step.with.seconds * 1000, context.signal);
  context.onSent?.();
  await slept;
  return { landed: true, output: "", message: `waited ${step.with.seconds} s` };
}

/** Asks until the answer is the expected one; the step's time box ends it, and the last answer says why. */
export async function executeProbe(step: StepOf<"probe">, twin: Twin, context: StepContext): Promise<StepOutcome> {
  const deadlineMs = context.clock.monotonicMs() + context.timeoutMs;
  const everyMs = step.with.intervalSeconds * 1000;
  for (;;) {
    const answer = await probeOnce(step, twin, context);
    if (answer.landed || context.clock.monotonicMs() + everyMs >= deadlineMs) return answer;
    await context.clock.sleep(everyMs, context.signal);
  }
}

async function probeOnce(step: StepOf<"probe">, twin: Twin, context: StepContext): Promise<StepOutcome> {
  const { with: asked } = step;
  try {
    if ("sql" in asked) {
      const landed = await holds({ query: asked.sql, service: asked.service, timeoutMs: context.timeoutMs }, twin);
      return {
        landed,
        output: "",
        message: `the query ${landed ? "answers" : "does not answer"} one row that is true`,
      };
    }
    const { service, port, path, expectStatus } = asked;
    const get = { service, port, path, expectStatus, method: "GET" as const, headers: {} };
    return await executeHttp({ uses: "http", with: get }, twin, context);
  } catch (thrown) {
    context.signal.throwIfAborted();
    if (thrown instanceof Error && thrown.name === "InvariantViolation") throw thrown;
    return notLanded(`the probe was not answered: ${messageOf(thrown)}`);
  }
}

/** Reads a metric of every replica; it landed if at least one of them has the series. */
export async function executeQueryMetrics(
  step: StepOf<"query-metrics">,
  twin: Twin,
  context: StepContext,
): Promise<StepOutcome> {
  const { service, metric, labels = {} } = step.with;
  const endpoint = context.metrics?.find((one: MetricsSpec) => one.service === service);
  if (endpoint === undefined) return notLanded(`${service} has no endpoint under \`x-canary: metrics:\``);
  const texts = await twin.scrape(endpoint, context.signal);
  const series = texts.flatMap((text, replica) =>
    text
      .split("\n")
      .filter((line) => isSeries(line, metric, labels))
      .map((line) => (texts.length === 1 ? line : `replica ${replica + 1}: ${line}`)),
  );
  const output = redactForPeople(series.join("\n"));
  const message = `${series.length} series of ${metric} in ${texts.length} ${texts.length === 1 ? "replica" : "replicas"} of ${service}`;
  return series.length > 0 ? { landed: true, output, message } : notLanded(message);
}

/** By the text format of Prometheus: `name{label="value",…} number`. */
function isSeries(line: string, metric: string, labels: Readonly<Record<string, string>>): boolean {
  const [, name, written = ""] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s/.exec(line) ?? [];
  if (name !== metric) return false;
  const found = new Map([...written.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, value]) => [label, value]));
  return Object.entries(labels).every(([label, value]) => found.get(label) === escaped(value));
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

/** Reads the last lines of a service's output, without secrets and personal data. */
export async function executeQueryLogs(
  step: StepOf<"query-logs">,
  twin: Twin,
  context: StepContext,
): Promise<StepOutcome> {
  const { service, lines, matching } = step.with;
  const text = await twin.logs(service, lines, context.signal);
  const wanted = matching?.toLowerCase();
  const kept = text
    .trimEnd()
    .split("\n")
    .filter((line) => line !== "" && (wanted === undefined || line.toLowerCase().includes(wanted)));
  const message = `${kept.length} ${kept.length === 1 ? "line" : "lines"} of ${service}${matching === undefined ? "" : " match"}`;
  return { landed: true, output: redactForPeople(kept.join("\n")), message };
}
