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
  text(): Promise<{ readonly body: string; readonly contentType: string }>;
}

type Counts = Omit<GateMetrics, "text">;

/**
 * Counts, without keeping a gate from starting: what counts (prom-client, and all that it loads) is loaded when the first thing
 * is counted or read. What came meanwhile is counted in its order.
 */
export function gateMetrics(): GateMetrics {
  let loading: Promise<GateMetrics> | undefined;
  const loaded = (): Promise<GateMetrics> => {
    loading ??= prometheusMetrics();
    return loading;
  };
  // Where it fails, whoever reads the counters is told so; a decision does not hang on it.
  const count = (add: (counts: Counts) => void): void => {
    void loaded()
      .then(add)
      .catch(() => undefined);
  };
  return {
    answered: (request) => count((counts) => counts.answered(request)),
    decided: (decision) => count((counts) => counts.decided(decision)),
    killSwitch: (isEngaged) => count((counts) => counts.killSwitch(isEngaged)),
    readAgain: (what, isReadable) => count((counts) => counts.readAgain(what, isReadable)),
    text: async () => await (await loaded()).text(),
  };
}

/** A registry of its own, so that two gates in one process do not count each other's. */
async function prometheusMetrics(): Promise<GateMetrics> {
  const { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } = await import("prom-client");
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
    answered: ({ route, status, seconds: took }) => seconds.observe({ route, status: String(status) }, took),
    decided: ({ adapter, answer, codes }) => {
      decisions.inc({ adapter, answer });
      for (const code of new Set(codes)) reasons.inc({ code });
    },
    killSwitch: (isEngaged) => killed.set(isEngaged ? 1 : 0),
    readAgain: (what, isReadable) => unreadable.set({ file: what }, isReadable ? 0 : 1),
    text: async () => ({ body: await registry.metrics(), contentType: registry.contentType }),
  };
}
