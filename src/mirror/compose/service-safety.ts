// What a service may not ask for, and why. A twin must not reach this machine, the user's files or a network outside.
import { isIP } from "node:net";
import { z } from "zod";
import {
  composeObject,
  isMapping,
  KeyValuesSchema,
  numberSchema,
  refused,
  shortOrLong,
  TextSchema,
} from "./compose-value.ts";
import { forward } from "./problem.ts";

const noEffect = (what: string, ...harmless: readonly unknown[]) => refused(`is not supported: ${what}`, ...harmless);
const THIS_MACHINE = "reaches into this machine, which a rehearsal must not touch";

/** Service keys that Compose knows and a mirror refuses, each with its reason. */
export const REFUSED_SERVICE_KEYS = {
  privileged: refused(`gives the container this machine; ${THIS_MACHINE}`, false, "false"),
  network_mode: refused("would leave the twin's own network; every service joins that one"),
  pid: refused(`shares processes with others; ${THIS_MACHINE}`),
  ipc: refused(`shares memory with others; ${THIS_MACHINE}`, "private"),
  uts: refused(`shares the host name; ${THIS_MACHINE}`),
  userns_mode: refused(`changes user isolation; ${THIS_MACHINE}`),
  cgroup: refused(`changes resource isolation; ${THIS_MACHINE}`, "private"),
  cgroup_parent: refused(`changes resource isolation; ${THIS_MACHINE}`),
  devices: refused(`opens devices; ${THIS_MACHINE}`),
  device_cgroup_rules: refused(`opens devices; ${THIS_MACHINE}`),
  gpus: refused(`opens devices; ${THIS_MACHINE}`),
  use_api_socket: refused(`hands over the container engine; ${THIS_MACHINE}`, false),
  volumes_from: refused("shares volumes by container; name the volume in both services"),
  container_name: refused("can exist only once, and there are two twins; remove it, the service name is the host name"),
  external_links: refused("points at containers outside the mirror"),
  links: noEffect("every service is reachable under its name"),
  extends: noEffect("write the service out, or use YAML anchors"),
  provider: refused("is started by a program on this machine"),
  credential_spec: noEffect("credentials of this machine stay out of a mirror"),
  post_start: noEffect("start-up belongs into the image or the command"),
  pre_stop: noEffect("shut-down belongs into the image or the command"),
  runtime: noEffect("twins run with the engine's default runtime"),
  isolation: noEffect("twins run with the engine's default isolation"),
  platform: noEffect("twins run on this machine's platform"),
  dns: refused("would ask name servers outside the twin"),
  dns_opt: noEffect("names are answered inside the twin"),
  dns_search: noEffect("names are answered inside the twin"),
  domainname: noEffect("names are answered inside the twin"),
  mac_address: noEffect("addresses are chosen per twin"),
  group_add: noEffect("use `user`"),
  cpuset: noEffect("cores are given out per twin"),
  cpu_count: noEffect("use `cpus`"),
  cpu_percent: noEffect("use `cpus`"),
  cpu_period: noEffect("use `cpus`"),
  cpu_quota: noEffect("use `cpus`"),
  cpu_shares: noEffect("use `cpus`"),
  cpu_rt_period: noEffect("use `cpus`"),
  cpu_rt_runtime: noEffect("use `cpus`"),
  blkio_config: noEffect("twins share this machine's disks"),
  memswap_limit: noEffect("use `mem_limit`"),
  mem_swappiness: noEffect("use `mem_limit`"),
  oom_kill_disable: noEffect("a twin must not starve this machine", false),
  oom_score_adj: noEffect("a twin must not starve this machine"),
  storage_opt: noEffect("twins use the engine's default storage"),
  label_file: noEffect("use `labels`"),
  models: noEffect("a mirror has only containers"),
};

