import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { Notice, Notifier } from "../../core/notifier.ts";
import { redact, redactDeep } from "../../core/redact.ts";

/** Delivers one notice; answers in words why not, if not. May take its time: nobody waits for it but `flush`. */
export type Deliver = (notice: Notice, signal: AbortSignal) => Promise<string | undefined>;

/** A run that has ended waits so long for what is still to be told. */
const FLUSH_MS_MAX = 15_000;
/** Notices that wait at once; a run has a few, and a receiver that is gone must not fill the memory. */
const WAITING_MAX = 200;

/** Tells every sink, each in its own order and at its own pace; trouble is told to `say`, and keeps nobody. */
export function queuedNotifier(options: {
  readonly sinks: readonly { readonly name: string; readonly deliver: Deliver }[];
  readonly clock: Clock;
  readonly say: (message: string) => void;
}): Notifier {
  const { clock, say } = options;
  const over = new AbortController();
  let waiting = 0;
  const queues = options.sinks.map((sink) => ({ ...sink, last: Promise.resolve() }));
  const deliverOne = async (queue: (typeof queues)[number], notice: Notice): Promise<void> => {
    try {
      const why = over.signal.aborted ? "the run has ended" : await queue.deliver(notice, over.signal);
      if (why !== undefined) say(`${queue.name} was not told of ${notice.type}: ${redact(why)}`);
    } catch (error) {
      say(`${queue.name} was not told of ${notice.type}: ${redact(messageOf(error))}`);
    } finally {
      waiting--;
    }
  };
  return {
    notify: (told) => {
      const notice = { ...told, data: redactDeep(told.data) };
      for (const queue of queues) {
        if (waiting >= WAITING_MAX) return say(`nobody was told of ${notice.type}: too much waits to be told`);
        waiting++;
        queue.last = queue.last.then(() => deliverOne(queue, notice));
      }
    },
    flush: async () => {
      const finished = new AbortController();
      const timer = clock.sleep(FLUSH_MS_MAX, finished.signal).then(
        () => over.abort(new Error("the run has ended")),
        () => undefined,
      );
      await Promise.all(queues.map((queue) => queue.last));
      finished.abort();
      await timer;
    },
  };
}
