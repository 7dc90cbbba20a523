import { parentPort, workerData } from "node:worker_threads";
import { type AlarmMemory, DEADLINE, hostNowMs, raiseNiceness, SET } from "./driver-clock.ts";

// Second thread of the driver's process. Timers of an event loop count whole milliseconds; a thread that waits on
// memory wakes within a tenth of one and, unlike turning the loop, leaves the cores to the twins.

const { control, deadline }: AlarmMemory = workerData;

function serve(): never {
  for (;;) {
    // Read before the deadline: if it is set again in between, the wait below returns at once.
    const seen = Atomics.load(control, SET);
    const waitMs = (deadline[DEADLINE] ?? Number.POSITIVE_INFINITY) - hostNowMs();
    if (waitMs > 0) {
      Atomics.wait(control, SET, seen, waitMs);
      continue;
    }
    parentPort?.postMessage(0);
    Atomics.wait(control, SET, seen);
  }
}

// Niceness belongs to a thread, not to the process: a nice sender woken by an ordinary alarm would be late all the same.
raiseNiceness();
serve();
