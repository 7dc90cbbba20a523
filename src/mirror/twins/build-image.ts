import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { CanaryError, messageOf } from "../../core/errors.ts";
import { sha256Hex } from "../../core/sha256.ts";
import type { ImageSource } from "../mirror-spec.ts";
import { type BuildContext, contextArchive, digestOfContext, readBuildContext } from "./build-context.ts";
import { abortable, type Docker, type ImageDetails } from "./engine.ts";
import { engineError } from "./engine-errors.ts";
import { findImage } from "./find-image.ts";
import { LABEL } from "./labels.ts";
import { pruneImages } from "./prune-images.ts";
import type { RunContext } from "./run-context.ts";

type BuildSource = Extract<ImageSource, { kind: "build" }>;

/**
 * The image of a `build` section, built once per content: the tag is the digest of the context, the recipe and the ids
 * of the images it starts from, so that a changed file or a rebuilt base is a new image and nothing else is.
 * @throws CanaryError MIRROR_UNAVAILABLE with the builder's last lines
 */
export async function buildImage(
  run: RunContext,
  wanted: { readonly service: string; readonly source: BuildSource; readonly onProgress: (step: string) => void },
  signal: AbortSignal,
): Promise<ImageDetails> {
  const { source, service } = wanted;
  const context = await abortable(readBuildContext(source.contextDir, source.dockerfile), signal);
  const digest = await buildDigest(run, source, context, signal);
  const tag = `canary-build:${digest.slice(0, 24)}`;
  const known = await findImage(run, tag, signal);
  if (known !== undefined) return known;
  wanted.onProgress(`building ${service}`);
  const options = { source, context, tag, digest, builtFor: builtFor(run, source), signal };
  await run.engine.change(`building ${service}`, signal, (docker) => build(docker, options), BUILD_MS_MAX);
  await pruneImages(run, { [LABEL.builtFor]: builtFor(run, source) }, signal);
  const built = await findImage(run, tag, signal);
  if (built !== undefined) return built;
  throw engineError(new Error("the builder ended without an image"), `building ${service}`);
}

/** A build compiles and installs; beyond this its engine hangs. */
const BUILD_MS_MAX = 30 * 60_000;

/** Older images of the same section of the same mirror are superseded, whichever service asked for them. */
function builtFor(run: RunContext, source: BuildSource): string {
  const context = relative(run.spec.baseDir, source.contextDir);
  return JSON.stringify([run.spec.name, context, source.dockerfile, source.target ?? "", source.args]);
}

async function buildDigest(
  run: RunContext,
  source: BuildSource,
  context: BuildContext,
  signal: AbortSignal,
): Promise<string> {
  const recipe = await readFile(join(source.contextDir, source.dockerfile), "utf8").catch((cause: unknown) => {
    throw new CanaryError({
      code: "MIRROR_UNAVAILABLE",
      message: `the Dockerfile ${source.dockerfile} cannot be read`,
      hint: messageOf(cause),
      cause,
    });
  });
  const files = await abortable(digestOfContext(context), signal);
  const bases = [...recipe.matchAll(/^\s*FROM\s+(?:--\S+\s+)*(\S+)/gim)].map((match) => match[1] ?? "");
  const ids = await Promise.all(bases.map(async (base) => (await findImage(run, base, signal))?.Id ?? base));
  return sha256Hex(JSON.stringify([recipe, files, source.args, source.target ?? null, ids]));
}

async function build(
  docker: Docker,
  order: {
    readonly source: BuildSource;
    readonly context: BuildContext;
    readonly tag: string;
    readonly digest: string;
    readonly builtFor: string;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { source } = order;
  const stream = await docker.buildImage(contextArchive(order.context), {
    t: order.tag,
    dockerfile: source.dockerfile,
    buildargs: { ...source.args },
    labels: { [LABEL.built]: order.digest, [LABEL.builtFor]: order.builtFor },
    // Also after a failed step: the builder's own containers carry no label of ours.
    rm: true,
    forcerm: true,
    ...(source.target === undefined ? {} : { target: source.target }),
    abortSignal: order.signal,
  });
  const lines: string[] = [];
  let refusal: string | undefined;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  docker.modem.followProgress(
    stream,
    (failure: Error | null) => (failure === null ? resolve() : reject(failure)),
    (event: { stream?: string; error?: string }) => {
      // The builder reports a failed step as a line of its output; the request itself succeeds.
      refusal ??= event.error;
      lines.push(event.stream ?? event.error ?? "");
    },
  );
  const built = promise.then(() => {
    if (refusal !== undefined) throw new Error(refusal);
  });
  await built.catch((cause: unknown) => {
    const tail = lines.join("").trimEnd().split("\n").slice(-15);
    throw new CanaryError({
      code: "MIRROR_UNAVAILABLE",
      message: `building from ${source.dockerfile} failed: ${messageOf(cause).slice(0, 300)}`,
      hint: `Last lines of the builder:\n${tail.map((line) => `  ${line}`).join("\n")}`,
      cause,
    });
  });
}
