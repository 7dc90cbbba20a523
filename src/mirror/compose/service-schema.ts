import { z } from "zod";
import { LIMITS } from "../../core/limits.ts";
import {
  BooleanSchema,
  BytesSchema,
  ContainerPathSchema,
  composeObject,
  DurationMsSchema,
  ignored,
  KeyValuesSchema,
  NameSchema,
  numberSchema,
  oneOrMany,
  refused,
  shortOrLong,
  TextSchema,
  WordsSchema,
} from "./compose-value.ts";
import { HealthcheckSchema } from "./healthcheck-schema.ts";
import { MountSchema, TmpfsSchema } from "./mount-syntax.ts";
import { ExposedPortSchema, PortSchema } from "./port-syntax.ts";
import {
  CapabilityDropSchema,
  CapabilitySchema,
  ExtraHostsSchema,
  REFUSED_BUILD_KEYS,
  REFUSED_SERVICE_KEYS,
  SecurityOptionSchema,
  SysctlsSchema,
  UlimitsSchema,
} from "./service-safety.ts";

const Cpus = numberSchema({ min: 0.01, max: 64, integer: false });
const Pids = numberSchema({ min: 1, max: 100_000, integer: true });
const Replicas = numberSchema({ min: 0, max: LIMITS.replicasMax, integer: true });
const MemoryBytes = BytesSchema.refine((bytes) => bytes >= 4 * 1024 * 1024, "must be at least 4m");
const ImageReference = z.string().regex(/^[\w][\w./:@-]{0,399}$/, "must be an image reference");
const NumberOrText = z.union([TextSchema, z.number()], "must be a text or a number").transform(String);

const BuildContext = TextSchema.refine(
  (context) => !/^(?:[a-z+]+:\/\/|git@|github\.com\/)/.test(context),
  "is fetched from elsewhere; a mirror builds from its own folder only",
);

const Build = composeObject({
  context: BuildContext.default("."),
  dockerfile: TextSchema.default("Dockerfile"),
  args: KeyValuesSchema.optional(),
  target: NameSchema.optional(),
  labels: ignored,
  tags: ignored,
  cache_from: ignored,
  cache_to: ignored,
  pull: ignored,
  no_cache: ignored,
  ...REFUSED_BUILD_KEYS,
});

const Dependency = composeObject({
  condition: z
    .enum(["service_started", "service_healthy", "service_completed_successfully"])
    .default("service_started"),
  required: BooleanSchema.default(true),
  restart: ignored,
});

const EnvFile = shortOrLong(
  TextSchema.transform((path) => ({ path, required: true })),
  composeObject({ path: TextSchema, required: BooleanSchema.default(true) }),
);

const NetworkMembership = composeObject({
  aliases: z.array(NameSchema).max(20).default([]),
  priority: ignored,
  ipv4_address: refused("is an address of its own; addresses are chosen per twin"),
  ipv6_address: refused("is an address of its own; addresses are chosen per twin"),
});

const Limits = composeObject({ cpus: Cpus.optional(), memory: MemoryBytes.optional(), pids: Pids.optional() });
const Deploy = composeObject({
  mode: z.literal("replicated", "must be replicated").optional(),
  replicas: Replicas.optional(),
  resources: composeObject({
    limits: Limits.optional(),
    reservations: composeObject({
      cpus: ignored,
      memory: ignored,
      devices: refused("opens devices of this machine"),
    }).optional(),
  }).optional(),
  labels: ignored,
  endpoint_mode: ignored,
  placement: ignored,
  restart_policy: ignored,
  rollback_config: ignored,
  update_config: ignored,
});

/** A list of names, or a mapping of names to settings (null for none). */
function namesOrMapping<T>(settings: z.ZodType<T>) {
  return z.preprocess(
    (written) => {
      if (Array.isArray(written)) return Object.fromEntries(written.map((name) => [String(name), {}]));
      return mapValues(written, (value) => value ?? {});
    },
    z.record(NameSchema, settings, "must be a list of names or a mapping"),
  );
}

function mapValues(written: unknown, change: (value: unknown) => unknown): unknown {
  if (typeof written !== "object" || written === null) return written;
  return Object.fromEntries(Object.entries(written).map(([key, value]) => [key, change(value)]));
}

/** One entry of `services` as written, every syntax read; names and paths are not resolved yet. */
export const ServiceSchema = composeObject({
  image: ImageReference.optional(),
  build: shortOrLong<z.output<typeof Build>>(
    BuildContext.transform((context) => ({ context, dockerfile: "Dockerfile" })),
    Build,
  ).optional(),
  command: WordsSchema.optional(),
  entrypoint: WordsSchema.optional(),
  environment: KeyValuesSchema.optional(),
  env_file: oneOrMany(EnvFile).optional(),
  ports: z.array(PortSchema).max(100).default([]),
  expose: z.array(ExposedPortSchema).max(100).default([]),
  volumes: z.array(MountSchema).max(50).default([]),
  tmpfs: TmpfsSchema.optional(),
  shm_size: BytesSchema.optional(),
  networks: namesOrMapping(NetworkMembership).optional(),
  depends_on: namesOrMapping(Dependency).optional(),
  healthcheck: HealthcheckSchema.optional(),
  user: NumberOrText.optional(),
  working_dir: ContainerPathSchema.optional(),
  hostname: NameSchema.optional(),
  cap_add: z.array(CapabilitySchema).max(50).default([]),
  cap_drop: z.array(CapabilityDropSchema).max(50).default([]),
  security_opt: z.array(SecurityOptionSchema).max(5).default([]),
  read_only: BooleanSchema.default(false),
  ulimits: UlimitsSchema.optional(),
  sysctls: SysctlsSchema.optional(),
  init: BooleanSchema.default(false),
  stop_signal: z
    .string()
    .regex(/^[A-Z0-9+]{1,16}$/, "must be a signal such as SIGINT")
    .optional(),
  stop_grace_period: DurationMsSchema.default(10_000),
  cpus: Cpus.optional(),
  mem_limit: MemoryBytes.optional(),
  pids_limit: Pids.optional(),
  scale: Replicas.optional(),
  deploy: Deploy.optional(),
  labels: KeyValuesSchema.optional(),
  extra_hosts: ExtraHostsSchema.optional(),
  secrets: z.array(fileUse("/run/secrets/")).max(20).default([]),
  configs: z.array(fileUse("/")).max(20).default([]),
  // Profiles are handled before; the rest only matters to people who watch a terminal or keep a stack up for months.
  profiles: ignored,
  restart: ignored,
  logging: ignored,
  develop: ignored,
  pull_policy: ignored,
  mem_reservation: ignored,
  stdin_open: ignored,
  tty: ignored,
  annotations: ignored,
  ...REFUSED_SERVICE_KEYS,
});

export type WrittenService = z.output<typeof ServiceSchema>;

/** An entry of `secrets` or `configs`: a name, or a name with where it appears in the container. */
function fileUse(folder: string) {
  const inFolder = (source: string) => ({ source, target: `${folder}${source}` });
  const Long = composeObject({ source: NameSchema, target: TextSchema.optional(), mode: ignored });
  return shortOrLong(
    NameSchema.transform(inFolder),
    Long.transform(({ source, target }) => {
      if (target === undefined) return inFolder(source);
      return { source, target: target.startsWith("/") ? target : `${folder}${target}` };
    }),
  );
}
