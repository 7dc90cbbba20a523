import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What a gate counts, for Prometheus. */
export interface GateMetrics {
  answered(request: { readonly route: string; readonly status: number; readonly seconds: number }): void;
  decided(decision: {
    readonly adapter: string;
    readonly answer: "admit" | "refuse";
    readonly codes: readonly string[];
  }): void;
  killSwitch(isEngaged: boolean): void;
  /** A file, by what it holds, was looked at again while the gate serves. */
  readAgain(what: string, isReadable: boolean): void;
  text(): Promise<string>;
  readonly contentType: string;
}

/** A registry of its own, so that two gates in one process do not count each other's. */
export function gateMetrics(): GateMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "canary_gate_" });
  const seconds = new Histogram({
    name: "canary_gate_request_seconds",
    help: "Time from a request's head to its answer.",
    labelNames: ["route", "status"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5],
    registers: [registry],
  });
  const decisions = new Counter({
    name: "canary_gate_decisions_total",
    help: "Decisions by the adapter that asked and the answer.",
    labelNames: ["adapter", "answer"],
    registers: [registry],
  });
  const reasons = new Counter({
    name: "canary_gate_refusal_reasons_total",
    help: "Reasons of refusals; one refusal may have several.",
    labelNames: ["code"],
    registers: [registry],
  });
  const killed = new Gauge({
    name: "canary_gate_kill_switch_engaged",
    help: "1 while a kill switch was seen engaged at the last decision.",
    registers: [registry],
  });
  const unreadable = new Gauge({
    name: "canary_gate_file_unreadable",
    help: "1 while a file that is read again and again cannot be read.",
    labelNames: ["file"],
    registers: [registry],
  });
  return {
    contentType: registry.contentType,
    answered: ({ route, status, seconds: took }) => seconds.observe({ route, status: String(status) }, took),
    decided: ({ adapter, answer, codes }) => {
      decisions.inc({ adapter, answer });
      for (const code of new Set(codes)) reasons.inc({ code });
    },
    killSwitch: (isEngaged) => killed.set(isEngaged ? 1 : 0),
    readAgain: (what, isReadable) => unreadable.set({ file: what }, isReadable ? 0 : 1),
    text: () => registry.metrics(),
  };
}