/** Keys of `build` that Compose knows and a mirror refuses. */
export const REFUSED_BUILD_KEYS = {
  privileged: refused(`gives the build this machine; ${THIS_MACHINE}`, false, "false"),
  network: refused(`changes the network of the build; ${THIS_MACHINE}`, "default"),
  ssh: refused("hands keys of this machine to the build"),
  secrets: refused("hands secrets of this machine to the build"),
  entitlements: refused(`lifts limits of the build; ${THIS_MACHINE}`),
  additional_contexts: refused("builds from outside the mirror's folder"),
  extra_hosts: noEffect("builds use the names of the engine"),
  dockerfile_inline: noEffect("write it to a Dockerfile"),
  isolation: noEffect("builds use the engine's default isolation"),
  platforms: noEffect("twins run on this machine's platform"),
  shm_size: noEffect("builds use the engine's default"),
  ulimits: noEffect("builds use the engine's default"),
};

// Docker's own defaults and locking memory. SYS_NICE is not among them: a twin could outrank the load generator.
const HARMLESS_CAPABILITIES = [
  "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID IPC_LOCK KILL NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT",
].flatMap((names) => names.split(" "));

/** One entry of `cap_add`, without `CAP_`. */
export const CapabilitySchema = TextSchema.transform(capabilityName).refine(
  (name) => HARMLESS_CAPABILITIES.includes(name),
  `is a capability that ${THIS_MACHINE}; harmless are ${HARMLESS_CAPABILITIES.join(", ")}`,
);

/** One entry of `cap_drop`, without `CAP_`; dropping is always safe. */
export const CapabilityDropSchema = TextSchema.transform(capabilityName).refine(
  (name) => /^[A-Z_]{2,30}$/.test(name),
  "must be the name of a capability, or ALL",
);

function capabilityName(written: string): string {
  return written.toUpperCase().replace(/^CAP_/, "");
}

/** One entry of `security_opt`: only what takes rights away. */
export const SecurityOptionSchema = TextSchema.refine(
  (option) => /^no-new-privileges(?:[:=]true)?$/.test(option),
  "may only be no-new-privileges:true; everything else weakens the isolation of the twin",
).transform(() => "no-new-privileges:true");

/** `sysctls`: those that exist once per container. */
export const SysctlsSchema = KeyValuesSchema.transform((pairs, context) => {
  for (const name of pairs.keys()) {
    if (/^(?:net\.|fs\.mqueue\.|kernel\.(?:msg|shm|sem))/.test(name)) continue;
    context.addIssue({ code: "custom", path: [name], message: `is a setting of the whole machine; ${THIS_MACHINE}` });
  }
  return Object.fromEntries([...pairs].map(([name, value]) => [name, value ?? ""]));
});

const ULIMITS = "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split(
  " ",
);
const Amount = numberSchema({ min: -1, max: 2 ** 40, integer: true });
const Ulimit = shortOrLong<{ soft: number; hard: number }>(
  Amount.transform((both) => ({ soft: both, hard: both })),
  composeObject({ soft: Amount, hard: Amount }),
);

/** `ulimits`, as a list. */
export const UlimitsSchema = z
  .partialRecord(z.enum(ULIMITS), Ulimit)
  .transform((limits) =>
    Object.entries(limits).flatMap(([name, limit]) => (limit === undefined ? [] : [{ name, ...limit }])),
  );

/** `extra_hosts` as `name:address` items. */
export const ExtraHostsSchema = z.unknown().transform((written, context): readonly string[] => {
  const items = isMapping(written)
    ? Object.entries(forward(z.record(TextSchema, TextSchema), written, context) ?? {}).map(([host, ip]) => [host, ip])
    : (forward(z.array(TextSchema).max(100), written, context) ?? []).map((item) => splitHost(item));
  for (const [host = "", address = ""] of items) {
    if (address === "host-gateway") {
      context.addIssue({ code: "custom", message: `"${host}" leads to this machine, where a twin has no business` });
    } else if (!/^[a-z0-9][\w.-]*$/i.test(host) || isIP(address) === 0) {
      context.addIssue({ code: "custom", message: `"${host}:${address}" is not a host name and an IP address` });
    }
  }
  return items.map(([host, address]) => `${host}:${address}`);
});

function splitHost(item: string): readonly string[] {
  const separator = item.search(/[=:]/);
  const address = item.slice(separator + 1).replace(/^\[(.*)\]$/, "$1");
  return separator === -1 ? [item, ""] : [item.slice(0, separator), address];
}
