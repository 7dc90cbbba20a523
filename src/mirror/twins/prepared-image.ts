import { pollUntil } from "../../core/clock.ts";
import { sha256Hex } from "../../core/sha256.ts";
import type { ServiceSpec, StateSpec } from "../mirror-spec.ts";
import { execInContainer, lastLines } from "./container-io.ts";
import type { ResolvedImage } from "./container-options.ts";
import { engineError } from "./engine-errors.ts";
import { unavailable } from "./failures.ts";
import { digestOfPath } from "./file-digest.ts";
import { findImage } from "./find-image.ts";
import { LABEL } from "./labels.ts";
import { pruneImages } from "./prune-images.ts";
import { type RunContext, resourceName } from "./run-context.ts";

/** Outside every VOLUME of the image: what lies in a volume is not part of a committed image. */
const DATA_DIR = "/var/lib/canary/pgdata";
/** Raised when the recipe below changes, so that older prepared images are not used any more. */
const RECIPE = 1;
const SEED_TIMEOUT_MS = 15 * 60_000;

type PostgresState = Extract<StateSpec, { kind: "postgres" }>;

interface Wanted {
  readonly service: ServiceSpec;
  readonly state: PostgresState;
  readonly base: ResolvedImage;
  readonly onProgress: (step: string) => void;
}

/**
 * The database image with its seed data already in it, made once per (image, configuration, seed files).
 * Both twins start from the same bytes, and later runs start in about a second.
 * @returns `undefined` when the service chooses its data folder itself, which nobody but it should move
 */
