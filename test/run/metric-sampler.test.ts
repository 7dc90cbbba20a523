import { expect, test } from "vitest";
import type { Twin } from "../../src/mirror/twin.ts";
import type { MetricSample } from "../../src/replay/recording.ts";
import { sampleMetrics } from "../../src/run/metric-sampler.ts";

/** One round of readings from twins whose worker answers as given. */
async function oneRound(
  scrapes: Readonly<Record<"control" | "shadow", () => Promise<readonly string[]>>>,
): Promise<readonly MetricSample[]> {
  const stop = new AbortController();
  const seen: MetricSample[] = [];
  const twin = (role: "control" | "shadow"): Pick<Twin, "role" | "usage" | "scrape" | "sql"> => ({
    role,
    scrape: scrapes[role],
    usage: () => Promise.reject(new Error("nobody asks for it")),
    sql: () => Promise.reject(new Error("nobody asks for it")),
  });
  const pair = {
    control: twin("control"),
    shadow: twin("shadow"),
    spec: { metrics: [{ service: "worker", port: 9100, path: "/metrics" }] },
  };
  await sampleMetrics({
    pair,
    measures: [{ kind: "counter", service: "worker", metric: "jobs_done_total", labels: {} }],
    axisMs: () => 1000,
    onSamples: (samples) => {
      seen.push(...samples);
      stop.abort();
    },
    clock: { monotonicMs: () => 0, epochMs: () => 0, sleep: () => Promise.resolve() },
    signal: stop.signal,
  });
  return seen;
}

const values = (samples: readonly MetricSample[]): readonly (readonly [string, number])[] =>
  samples.map(({ role, value }) => [role, value] as const);

test("a service without a replica has counted nothing: its counter stands at zero", async () => {
  const samples = await oneRound({
    control: () => Promise.resolve(["jobs_done_total 7\n"]),
    shadow: () => Promise.resolve([]),
  });
  expect(values(samples)).toEqual([
    ["control", 7],
    ["shadow", 0],
  ]);
});

test("a replica that does not answer leaves its twin without a reading, never with a zero", async () => {
  const samples = await oneRound({
    control: () => Promise.resolve(["jobs_done_total 7\n"]),
    shadow: () => Promise.reject(new Error("no answer")),
  });
  expect(values(samples)).toEqual([["control", 7]]);
});
