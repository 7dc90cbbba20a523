// A fresh implementation of Argo Rollouts' analysis from our notes on it.

/** One measurement of one metric. */
export type ArgoPhase = "Successful" | "Failed" | "Inconclusive" | "Error" | "Running";

/** Limits of one metric; a count of undefined goes on for ever. */
export interface ArgoMetric {
  readonly count: number | undefined;
  readonly failureLimit: number;
  readonly inconclusiveLimit: number;
  readonly consecutiveErrorLimit: number;
  /** 0 is off. */
  readonly consecutiveSuccessLimit: number;
}

/** What holds when a metric with an interval and a count says nothing else. */
export const ARGO_DEFAULTS: ArgoMetric = {
  count: 1,
  failureLimit: 0,
  inconclusiveLimit: 0,
  consecutiveErrorLimit: 4,
  consecutiveSuccessLimit: 0,
};

/** What the conditions say of one measurement; undefined where no such condition is given. */
export function measurementPhase(conditions: { readonly success?: boolean; readonly failure?: boolean }): ArgoPhase {
  const { success, failure } = conditions;
  if (failure === true) return "Failed";
  if (success === undefined) return "Successful";
  if (success) return "Successful";
  return failure === undefined ? "Failed" : "Inconclusive";
}

/** Phase of a metric after its measurements so far; what stands later overrides what stands earlier. */
export function metricPhase(measurements: readonly ArgoPhase[], metric: ArgoMetric): ArgoPhase {
  const count = (phase: ArgoPhase): number => measurements.filter((one) => one === phase).length;
  const limited: ArgoPhase[] = [];
  if (metric.failureLimit >= 0 && count("Failed") > metric.failureLimit) limited.push("Failed");
  if (count("Inconclusive") > metric.inconclusiveLimit) limited.push("Inconclusive");
  if (streak(measurements, "Error") > metric.consecutiveErrorLimit) limited.push("Error");
  const last = limited.at(-1);
  if (last !== undefined) return last;
  const { consecutiveSuccessLimit } = metric;
  if (consecutiveSuccessLimit > 0 && streak(measurements, "Successful") >= consecutiveSuccessLimit) return "Successful";
  // An error is tried again and does not count.
  const done = measurements.length - count("Error");
  if (metric.count === undefined || done < metric.count) return "Running";
  if (consecutiveSuccessLimit > 0) return metric.failureLimit >= 0 ? "Inconclusive" : "Failed";
  return "Successful";
}

function streak(measurements: readonly ArgoPhase[], phase: ArgoPhase): number {
  const other = measurements.findLastIndex((one) => one !== phase);
  return measurements.length - 1 - other;
}

/** The whole run over rounds of measurements of several metrics: the first metric that does not succeed ends it. */
export function argoRun(
  rounds: readonly (readonly ArgoPhase[])[],
  metric: ArgoMetric,
): { readonly kind: "promote" | "reject" | "hold"; readonly rounds: number } {
  const metricCount = rounds[0]?.length ?? 0;
  for (let round = 1; round <= rounds.length; round++) {
    const phases = Array.from({ length: metricCount }, (_, i) =>
      metricPhase(
        rounds.slice(0, round).map((one) => one[i] ?? "Error"),
        metric,
      ),
    );
    if (phases.some((phase) => phase === "Failed" || phase === "Error")) return { kind: "reject", rounds: round };
    if (phases.includes("Inconclusive")) return { kind: "hold", rounds: round };
    if (phases.every((phase) => phase === "Successful")) return { kind: "promote", rounds: round };
  }
  return { kind: "hold", rounds: rounds.length };
}
