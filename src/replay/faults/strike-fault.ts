import { pollUntil } from "../../core/clock.ts";
import { CanaryError, messageOf } from "../../core/errors.ts";
import { invariant } from "../../core/invariant.ts";
import type { Fault } from "./fault-spec.ts";
import { ANSWER_MS_MAX, type FaultTools, linkOf, type Measured, probeLink, toxicOf } from "./fault-tools.ts";
import { measureContainer, measureRecovered } from "./measure-container.ts";
import { measurePlain, measureToxic } from "./measure-link.ts";

/** A fault in force. It is lifted by whoever struck it, whatever happened meanwhile. */
export interface StruckFault {
  readonly landed: Measured;
  /** The same, asked again before it is lifted: one that meets only some connections must have met one of the caller's. */
  met(signal: AbortSignal): Promise<Measured>;
  /** Takes the fault away and measures that it is gone; called once. */
  lift(signal: AbortSignal): Promise<Measured>;
}

/** A fault that takes longer than this to show has not landed, and one that takes longer to go is not lifted. */
const LAND_MS_MAX = 3_000;
const LIFT_MS_MAX = 20_000;
const POLL_MS = 50;

/**
 * Strikes one fault and measures that it landed. One that did not land is answered as such, and lifted all the same.
 * @throws CanaryError MIRROR_UNAVAILABLE when engine or proxy do not answer
 */
export async function strikeFault(fault: Fault, tools: FaultTools, signal: AbortSignal): Promise<StruckFault> {
  if ("from" in fault) return await strikeLink(fault, tools, signal);
  if (fault.kind === "stub") return await strikeStub(fault, tools, signal);
  return await strikeService(fault, tools, signal);
}

async function strikeLink(
  fault: Extract<Fault, { from: string }>,
  tools: FaultTools,
  signal: AbortSignal,
): Promise<StruckFault> {
  const link = linkOf(fault, tools.faults);
  const toxic = toxicOf(fault);
  const before = await probeLink(tools, link, { signal });
  const plainMs = before.tookMs;
  const { connections } = await tools.faults.traffic(link, signal);
  await tools.faults.setToxics(link, [toxic], signal);
  const acts = await measureToxic(tools, { link, toxic, plainMs }, signal);
  const landed =
    before.outcome !== "answered"
      ? { holds: false, said: `${fault.to} did not answer ${fault.from} before the fault (${before.outcome})` }
      : connections === 0
        ? { holds: false, said: `no connection of ${fault.from} ever took this way: the fault could not reach it` }
        : acts;
  return {
    landed,
    met: async (asking) => {
      if (!landed.holds || (toxic.toxicity ?? 1) >= 1) return landed;
      const { met } = await tools.faults.traffic(link, asking);
      const said = `${landed.said}; it met ${met} of the connections of ${fault.from}`;
      return { holds: met > 0, said };
    },
    lift: async (lifting) => {
      await tools.faults.setToxics(link, [], lifting);
      return await eventually(tools, LIFT_MS_MAX, lifting, () => measurePlain(tools, { link, plainMs }, lifting));
    },
  };
}

async function strikeStub(
  fault: Extract<Fault, { kind: "stub" }>,
  tools: FaultTools,
  signal: AbortSignal,
): Promise<StruckFault> {
  const { faults } = tools;
  const { host, answer } = fault;
  const isBroken = async (asking: AbortSignal): Promise<Measured> => {
    const seen = await faults.askStub(host, asking);
    const broken = answer === "garbage" ? seen.contentType.includes("canary=garbage") : seen.status === answer;
    return { holds: broken, said: `a request was answered ${seen.status}${broken ? " on purpose" : ""}` };
  };
  const before = await isBroken(signal);
  faults.answerStub(host, answer === "garbage" ? { kind: "garbage" } : { kind: "status", status: answer });
  const after = await isBroken(signal);
  const landed = before.holds ? { holds: false, said: `${host} answered so before the fault` } : after;
  return {
    landed,
    met: async () => landed,
    lift: async (lifting) => {
      faults.answerStub(host, undefined);
      const { holds, said } = await isBroken(lifting);
      return { holds: !holds, said };
    },
  };
}

type ServiceFault = Exclude<Extract<Fault, { service: string }>, { from: string }>;

async function strikeService(fault: ServiceFault, tools: FaultTools, signal: AbortSignal): Promise<StruckFault> {
  const { faults } = tools;
  let refused: string | undefined;
  await throwSwitch(fault, tools, signal).catch((thrown: unknown) => {
    signal.throwIfAborted();
    // The engine's no is an answer: this fault can not be had here.
    if (!(thrown instanceof CanaryError)) throw thrown;
    refused = messageOf(thrown);
  });
  const landed =
    refused === undefined
      ? await eventually(tools, LAND_MS_MAX, signal, () => measureContainer(fault, tools, signal))
      : { holds: false, said: refused };
  return {
    landed,
    met: async () => landed,
    lift: async (lifting) => {
      if (fault.kind === "cpu" || fault.kind === "memory") await faults.unlimit(fault.service, lifting);
      else await faults.turn(fault.service, OPPOSITE[fault.kind], lifting);
      return await eventually(tools, LIFT_MS_MAX, lifting, () => measureRecovered(fault, tools, lifting));
    },
  };
}

const OPPOSITE = { kill: "start", stop: "start", pause: "unpause", disconnect: "connect" } as const;

async function throwSwitch(fault: ServiceFault, { faults }: FaultTools, signal: AbortSignal): Promise<void> {
  switch (fault.kind) {
    case "cpu":
      return await faults.limit(fault.service, { cpus: fault.cpus }, signal);
    case "memory":
      return await faults.limit(fault.service, { memoryBytes: fault.memoryBytes }, signal);
    case "kill":
    case "stop":
    case "pause":
    case "disconnect":
      return await faults.turn(fault.service, fault.kind, signal);
  }
}

/** Measures until it holds or time is up; the last measurement is the answer. */
async function eventually(
  { clock }: FaultTools,
  timeoutMs: number,
  signal: AbortSignal,
  measure: () => Promise<Measured>,
): Promise<Measured> {
  let last: Measured | undefined;
  const startedMs = clock.monotonicMs();
  const found = await pollUntil<Measured>({
    clock,
    everyMs: POLL_MS,
    timeoutMs: Math.max(timeoutMs, ANSWER_MS_MAX),
    signal,
    probe: async () => {
      last = await measure();
      const late = clock.monotonicMs() - startedMs >= timeoutMs;
      return last.holds || late ? last : undefined;
    },
    onTimeout: () => new Error("measured in time"),
  });
  invariant(last !== undefined, "it was measured at least once");
  return found;
}
