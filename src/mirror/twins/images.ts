import { CanaryError, messageOf } from "../../core/errors.ts";
import { sha256Hex } from "../../core/sha256.ts";
import type { ServiceSpec } from "../mirror-spec.ts";
import { buildImage } from "./build-image.ts";
import type { ResolvedImage } from "./container-options.ts";
import { abortable, type ImageDetails } from "./engine.ts";
import { engineError } from "./engine-errors.ts";
import { environmentOf, findImage } from "./find-image.ts";
import { preparedPostgres } from "./prepared-image.ts";
import type { RunContext } from "./run-context.ts";

/** Images of all services by service name, and whether every prepared one existed before. */
export interface ResolvedImages {
  readonly byService: ReadonlyMap<string, ResolvedImage>;
  readonly prepared: boolean;
}

/**
 * Makes every image present (pull, build, seed), each only once, in parallel.
 * @throws CanaryError MIRROR_UNAVAILABLE when one cannot be had
 */
export async function resolveImages(
  run: RunContext,
  onProgress: (step: string) => void,
  signal: AbortSignal,
): Promise<ResolvedImages> {
  const bases = new Map<string, Promise<ImageDetails>>();
  let prepared = true;
  const resolve = async (service: ServiceSpec): Promise<readonly [string, ResolvedImage]> => {
    const key = sha256Hex(JSON.stringify(service.image));
    const base = bases.get(key) ?? imageOf(run, service, onProgress, signal);
    bases.set(key, base);
    const plain = plainImage(await base);
    const state = run.spec.state.find((store) => store.service === service.name);
    if (state?.kind !== "postgres") return [service.name, plain];
    const seeded = await preparedPostgres(run, { service, state, base: plain, onProgress }, signal);
    if (seeded?.fresh) prepared = false;
    return [service.name, seeded?.image ?? plain];
  };
  const resolved = await Promise.all(run.spec.services.map(resolve));
  return { byService: new Map(resolved), prepared };
}

/** The image of a reference without preparation, present afterwards; for `update`. */
export async function imageByReference(
  run: RunContext,
  reference: string,
  signal: AbortSignal,
): Promise<ResolvedImage> {
  return plainImage(await presentImage(run, reference, () => undefined, signal));
}

async function imageOf(
  run: RunContext,
  service: ServiceSpec,
  onProgress: (step: string) => void,
  signal: AbortSignal,
): Promise<ImageDetails> {
  if (service.image.kind === "image") return await presentImage(run, service.image.reference, onProgress, signal);
  return await buildImage(run, { service: service.name, source: service.image, onProgress }, signal);
}

async function presentImage(
  run: RunContext,
  reference: string,
  onProgress: (step: string) => void,
  signal: AbortSignal,
): Promise<ImageDetails> {
  const known = await findImage(run, reference, signal);
  if (known !== undefined) return known;
  onProgress(`pulling ${reference}`);
  const pull = pullImage(run, reference).catch((cause: unknown) => {
    throw new CanaryError({
      code: "MIRROR_UNAVAILABLE",
      message: `image ${reference} is not on this machine and cannot be pulled (${messageOf(cause).slice(0, 300)})`,
      hint: "Check the name; `canary doctor --fix` pulls or builds what is missing.",
      cause,
    });
  });
  await abortable(pull, signal);
  const pulled = await findImage(run, reference, signal);
  if (pulled !== undefined) return pulled;
  throw engineError(new Error(`No such image: ${reference}`), `pulling ${reference}`);
}

/** Pulls with the credentials the user's Docker configuration has, which testcontainers knows how to find. */
async function pullImage(run: RunContext, reference: string): Promise<void> {
  const { ImageName } = await import("testcontainers");
  await run.engine.client.image.pull(ImageName.fromString(reference), { force: true, platform: undefined });
}

function plainImage(details: ImageDetails): ResolvedImage {
  return {
    imageId: details.Id,
    baseImageId: details.Id,
    volumes: Object.keys(details.Config.Volumes ?? {}),
    command: commandOf(details.Config.Cmd),
    environment: environmentOf(details.Config.Env ?? []),
  };
}

function commandOf(command: string | string[] | undefined): readonly string[] {
  return typeof command === "string" ? [command] : (command ?? []);
}
