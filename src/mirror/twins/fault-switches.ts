import { request } from "node:http";
import { CanaryError, messageOf } from "../../core/errors.ts";
import { invariant } from "../../core/invariant.ts";
import type { TwinProxies } from "../proxy/raise-proxies.ts";
import type { ContainerSwitch, FaultSwitches, ServiceCondition } from "../twin-faults.ts";
import { execInContainer, healthOutput } from "./container-io.ts";
import { healthArgv } from "./container-options.ts";
import type { Docker } from "./engine.ts";
import type { HeldTwin } from "./holding.ts";
import { inspectListed } from "./inspect-listed.ts";
import { listReplicas, type RaisedTwin, type Replica, wantedService } from "./replicas.ts";
import type { StubListener } from "./stubs.ts";
import { updateService } from "./update-service.ts";

/** A health check that hangs has failed; the time that a busy machine needs for a good one is far less. */
const HEALTH_TIMEOUT_MS = 5_000;
const STUB_TIMEOUT_MS = 2_000;
/** Probes are recorded like every call of a stub; by this path they are known to be ours. */
const PROBE_PATH = "/canary-drill-probe";

/** The switches of a raised twin. They do not wait for what the twin itself is doing: a fault strikes in the middle. */
export function faultSwitches({ raised, stubs }: Pick<HeldTwin, "raised" | "stubs">): FaultSwitches {
  const { proxies } = raised;
  return {
    ...linkSwitches(proxies),
    ...containerSwitches(raised),
    answerStub: (host, answer) => stubsOf(stubs, host).answerWith(host, answer),
    async askStub(host, signal) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(STUB_TIMEOUT_MS)]);
      return await askOnce(stubsOf(stubs, host), host, limit);
    },
  };
}

type LinkSwitches = Pick<FaultSwitches, "links" | "setToxics" | "traffic" | "probe" | "echo">;

function linkSwitches(proxies: TwinProxies | undefined): LinkSwitches {
  const known = (): TwinProxies => {
    invariant(proxies !== undefined, "a twin without links has no link to ask about");
    return proxies;
  };
  return {
    links: proxies?.links ?? [],
    setToxics: async (link, toxics, signal) => void (await known().ask(link, { op: "toxics", toxics }, signal)),
    traffic: (link, signal) => known().ask(link, { op: "traffic" }, signal),
    probe: (link, hello, { waitMs, signal }) =>
      known().ask(link, { op: "probe", helloBase64: Buffer.from(hello).toString("base64"), waitMs }, signal),
    echo: (link, { bytes, waitMs, signal }) => known().ask(link, { op: "echo", bytes, waitMs }, signal),
  };
}

type ContainerSwitches = Pick<FaultSwitches, "turn" | "condition" | "limit" | "unlimit" | "health" | "restart">;

function containerSwitches(raised: RaisedTwin): ContainerSwitches {
  const { twin } = raised;
  const each = async (
    service: string,
    doing: string,
    signal: AbortSignal,
    work: (docker: Docker, replica: Replica) => Promise<unknown>,
  ): Promise<void> => {
    const replicas = await listReplicas(raised, signal, service);
    await Promise.all(
      replicas.map((replica) =>
        twin.engine.change(`${doing} ${service}`, signal, (docker) => work(docker, replica).catch(ignoreAlready)),
      ),
    );
  };
  return {
    turn: (service, to, signal) =>
      each(service, `switching (${to})`, signal, (docker, replica) => turned(raised, { docker, replica, to })),
    condition: (service, signal) => conditionOf(raised, service, signal),
    limit: (service, { cpus, memoryBytes }, signal) =>
      each(service, "limiting", signal, async (docker, { containerId }) => {
        await docker.getContainer(containerId).update(engineLimits({ cpus, memoryBytes }));
      }),
    async unlimit(service, signal) {
      const { cpus, memoryBytes } = wantedService(raised, service).spec;
      if (cpus === undefined || memoryBytes === undefined) {
        // The engine has no word for taking a limit away.
        await updateService(raised, service, {}, signal);
        return "replaced";
      }
      await each(service, "giving limits back to", signal, async (docker, { containerId }) => {
        await docker.getContainer(containerId).update({
          ...engineLimits({ cpus, memoryBytes }),
          // What the engine itself sets for a container with a memory limit.
          MemorySwap: 2 * memoryBytes,
        });
      });
      return "changed";
    },
    health: (service, signal) => healthOf(raised, service, signal),
    restart: (service, signal) => updateService(raised, service, {}, signal),
  };
}

