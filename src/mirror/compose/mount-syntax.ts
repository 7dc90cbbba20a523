import { z } from "zod";
import {
  BooleanSchema,
  BytesSchema,
  ContainerPathSchema,
  composeObject,
  ignored,
  NameSchema,
  oneOrMany,
  refused,
  shortOrLong,
  syntax,
  TextSchema,
} from "./compose-value.ts";
import { forward } from "./problem.ts";
import { parseBytes } from "./quantities.ts";

/** A mount as the file says it; sources are not resolved yet. */
export type WrittenMount =
  | { readonly kind: "volume"; readonly volume: string; readonly target: string; readonly readOnly: boolean }
  | { readonly kind: "anonymous"; readonly target: string; readonly readOnly: boolean }
  | { readonly kind: "bind"; readonly source: string; readonly target: string; readonly readOnly: boolean }
  | { readonly kind: "tmpfs"; readonly target: string; readonly sizeBytes?: number };

const MODES = ["ro", "rw", "z", "Z", "cached", "delegated", "consistent", "nocopy"];

/** A short form `[source:]target[:mode]`; a source that starts like a path is a bind mount. `undefined` if it is none. */
export function parseShortMount(text: string): WrittenMount | undefined {
  const parts = text.split(":");
  const modes = parts.length === 3 ? (parts.pop() ?? "").split(",") : [];
  const [first = "", second] = parts;
  const target = second ?? first;
  if (parts.length > 2 || !target.startsWith("/") || modes.some((mode) => !MODES.includes(mode))) return undefined;
  const readOnly = modes.includes("ro");
  if (second === undefined) return { kind: "anonymous", target, readOnly };
  if (/^[./~]/.test(first)) return { kind: "bind", source: first, target, readOnly };
  return NameSchema.safeParse(first).success ? { kind: "volume", volume: first, target, readOnly } : undefined;
}

const ShortMount = syntax(parseShortMount, "a mount such as data:/var/lib/data or ./file:/etc/file:ro");

const Common = { target: ContainerPathSchema, read_only: BooleanSchema.default(false), consistency: ignored };

const LongVolume = composeObject({
  type: z.literal("volume"),
  source: NameSchema.optional(),
  ...Common,
  volume: composeObject({ nocopy: ignored }).optional(),
}).transform(
  ({ source, target, read_only }): WrittenMount =>
    source === undefined
      ? { kind: "anonymous", target, readOnly: read_only }
      : { kind: "volume", volume: source, target, readOnly: read_only },
);

const LongBind = composeObject({
  type: z.literal("bind"),
  source: TextSchema,
  ...Common,
  bind: composeObject({
    create_host_path: ignored,
    selinux: ignored,
    propagation: refused("would let mounts of the container appear on this machine", "rprivate", "private"),
  }).optional(),
}).transform(({ source, target, read_only }): WrittenMount => ({ kind: "bind", source, target, readOnly: read_only }));

const LongTmpfs = composeObject({
  type: z.literal("tmpfs"),
  ...Common,
  tmpfs: composeObject({ size: BytesSchema.optional(), mode: ignored }).optional(),
}).transform(({ target, tmpfs }): WrittenMount => {
  return { kind: "tmpfs", target, ...(tmpfs?.size === undefined ? {} : { sizeBytes: tmpfs.size }) };
});

const LONG_BY_TYPE: Readonly<Record<string, z.ZodType<WrittenMount>>> = {
  volume: LongVolume,
  bind: LongBind,
  tmpfs: LongTmpfs,
};

const LongMount = z.looseObject({ type: z.string() }).transform((written, context): WrittenMount => {
  const schema = LONG_BY_TYPE[written.type];
  if (schema !== undefined) return forward(schema, written, context) ?? z.NEVER;
  context.addIssue({ code: "custom", path: ["type"], message: `"${written.type}" is not volume, bind or tmpfs` });
  return z.NEVER;
});

/** An entry of `volumes`, short or long. */
export const MountSchema: z.ZodType<WrittenMount> = shortOrLong(ShortMount, LongMount);

/** The key `tmpfs`: one or many `path[:options]`, of which `size` counts. */
export const TmpfsSchema = oneOrMany(
  syntax((text): WrittenMount | undefined => {
    const [target = "", options = "", ...rest] = text.split(":");
    if (!target.startsWith("/") || rest.length > 0) return undefined;
    const size = /(?:^|,)size=([^,]+)/.exec(options)?.[1];
    if (size === undefined) return { kind: "tmpfs", target };
    const sizeBytes = parseBytes(size);
    return sizeBytes === undefined ? undefined : { kind: "tmpfs", target, sizeBytes };
  }, "a path such as /run or /run:size=64m"),
);
