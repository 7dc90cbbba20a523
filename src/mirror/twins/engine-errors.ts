import { CanaryError, messageOf } from "../../core/errors.ts";

interface KnownTrouble {
  readonly pattern: RegExp;
  readonly what: string;
  readonly hint: string;
}

const ENGINE_GONE = "the container engine does not answer";

/** What engines say, in the words of people who have to do something about it; first match wins. */
const KNOWN_TROUBLES: readonly KnownTrouble[] = [
  {
    pattern: /^no answer within/,
    what: "the container engine hangs",
    hint: "Restart it; `canary doctor --fix` then removes what this run could not.",
  },
  {
    pattern: /no space left on device/i,
    what: "the engine's disk is full",
    hint: "Free space (`docker system df` shows what holds it), then run again.",
  },
  {
    pattern: /address pool|pool overlaps/i,
    what: "the engine has no free address range",
    hint: "Networks of dead runs are removed by `canary doctor --fix`; `docker network ls` shows the others.",
  },
  {
    pattern: /no such image|manifest unknown|pull access denied/i,
    what: "an image is missing",
    hint: "`canary doctor --fix` pulls or builds what is missing.",
  },
  {
    pattern: /port is already allocated|address already in use/i,
    what: "a loopback port was taken by someone else",
    hint: "Run again: ports are chosen anew.",
  },
  {
    pattern: /requested cpus are not available/i,
    what: "the engine does not own the cores of this machine",
    hint: "Run on a machine whose engine may use all its cores, or with fewer cores granted to it.",
  },
  {
    pattern: /no such container|is not running|is restarting/i,
    what: "a container of the twin is gone",
    hint: "Something outside the run stopped or removed it; run again.",
  },
  {
    pattern: /mounts denied|bind source path does not exist/i,
    what: "the engine cannot see a mounted file",
    hint: "The mirror's folder must be visible to the engine under the same path.",
  },
  {
    pattern: /ECONNREFUSED|ENOENT|ECONNRESET|EPIPE|EACCES|socket hang up|container runtime strategy|connect E/i,
    what: ENGINE_GONE,
    hint: "Start it (`canary doctor --fix` tries to), check DOCKER_HOST and that this user may talk to it.",
  },
];

/** Turns anything an engine call threw into MIRROR_UNAVAILABLE with a hint; a CanaryError passes unchanged. */
export function engineError(cause: unknown, doing: string): CanaryError {
  if (cause instanceof CanaryError) return cause;
  const text = messageOf(cause);
  const trouble = KNOWN_TROUBLES.find((known) => known.pattern.test(text));
  return new CanaryError({
    code: "MIRROR_UNAVAILABLE",
    message: `${doing}: ${trouble?.what ?? "the engine refused"} (${shortened(text)})`,
    hint: trouble?.hint ?? "`canary doctor` checks the engine; its own log says more.",
    cause,
  });
}

/** True for an `engineError` that says that there is no engine to talk to any more. */
export function isEngineGone(failure: CanaryError): boolean {
  return failure.message.includes(ENGINE_GONE);
}

/** True when an engine call was given up on because no answer came. */
export function isHang(cause: unknown): boolean {
  return /no answer within/.test(messageOf(cause));
}

/** True when the engine says that the thing is already gone or already being removed. */
export function isGone(cause: unknown): boolean {
  return /no such (container|network|volume|image)|not found|already in progress/i.test(messageOf(cause));
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
}