function engineLimits(limits: { readonly cpus: number | undefined; readonly memoryBytes: number | undefined }): object {
  const { cpus, memoryBytes } = limits;
  return {
    ...(cpus === undefined ? {} : { NanoCpus: Math.round(cpus * 1e9) }),
    ...(memoryBytes === undefined ? {} : { Memory: memoryBytes, MemorySwap: memoryBytes }),
  };
}

/** States of containers that a switch is for: what an aborted change left behind is started by nobody. */
const MEANT_FOR: Readonly<Record<ContainerSwitch, readonly Replica["state"][]>> = {
  kill: ["running", "paused"],
  stop: ["running", "paused"],
  start: ["ended"],
  pause: ["running"],
  unpause: ["paused"],
  disconnect: ["running", "paused"],
  connect: ["running", "paused"],
};

async function turned(
  { twin, services }: RaisedTwin,
  { docker, replica, to }: { readonly docker: Docker; readonly replica: Replica; readonly to: ContainerSwitch },
): Promise<void> {
  if (!MEANT_FOR[to].includes(replica.state)) return;
  const container = docker.getContainer(replica.containerId);
  const network = docker.getNetwork(twin.network);
  switch (to) {
    case "kill":
      return void (await container.kill());
    case "stop":
      return void (await container.stop({ t: 1 }));
    case "start":
      return void (await container.start());
    case "pause":
      return void (await container.pause());
    case "unpause":
      return void (await container.unpause());
    case "disconnect":
      return void (await network.disconnect({ Container: replica.containerId, Force: true }));
    case "connect":
      return void (await network.connect({
        Container: replica.containerId,
        EndpointConfig: {
          Aliases: [replica.service, ...(services.get(replica.service)?.spec.aliases ?? [])],
          IPAMConfig: { IPv4Address: replica.address },
        },
      }));
  }
}

async function conditionOf(raised: RaisedTwin, service: string, signal: AbortSignal): Promise<ServiceCondition> {
  const { twin } = raised;
  const replicas = await listReplicas(raised, signal, service);
  const looked = await Promise.all(
    replicas.map(({ containerId }) =>
      inspectListed(twin.engine, { containerId, doing: `inspecting ${service}` }, signal),
    ),
  );
  const seen = looked.filter((details) => details !== undefined);
  const living = seen.filter(({ State }) => State.Running);
  return {
    running: living.filter(({ State }) => !State.Paused).length,
    paused: living.filter(({ State }) => State.Paused).length,
    ended: seen.length - living.length,
    connected: living.filter(({ NetworkSettings }) => NetworkSettings.Networks[twin.network] !== undefined).length,
  };
}

async function healthOf(
  raised: RaisedTwin,
  service: string,
  signal: AbortSignal,
): Promise<{ readonly healthy: boolean; readonly said: string } | undefined> {
  const check = healthArgv(wantedService(raised, service).spec.healthcheck);
  if (check === undefined || raised.frozen.has(service)) return undefined;
  const replicas = await listReplicas(raised, signal, service);
  const [first] = replicas.filter((replica) => replica.state === "running");
  if (first === undefined) return { healthy: replicas.length === 0, said: "no container runs" };
  const timeout = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
  const limit = AbortSignal.any([signal, timeout]);
  return await execInContainer(raised.twin.engine, first.containerId, check, limit).then(
    (answer) => ({ healthy: answer.exitCode === 0, said: healthOutput(answer) }),
    (cause: unknown) => {
      if (signal.aborted) throw signal.reason;
      return { healthy: false, said: messageOf(cause) };
    },
  );
}

/** By `node:http`: `fetch` does not let the host be chosen. */
function askOnce(
  at: { readonly host: string; readonly port: number },
  host: string,
  signal: AbortSignal,
): ReturnType<FaultSwitches["askStub"]> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: at.host, port: at.port, path: PROBE_PATH, headers: { host }, agent: false, signal });
    asked.on("response", (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode ?? 0, contentType: answer.headers["content-type"] ?? "" });
    });
    asked.on("error", reject);
    asked.end();
  });
}

function stubsOf(stubs: StubListener | undefined, host: string): StubListener {
  if (stubs !== undefined) return stubs;
  throw new CanaryError({ code: "REPLAY_FAILED", message: `the mirror has no stub for ${host}`, hint: "Declare it." });
}

/** A switch that stands where it should is no trouble: a drill throws each of them back whatever happened before. */
function ignoreAlready(cause: unknown): void {
  const already = /already (started|stopped|paused|exists)|not (running|paused|modified|connected)|No such container/i;
  if (!already.test(messageOf(cause))) throw cause;
}
