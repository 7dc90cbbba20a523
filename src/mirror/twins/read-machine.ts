import { availableParallelism, cpus, totalmem } from "node:os";
import { coreSets } from "./core-sets.ts";
import { openEngine } from "./engine.ts";

/** What of a machine bears on noise and bias of twins raised on it; nothing that names it. */
export interface MachineFacts {
  readonly cpuModel: string;
  /** Cores that the engine may use. */
  readonly cores: number;
  /** Memory rounded to a power of two, GiB. */
  readonly memoryClassGib: number;
  /** Name and version of the container engine. */
  readonly engine: string;
  /** `0-1 and 2-3`, control and shadow, or `shared`. */
  readonly twinCores: string;
}

/**
 * The machine as twins raised now would find it. The processor is this host's: an engine elsewhere shows in its version,
 * cores and memory only.
 * @throws CanaryError MIRROR_UNAVAILABLE when no engine answers
 */
export async function readMachine(options: { readonly dockerHost?: string } = {}): Promise<MachineFacts> {
  const engine = await openEngine(options);
  const sets = coreSets(engine.cpus);
  return {
    cpuModel: cpus()[0]?.model.trim() || "unknown",
    cores: engine.cpus > 0 ? engine.cpus : availableParallelism(),
    memoryClassGib: 2 ** Math.round(Math.log2(totalmem() / 2 ** 30)),
    engine: engine.version,
    twinCores: sets.kind === "shared" ? "shared" : `${sets.control} and ${sets.shadow}`,
  };
}