export async function preparedPostgres(
  run: RunContext,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<{ readonly image: ResolvedImage; readonly fresh: boolean } | undefined> {
  if (choosesDataDir(wanted.service)) return undefined;
  const digest = await preparationDigest(wanted);
  const tag = `canary-prepared:${digest.slice(0, 24)}`;
  const image: Omit<ResolvedImage, "imageId"> = { ...wanted.base, preparedDataDir: DATA_DIR };
  const known = await findImage(run, tag, signal);
  if (known !== undefined) return { image: { ...image, imageId: known.Id }, fresh: false };
  wanted.onProgress(`preparing ${wanted.service.name}: seeding once, later runs reuse it`);
  await seedAndCommit(run, wanted, { tag, digest }, signal);
  await pruneImages(run, { [LABEL.preparedFor]: `${run.spec.name}/${wanted.service.name}` }, signal);
  const made = await findImage(run, tag, signal);
  if (made === undefined) throw engineError(new Error(`No such image: ${tag}`), `preparing ${wanted.service.name}`);
  return { image: { ...image, imageId: made.Id }, fresh: true };
}

/** A data folder named on the command line would win over PGDATA, and the prepared data would never be read. */
export function choosesDataDir(service: Pick<ServiceSpec, "command" | "entrypoint">): boolean {
  const words = [...(service.entrypoint ?? []), ...(service.command ?? [])];
  return words.some((word) => /^(-D|--pgdata)|data_directory/.test(word));
}

async function preparationDigest({ service, base }: Wanted): Promise<string> {
  const mounts = await Promise.all(
    service.mounts.map(async (mount) =>
      mount.kind === "bind" ? [mount.target, await digestOfPath(mount.sourcePath)] : [mount.target, mount.kind],
    ),
  );
  const configuration = [service.command, service.entrypoint, service.environment, service.user].map(
    (it) => it ?? null,
  );
  return sha256Hex(JSON.stringify([RECIPE, DATA_DIR, base.baseImageId, configuration, mounts]));
}

async function seedAndCommit(
  run: RunContext,
  wanted: Wanted,
  target: { readonly tag: string; readonly digest: string },
  signal: AbortSignal,
): Promise<void> {
  const { service } = wanted;
  const container = await run.engine.change(`preparing ${service.name}`, signal, (docker) =>
    docker.createContainer(seedingOptions(run, wanted)),
  );
  await run.engine.change(`preparing ${service.name}`, signal, () => container.start());
  await waitUntilSeeded(run, wanted, container.id, signal);
  // A clean stop: data committed from a running server begins with crash recovery, on both twins, every time.
  await run.engine.change(`stopping ${service.name} cleanly`, signal, () =>
    container.stop({ t: 120, signal: "SIGINT" }),
  );
  const { State } = await run.engine.read(`stopping ${service.name} cleanly`, signal, () => container.inspect());
  if (State.ExitCode !== 0) {
    throw unavailable(
      `${service.name} did not stop cleanly after seeding (exit code ${State.ExitCode})`,
      await lastLines(run.engine, container.id, 20, signal),
    );
  }
  const [repo, tag] = target.tag.split(":");
  const changes = committedLabels(run, wanted, target);
  const commit = () => container.commit({ repo, tag, comment: "seeded by canary-harness", changes });
  await run.engine.change(`keeping the prepared ${service.name}`, signal, commit, COMMIT_MS_MAX);
  await run.engine.change(`preparing ${service.name}`, signal, () => container.remove({ force: true, v: true }));
}

function seedingOptions(run: RunContext, { service, base }: Wanted) {
  const environment = { ...service.environment, PGDATA: DATA_DIR };
  return {
    name: resourceName(run.runId, "prepare", service.name),
    Image: base.imageId,
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    ...(service.command === undefined ? {} : { Cmd: [...service.command] }),
    ...(service.entrypoint === undefined ? {} : { Entrypoint: [...service.entrypoint] }),
    ...(service.user === undefined ? {} : { User: service.user }),
    Healthcheck: { Test: ["NONE"] },
    Labels: { ...run.ownership, [LABEL.service]: service.name },
    HostConfig: {
      NetworkMode: "none",
      // Everything but binds lies on tmpfs, so that no volume comes into being.
      Binds: service.mounts.flatMap((mount) =>
        mount.kind === "bind" ? [`${mount.sourcePath}:${mount.target}:${mount.readOnly ? "ro" : "rw"}`] : [],
      ),
      Tmpfs: Object.fromEntries(base.volumes.map((target) => [target, ""])),
      ShmSize: 256 * 1024 * 1024,
    },
  };
}

/** The entry point seeds with a server that listens on its socket only: the first TCP answer is the real server. */
async function waitUntilSeeded(run: RunContext, wanted: Wanted, id: string, signal: AbortSignal): Promise<void> {
  const { service, state } = wanted;
  const probe = [
    "pg_isready",
    "-q",
    "-h",
    "127.0.0.1",
    "-p",
    String(state.port),
    "-U",
    state.user,
    "-d",
    state.database,
  ];
  const failed = async (why: string): Promise<Error> =>
    unavailable(
      `${service.name} ${why} while its data was being prepared`,
      await lastLines(run.engine, id, 20, signal),
    );
  await pollUntil({
    clock: run.clock,
    everyMs: 100,
    timeoutMs: SEED_TIMEOUT_MS,
    signal,
    probe: async () => {
      const { State } = await run.engine.read(`preparing ${service.name}`, signal, (docker) =>
        docker.getContainer(id).inspect(),
      );
      if (!State.Running) throw await failed(`ended with exit code ${State.ExitCode}`);
      const ready = await execInContainer(run.engine, id, probe, signal).catch(() => undefined);
      return ready?.exitCode === 0 ? true : undefined;
    },
    onTimeout: () => failed("did not become ready"),
  });
}

/** Gigabytes of data are copied and hashed. */
const COMMIT_MS_MAX = 10 * 60_000;

/** Ownership labels are emptied: a committed image belongs to no run, and nothing made from it may look as if it did. */
function committedLabels(
  run: RunContext,
  { service, base }: Wanted,
  target: { readonly digest: string },
): readonly string[] {
  const emptied = [...Object.keys(run.ownership), LABEL.service].map((key) => `LABEL ${key}=""`);
  return [
    ...emptied,
    `LABEL ${LABEL.prepared}="${target.digest}"`,
    `LABEL ${LABEL.preparedFor}="${run.spec.name}/${service.name}"`,
    `LABEL ${LABEL.preparedBase}="${base.baseImageId}"`,
    `ENV PGDATA=${DATA_DIR}`,
  ];
}
