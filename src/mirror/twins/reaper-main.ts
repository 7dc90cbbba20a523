// Entry point of the reaper: waits for its parent, and removes the parent's run if the parent dies without saying so.
// It loads nothing but Node until then, and never removes anything without the label of that one run.
import { setTimeout as sleep } from "node:timers/promises";
import { type Owner, ownerState } from "./owner.ts";

const OWNER_POLL_MS = 250;
const RETRY_MS = 2_000;
const RETRIES_MAX = 30;
/** How often the reaper of a kept run looks whether somebody has finished it. */
const KEPT_POLL_MS = 3_000;

const [runId = "", pid = "", startTicks = "", bootId = "", folder = ""] = process.argv.slice(2);
const owner: Owner = { pid: Number(pid), startTicks: Number(startTicks), bootId };

for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
process.on("message", (message) => {
  if (message === "done") process.exit(0);
});
process.on("disconnect", () => {
  reap().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
if (runId === "" || !process.connected) process.exit(2);

/** The channel ends with the parent; what removes containers still asks whether the owner is really gone. */
async function reap(): Promise<void> {
  while ((await ownerState(owner)) === "alive") await sleep(OWNER_POLL_MS);
  await whileKept();
  for (let attempt = 0; attempt < RETRIES_MAX; attempt++) {
    try {
      const [{ openEngine }, { removeRun }] = await Promise.all([import("./engine.ts"), import("./remove-things.ts")]);
      // Twice: a call that the engine was still working on when its caller died shows its result a little later.
      await removeRun(await openEngine(), runId);
      await sleep(RETRY_MS);
      await removeRun(await openEngine(), runId);
      return;
    } catch {
      // The engine may be restarting; the next sweep is there for what outlasts a minute.
      await sleep(RETRY_MS);
    }
  }
}

/**
 * A rollback that the dead owner left unfinished is finished by the next `canary` that starts; until then, or until the time
 * for it is over, its twins stay.
 */
async function whileKept(): Promise<void> {
  if (folder === "") return;
  const { KEPT_MS, keptRun } = await import("./kept-runs.ts");
  for (let waitedMs = 0; waitedMs < KEPT_MS; waitedMs += KEPT_POLL_MS) {
    if ((await keptRun(folder)) === undefined) return;
    await sleep(KEPT_POLL_MS);
  }
}
