import { readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { CanaryError, messageOf } from "../../core/errors.ts";
import { sha256Hex } from "../../core/sha256.ts";
import type { MirrorSpec } from "../mirror-spec.ts";
import { readPrivateText } from "../private-file.ts";
import type { Role } from "../twin.ts";
import type { ResolvedImage } from "./container-options.ts";
import { KEPT_FILES } from "./kept-runs.ts";

const Text = z.string().min(1).max(1000);
const Subnet = z.strictObject({ cidr: Text, gateway: Text, ingress: Text, prefix: Text });
const Network = z.strictObject({ name: Text, subnet: Subnet });
const Ports = z.array(z.number().int().min(1).max(65_535)).max(10_000);
const Listener = z.strictObject({ host: Text, port: z.number().int().min(1).max(65_535) });
const perRole = <T extends z.ZodType>(schema: T) => z.strictObject({ control: schema, shadow: schema });

const Image = z.looseObject({
  imageId: Text,
  baseImageId: Text,
  volumes: z.array(z.string()),
  command: z.array(z.string()),
  environment: z.record(z.string(), z.string()),
  preparedDataDir: z.string().exactOptional(),
});

/** Everything that another process needs to take hold of raised twins; our own file, read back by ourselves only. */
const AttachmentSchema = z.strictObject({
  schema: z.literal("canary.twins/v1"),
  runId: Text,
  isolation: z.enum(["strict", "standard"]),
  spec: z.custom<MirrorSpec>((value) => z.looseObject({ services: z.array(z.unknown()) }).safeParse(value).success),
  cores: z.union([
    z.strictObject({ kind: z.literal("pinned"), control: Text, shadow: Text }),
    z.strictObject({ kind: z.literal("shared") }),
  ]),
  networks: z.strictObject({ control: Network, shadow: Network, front: Network.exactOptional() }),
  ports: perRole(Ports),
  stubs: perRole(Listener).exactOptional(),
  images: z.record(z.string(), Image),
  /** SHA-256 of the modules that answer for third parties, by path: they are code, which the next process runs. */
  handlers: z.record(z.string(), Text),
});
export type Attachment = z.infer<typeof AttachmentSchema>;

/** All of it but what is read from files when it is saved. */
type UnsavedAttachment = Omit<Attachment, "handlers">;

/** What another process needs to take hold of these twins. */
export function attachmentOf(
  { runId, spec, isolation }: Pick<Attachment, "runId" | "spec" | "isolation">,
  raised: {
    readonly images: { readonly byService: ReadonlyMap<string, ResolvedImage> };
    readonly twins: readonly { readonly stubs?: { readonly host: string; readonly port: number } }[];
    readonly cores: Attachment["cores"];
    readonly networks: Attachment["networks"];
    readonly ports: Readonly<Record<Role, readonly number[]>>;
  },
): UnsavedAttachment {
  const { images, twins, cores, networks, ports } = raised;
  const [control, shadow] = twins.map(({ stubs }) => stubs && { host: stubs.host, port: stubs.port });
  return {
    schema: "canary.twins/v1",
    runId,
    isolation,
    spec,
    cores,
    networks,
    ports: { control: [...ports.control], shadow: [...ports.shadow] },
    ...(control === undefined || shadow === undefined ? {} : { stubs: { control, shadow } }),
    images: Object.fromEntries([...images.byService].map(([service, image]) => [service, plainImage(image)])),
  };
}

function plainImage(image: ResolvedImage): Attachment["images"][string] {
  return { ...image, volumes: [...image.volumes], command: [...image.command], environment: { ...image.environment } };
}

/** Writes it into a run's folder, whole or not at all; it holds the stores' passwords, so only its owner may read it. */
export async function saveAttachment(folder: string, attachment: UnsavedAttachment): Promise<void> {
  const file = path.join(folder, KEPT_FILES.twins);
  const whole: Attachment = { ...attachment, handlers: await handlersOf(attachment.spec) };
  await writeFile(`${file}.partial`, `${JSON.stringify(whole)}\n`, { mode: 0o600 });
  await rename(`${file}.partial`, file);
}

async function handlersOf({ stubs }: Pick<MirrorSpec, "stubs">): Promise<Attachment["handlers"]> {
  const digests = stubs.map(async ({ handlersPath }) => [
    handlersPath,
    sha256Hex(await readFile(handlersPath, "utf8")),
  ]);
  return Object.fromEntries(await Promise.all(digests));
}

/**
 * @throws CanaryError MIRROR_UNAVAILABLE when the file is missing, damaged or not this user's alone, or when the code of a stub is
 * not the one that the run was raised with
 */
export async function loadAttachment(folder: string): Promise<Attachment> {
  try {
    const { text } = await readPrivateText(path.join(folder, KEPT_FILES.twins));
    const attachment = AttachmentSchema.parse(JSON.parse(text));
    for (const [file, digest] of Object.entries(await handlersOf(attachment.spec)))
      if (attachment.handlers[file] !== digest) throw new Error(`${file} is not what the run was raised with`);
    return attachment;
  } catch (cause) {
    throw new CanaryError({
      code: "MIRROR_UNAVAILABLE",
      message: `the twins of ${path.basename(folder)} can not be taken hold of again: ${messageOf(cause)}`,
      hint: "Their rollback stays unfinished; `canary doctor` removes them.",
      cause,
    });
  }
}
