import { CanaryError, messageOf } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type { ServicePort } from "../mirror-spec.ts";
import type { ExecResult, Twin } from "../twin.ts";
import { askStub } from "./ask-stub.ts";
import { textAtMost } from "./bounded-text.ts";
import { configurationOf } from "./configuration.ts";
import { fileAttributesOf, readServiceFile, writeServiceFile } from "./container-files.ts";
import { execInContainer, lastLines } from "./container-io.ts";
import { abortable } from "./engine.ts";
import { errorPatternReader } from "./error-patterns.ts";
import { readFlagFiles } from "./files/flag-files.ts";
import { fileLooker } from "./files/look-at-files.ts";
import { freezeServices, thawServices } from "./freeze-services.ts";
import { REPLICA_HEADER } from "./haproxy-config.ts";
import { imageByReference } from "./images.ts";
import { processesOf } from "./processes.ts";
import { programsOf } from "./programs.ts";
import { listReplicas, type RaisedTwin, wantedService } from "./replicas.ts";
import { restartService } from "./restart-service.ts";
import { reviveServices } from "./revive-services.ts";
import { scaleService } from "./scale-service.ts";
import type { StateClients } from "./state-clients.ts";
import type { StubListener } from "./stubs.ts";
import { updateService } from "./update-service.ts";

const SCRAPE_TIMEOUT_MS = 5_000;

/** The contract's twin over a raised one. Changes of one twin run one after the other. */
export function twinHandle(
  raised: RaisedTwin,
  parts: { readonly clients: StateClients; readonly stubs?: StubListener },
): Twin {
  const exclusive = oneAfterTheOther(raised);
  return {
    role: raised.twin.role,
    address: (at) => raised.ingress.address(at),
    scale: (service, replicas, signal) => exclusive(signal, () => scaleService(raised, service, replicas, signal)),
    update: (service, change, signal) => exclusive(signal, () => updateService(raised, service, change, signal)),
    imageId: async (reference, signal) => (await imageByReference(raised.twin, reference, signal)).imageId,
    freeze: (services, signal) => exclusive(signal, () => freezeServices(raised, services, signal)),
    thaw: (services, signal) => exclusive(signal, () => thawServices(raised, services, signal)),
    restart: (service, { maxUnavailable }, signal) =>
      exclusive(signal, () => restartService(raised, service, maxUnavailable, signal)),
    readFile: (service, path, signal) => readServiceFile(raised, { service, path }, signal),
    fileAttributes: (service, path, signal) => fileAttributesOf(raised, { service, path }, signal),
    writeFile: (service, path, bytes, signal, attributes) => {
      const given = attributes === undefined ? {} : { attributes };
      return exclusive(signal, () => writeServiceFile(raised, { service, path, bytes, ...given }, signal));
    },
    askStub: (request, signal) => askStub(parts.stubs, request, signal),
    exec: (service, argv, signal, environment = {}) => execInService(raised, { service, argv, environment }, signal),
    sql: (database, text, params) => parts.clients.sql(database, text, params),
    sqlAs: (database, work, signal) => parts.clients.sqlAs(database.service, work, signal),
    openWriteLog: (database, signal) => parts.clients.openWriteLog(database.service, signal),
    redis: (store, command, as) => parts.clients.redis(store.service, command, as),
    redisBytes: (store, command) => parts.clients.redisBytes(store.service, command),
    disconnect: (store) => parts.clients.disconnect(store.service),
    revive: (signal) => exclusive(signal, () => reviveServices(raised, signal)),
    configuration: (signal) => configurationOf(raised, signal),
    processes: (signal) => processesOf(raised, signal),
    programs: (signal) => programsOf(raised, signal),
    usage: (signal) => raised.usage.read(signal),
    scrape: (port, signal) => scrapeReplicas(raised, port, signal),
    logs: (service, lines, signal) => logsOf(raised, service, lines, signal),
    files: fileLooker(raised),
    flagFiles: (signal) => readFlagFiles(raised, signal),
    errorPatterns: errorPatternReader(raised),
    stubCalls: () => parts.stubs?.calls() ?? [],
    plantHarm: (harm, signal) => raised.ingress.plant(harm, signal),
  };
}

/** Also waits for what an aborted change still has under way at the engine, so that the next one sees its result. */
function oneAfterTheOther(raised: RaisedTwin) {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(signal: AbortSignal, change: () => Promise<T>): Promise<T> => {
    const turn = last.then(async () => {
      await abortable(raised.twin.engine.settled(), signal);
      return await change();
    });
    last = turn.catch(() => undefined);
    return turn;
  };
}

interface ExecIn {
  readonly service: string;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

async function execInService(
  raised: RaisedTwin,
  { service, argv, environment }: ExecIn,
  signal: AbortSignal,
): Promise<ExecResult> {
  wantedService(raised, service);
  const replicas = await listReplicas(raised, signal, service);
  const running = replicas.find((replica) => replica.state === "running");
  if (running !== undefined)
    return await execInContainer(raised.twin.engine, running.containerId, argv, signal, { environment });
  throw new CanaryError({
    code: "REPLAY_FAILED",
    message: `${service} has no running container to run ${argv[0] ?? "nothing"} in`,
    hint: raised.frozen.has(service)
      ? "It is listed under `background`, so it stands still while effects are being proven."
      : "It is scaled to nothing or has ended; its logs say why.",
  });
}

/** Every admitted replica by its slot; one that does not answer fails the reading, or its counters would seem to fall. */
async function scrapeReplicas(
  raised: RaisedTwin,
  at: ServicePort & { readonly path: string },
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (raised.frozen.has(at.service)) {
    throw new CanaryError({
      code: "MIRROR_UNAVAILABLE",
      message: `${at.service} is frozen and can not be asked for its metrics`,
      hint: "Thaw it first; no answer is not the same as no replica.",
    });
  }
  const { host, port } = raised.ingress.address(at);
  const slots = [...raised.admitted.values()].filter((replica) => replica.service === at.service);
  return await Promise.all(
    slots.map(async ({ slot }) => {
      try {
        const response = await fetch(`http://${host}:${port}${at.path}`, {
          headers: { [REPLICA_HEADER]: String(slot) },
          signal: AbortSignal.any([signal, AbortSignal.timeout(SCRAPE_TIMEOUT_MS)]),
        });
        if (response.status === 200) return await textAtMost(response, LIMITS.metricsBytesMax);
        throw new Error(`status ${response.status}`);
      } catch (cause) {
        if (signal.aborted) throw signal.reason;
        throw new CanaryError({
          code: "MIRROR_UNAVAILABLE",
          message: `replica ${slot} of ${at.service} did not give its metrics (${messageOf(cause)})`,
          hint: `Check ${at.path} on port ${at.port}; its logs may say more.`,
          cause,
        });
      }
    }),
  );
}

async function logsOf(raised: RaisedTwin, service: string, lines: number, signal: AbortSignal): Promise<string> {
  const replicas = await listReplicas(raised, signal, service);
  const texts = await Promise.all(
    replicas.map(async ({ containerId, slot }) => {
      const text = await lastLines(raised.twin.engine, containerId, lines, signal);
      const numbered = text.trimEnd().split("\n");
      return replicas.length === 1 ? text : numbered.map((line) => `${service}-${slot} | ${line}\n`).join("");
    }),
  );
  return texts.join("");
}
