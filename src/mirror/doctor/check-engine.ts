import { assertNever } from "../../core/invariant.ts";
import type { EngineInfo, EngineState } from "./engine-state.ts";
import { concern, type Finding, healthy } from "./finding.ts";

/** What `scripts/setup-images.sh` provides: the images that the mirrors of this package are built on. */
export const BASE_IMAGES: readonly string[] = [
  "debian:bookworm-slim",
  "node:24-slim",
  "postgres:15",
  "redis:7",
  "haproxy:2.6",
];

/** What the set-up scripts may do here: they install on Debian and Ubuntu as root, and start a daemon as root. */
export interface SetupRights {
  readonly mayInstall: boolean;
  readonly mayStart: boolean;
}

/** Is there an engine that can run Linux containers? */
export function checkEngine(state: EngineState, rights: SetupRights): Finding {
  switch (state.kind) {
    case "answers":
      return answering(state.info);
    case "unreadable":
      return concern(
        "engine",
        "fail",
        `the container engine's description is unreadable: ${state.why}`,
        "Use Docker Engine 20.10 or newer.",
      );
    case "named-engine-silent":
      return concern(
        "engine",
        "fail",
        `the engine named by DOCKER_HOST does not answer: ${state.why}`,
        "Start it, or unset DOCKER_HOST to use one of this machine.",
      );
    case "not-permitted":
      return concern(
        "engine",
        "fail",
        `this user may not use ${state.socket}`,
        "Run as root, or have this user added to the group that owns the socket.",
      );
    case "unresponsive":
      return concern(
        "engine",
        "fail",
        `the container engine runs (pid ${state.pid}) but does not answer: ${state.why}`,
        "Wait until it has started; if it stays so, read its log and restart it.",
      );
    case "stale-pid-file":
      return startable(
        `the container engine was killed and left ${state.pidFile} (pid ${state.pid}) behind, which stops the next start`,
        rights.mayStart,
      );
    case "not-running":
      return startable("the container engine is installed but does not run", rights.mayStart);
    case "not-installed":
      return startable("there is no container engine on this machine", rights.mayInstall);
    default:
      return assertNever(state);
  }
}

function answering(info: EngineInfo): Finding {
  const what = `engine ${info.ServerVersion}, ${info.Driver}, cgroup v${info.CgroupVersion}`;
  if (info.OSType === "linux") return healthy("engine", what);
  return concern("engine", "fail", `${what} runs ${info.OSType} containers`, "Switch the engine to Linux containers.");
}

function startable(message: string, fixable: boolean): Finding {
  const hint = fixable
    ? "canary doctor --fix sets it up."
    : "Install or start Docker Engine, or set DOCKER_HOST to one that runs.";
  return { check: "engine", status: "fail", message, hint, fixable };
}

/** Are all images here that a run starts from? While no engine answers nothing is known, which does not pass. */
export function checkImages(state: EngineState, wanted: readonly string[], engine: Finding): Finding {
  if (state.kind !== "answers") {
    const hint = "See the finding about the engine first.";
    return {
      check: "images",
      status: "fail",
      message: "unknown while no container engine answers",
      hint,
      fixable: engine.fixable,
    };
  }
  const here = new Set(state.imageNames);
  const missing = wanted.filter((image) => !here.has(image));
  if (missing.length === 0) return healthy("images", `all ${wanted.length} base images are here`);
  // The set-up knows these; an image of somebody's own mirror has to be brought by its owner.
  const fixable = missing.some((image) => BASE_IMAGES.includes(image));
  const hint = fixable ? "canary doctor --fix pulls them or builds local stand-ins." : "Build or pull them.";
  return { check: "images", status: "fail", message: `missing: ${missing.join(", ")}`, hint, fixable };
}

/** Can containers be held to a share of memory and processor, and pinned to cores? */
export function checkLimits(state: EngineState): Finding {
  if (state.kind !== "answers")
    return concern(
      "limits",
      "fail",
      "unknown while no container engine answers",
      "See the finding about the engine first.",
    );
  const { MemoryLimit, CpuCfsQuota, CPUSet } = state.info;
  const absent = [
    MemoryLimit ? "" : "memory limits",
    CpuCfsQuota ? "" : "processor limits",
    CPUSet ? "" : "pinning to cores",
  ].filter((name) => name !== "");
  if (absent.length === 0) return healthy("limits", "containers can be limited and pinned");
  return concern(
    "limits",
    "warn",
    `the engine does not grant ${absent.join(", ")}`,
    "Faults and pinning that need them will be refused; a rootful engine usually grants them.",
  );
}
