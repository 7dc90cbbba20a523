import { z } from "zod";
import { BooleanSchema, composeObject, ignored, NameSchema, refused, TextSchema } from "./compose-value.ts";

const OUTSIDE = "exists outside the mirror; both twins would share it with the world";
const external = refused(OUTSIDE, false, "false");

/** A mapping of names to settings; no settings (null) is the usual case. */
function named<T>(settings: z.ZodType<T>) {
  return z
    .record(
      NameSchema,
      z.preprocess((written) => written ?? {}, settings),
    )
    .default({});
}

const Volume = composeObject({
  external,
  driver: z.literal("local", "must be local: other drivers keep data outside the mirror").optional(),
  driver_opts: refused("can mount any path of this machine"),
  name: ignored,
  labels: ignored,
});

const Network = composeObject({
  external,
  driver: z.literal("bridge", "must be bridge: a twin has one network of its own").optional(),
  driver_opts: refused("can open a way out of the twin"),
  ipam: refused("fixes addresses; two twins need different ones"),
  attachable: ignored,
  enable_ipv4: ignored,
  enable_ipv6: ignored,
  internal: BooleanSchema.optional(),
  name: ignored,
  labels: ignored,
});

const FileOfMirror = composeObject({
  external,
  file: TextSchema,
  name: ignored,
  labels: ignored,
  environment: refused("comes from outside the mirror; put an invented value into a file of its folder"),
  content: refused("is not supported: put it into a file of the mirror's folder"),
  driver: refused(OUTSIDE),
  driver_opts: refused(OUTSIDE),
  template_driver: refused(OUTSIDE),
});

/** The top of a Compose file without its services and `x-canary`. */
export const ComposeSchema = composeObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, "must be lower-case letters, digits, dashes and underscores")
    .optional(),
  version: ignored,
  volumes: named(Volume),
  networks: named(Network),
  secrets: named(FileOfMirror),
  configs: named(FileOfMirror),
  include: refused("reads other files; a mirror is one Compose file"),
  models: refused("is not supported: a mirror has only containers"),
});

export type WrittenCompose = z.output<typeof ComposeSchema>;
