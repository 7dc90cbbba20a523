import { CanaryError } from "../../src/core/errors.ts";
import { linkName } from "../../src/mirror/proxy/proxy-layout.ts";
import type { Twin } from "../../src/mirror/twin.ts";
import type {
  ConnectionProbe,
  ContainerSwitch,
  DependencyLink,
  FaultSwitches,
  StubAnswer,
  Toxic,
} from "../../src/mirror/twin-faults.ts";

/** Where every switch stands; tests read it and set what does not work. */
export interface SimulatedSwitchboard {
  readonly containers: Map<string, "running" | "paused" | "ended" | "disconnected">;
  readonly toxics: Map<string, readonly Toxic[]>;
  readonly limits: Map<string, { readonly cpus?: number; readonly memoryBytes?: number }>;
  readonly stubs: Map<string, StubAnswer>;
  readonly restarted: string[];
  /** Services that say they are not well, and until they are restarted. */
  readonly unwell: Set<string>;
  /** Switches do nothing: the engine says yes and nothing happens. */
  dead: boolean;
  /** Nobody ever connects through a proxy. */
  unused: boolean;
  /** The caller's connections are all spared by a toxicity below 1. */
  spared: boolean;
}

/** All switches as they should be. */
export function simulatedSwitchboard(): SimulatedSwitchboard {
  return {
    containers: new Map(),
    toxics: new Map(),
    limits: new Map(),
    stubs: new Map(),
    restarted: [],
    unwell: new Set(),
    dead: false,
    unused: false,
    spared: false,
  };
}

const AFTER = {
  kill: "ended",
  stop: "ended",
  start: "running",
  pause: "paused",
  unpause: "running",
  disconnect: "disconnected",
  connect: "running",
} as const satisfies Record<ContainerSwitch, string>;

/** Switches in memory; what they do to a dependency is answered by probes and felt by `feeling`. */
export function simulatedFaultSwitches(board: SimulatedSwitchboard, links: readonly DependencyLink[]): FaultSwitches {
  const stateOf = (service: string) => board.containers.get(service) ?? "running";
  const answer = (link: DependencyLink, waitMs: number): ConnectionProbe => {
    const state = stateOf(link.to);
    if (state !== "running") return { outcome: state === "ended" ? "reset" : "silent", tookMs: waitMs };
    const [toxic] = board.toxics.get(linkName(link)) ?? [];
    if (toxic?.type === "latency") return { outcome: "answered", tookMs: 1 + toxic.latencyMs };
    if (toxic?.type === "timeout") return { outcome: "silent", tookMs: waitMs };
    if (toxic?.type === "down" || toxic?.type === "reset_peer") return { outcome: "reset", tookMs: 1 };
    return { outcome: "answered", tookMs: 1 };
  };
  return {
    links,
    setToxics: async (link, toxics) => {
      if (!board.dead) board.toxics.set(linkName(link), toxics);
    },
    traffic: async (link) => {
      const [toxic] = board.toxics.get(linkName(link)) ?? [];
      const met = toxic === undefined || (board.spared && (toxic.toxicity ?? 1) < 1) ? 0 : 2;
      return { connections: board.unused ? 0 : 3, open: 2, met, bytesUp: 100, bytesDown: 100 };
    },
    probe: async (link, _hello, { waitMs }) => answer(link, waitMs),
    echo: async (_link, { bytes }) => ({ sentBytes: bytes, returnedBytes: bytes, pieces: 1, tookMs: 1, closeMs: 1 }),
    turn: async (service, to) => {
      if (!board.dead) board.containers.set(service, AFTER[to]);
    },
    condition: async (service) => {
      const state = stateOf(service);
      const is = (...states: readonly string[]): number => (states.includes(state) ? 1 : 0);
      return {
        running: is("running", "disconnected"),
        paused: is("paused"),
        ended: is("ended"),
        connected: is("running", "paused"),
      };
    },
    limit: async (service, limits) => {
      if (!board.dead) board.limits.set(service, limits);
    },
    unlimit: async (service) => {
      board.limits.delete(service);
      return "changed";
    },
    health: async (service) => ({ healthy: !board.unwell.has(service), said: "simulated" }),
    restart: async (service) => {
      board.restarted.push(service);
      board.unwell.delete(service);
    },
    answerStub: (host, wrong) => {
      if (board.dead) return;
      if (wrong === undefined) board.stubs.delete(host);
      else board.stubs.set(host, wrong);
    },
    askStub: async (host) => {
      const wrong = board.stubs.get(host);
      if (wrong?.kind === "garbage") return { status: 200, contentType: "application/json; canary=garbage" };
      return { status: wrong?.status ?? 501, contentType: "text/plain" };
    },
  };
}

/** A twin whose stores are as the switches leave them: refusing, or silent until they go on. */
export function feeling<T extends Twin>(twin: T, board: SimulatedSwitchboard, nap: () => Promise<void>): T {
  const reach = async (service: string): Promise<void> => {
    while (["paused", "disconnected"].includes(board.containers.get(service) ?? "")) await nap();
    if (board.containers.get(service) !== "ended") return;
    throw new CanaryError({ code: "MIRROR_UNAVAILABLE", message: `${service} refuses`, hint: "It was killed." });
  };
  return {
    ...twin,
    sql: async (database, text, params) => {
      await reach(database.service);
      if (text === "SELECT 1") return [{ one: 1 }];
      return await twin.sql(database, text, params);
    },
    redis: async (store, command) => {
      await reach(store.service);
      if (command[0] === "PING") return "PONG";
      return await twin.redis(store, command);
    },
    exec: async (service, argv, signal) => {
      const limit = board.limits.get(service);
      if (!argv.some((word) => word.startsWith("/sys/fs/cgroup"))) return await twin.exec(service, argv, signal);
      const cpu = argv.some((word) => word.includes("cpu"));
      const value = cpu ? `${(limit?.cpus ?? 4) * 100_000}\n100000` : String(limit?.memoryBytes ?? 2 ** 62);
      return { exitCode: 0, stdout: `${value}\n`, stderr: "" };
    },
  };
}
