import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Owner } from "./owner.ts";

/** The process that cleans up after us. */
export interface Reaper {
  /** Tells it that nothing is left to remove, and it leaves. Without this it acts when we end. */
  dismiss(): void;
}

/**
 * Starts a tiny process of its own that removes everything of this run if we die without doing it.
 * It notices our death by the end of the channel between us.
 */
export function startReaper(run: { readonly runId: string; readonly owner: Owner; readonly folder?: string }): Reaper {
  const entry = import.meta.url.endsWith(".ts") ? "./reaper-main.ts" : "./reaper-main.js";
  const { pid, startTicks, bootId } = run.owner;
  const child = fork(
    fileURLToPath(new URL(entry, import.meta.url)),
    [run.runId, String(pid), String(startTicks), bootId, run.folder ?? ""],
    // Detached: a Ctrl-C in the terminal reaches the whole group, and must not reach the one who cleans up after it.
    { detached: true, stdio: ["ignore", "ignore", "ignore", "ipc"], execArgv: ["--max-old-space-size=64"] },
  );
  child.on("error", () => undefined);
  child.unref();
  child.channel?.unref();
  return {
    dismiss() {
      if (!child.connected) return;
      child.send("done", () => child.connected && child.disconnect());
    },
  };
}
