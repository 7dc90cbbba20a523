import type { MirrorSpec, ServiceSpec } from "../mirror-spec.ts";
import type { ResolvedImage } from "./container-options.ts";

/** What writes under load are told apart by: the server's log has to carry rows, not only pages. */
const LOGICAL_LOG = "wal_level=logical";
/** A log that nobody reads for long must not fill the disk; beyond it the log is lost, and that is said. */
const LOG_KEPT_AT_MOST = "max_slot_wal_keep_size=2GB";
const MAJOR_THAT_LIMITS = 13;

type Started = Pick<ServiceSpec, "name" | "command" | "entrypoint">;
type Image = Pick<ResolvedImage, "command" | "environment">;

/**
 * Settings that a database of both twins is started with beside its own. None where the mirror starts its server in a way
 * of its own or chooses the setting itself: then there is no log of who wrote what, and the run says so.
 */
export function addedSettings(spec: Pick<MirrorSpec, "state">, service: Started, image: Image): readonly string[] {
  const isDatabase = spec.state.some((store) => store.kind === "postgres" && store.service === service.name);
  const command = service.command ?? image.command;
  const plain = service.entrypoint === undefined && /^(?:-.*|(?:\S*\/)?postgres)$/.test(command[0] ?? "");
  if (!isDatabase || !plain || command.some((word) => word.includes("wal_level"))) return [];
  const limits = Number(image.environment["PG_MAJOR"]) >= MAJOR_THAT_LIMITS;
  return limits && !command.some((word) => word.includes("max_slot_wal_keep_size"))
    ? [LOGICAL_LOG, LOG_KEPT_AT_MOST]
    : [LOGICAL_LOG];
}

/** The service's command with what is added; `undefined` where the image's own is run as it is. */
export function commandWith(
  added: readonly string[],
  service: Pick<Started, "command">,
  image: Image,
): readonly string[] | undefined {
  if (added.length === 0) return service.command;
  return [...(service.command ?? image.command), ...added.flatMap((setting) => ["-c", setting])];
}

/** The command as the mirror knows it: what was added is no configuration of the mirror's. */
export function commandWithout(added: readonly string[], command: readonly string[]): readonly string[] {
  const end = added.flatMap((setting) => ["-c", setting]);
  const ends = end.length > 0 && end.every((word, index) => command[command.length - end.length + index] === word);
  return ends ? command.slice(0, command.length - end.length) : command;
}
