import type { Notice, Notifier } from "../../core/notifier.ts";
import { redact } from "../../core/redact.ts";
import { isShownUndone } from "../abort-words.ts";
import type { RunEvent, RunObserver } from "../run-event.ts";
import { reasonSentence } from "../verdict-words.ts";

/** Sentences of one notice: bodies stay under the 20 kB that receivers expect. */
const REASONS_MAX = 10;
const SENTENCE_CHARS_MAX = 500;

/** Which run a notice is about. */
export interface NoticeRun {
  readonly runId: string;
  readonly scenario: string;
  readonly plan: string;
  readonly environment: string;
}

/**
 * Turns what a run tells its observers into notices. A rollback is told with its cause: every rehearsal rolls back, and
 * whoever is paged must see whether this one was `planned`.
 */
export function noticeObserver(options: {
  readonly notifier: Notifier;
  readonly run: NoticeRun;
  readonly epochMs: () => number;
  readonly newId: () => string;
}): RunObserver {
  const { notifier, run } = options;
  let because = "planned";
  const tell = (type: Notice["type"], data: Notice["data"]): void =>
    notifier.notify({ type, id: options.newId(), atEpochMs: options.epochMs(), data: { ...run, ...data } });
  return (event) => {
    because = causeOf(event) ?? because;
    switch (event.kind) {
      case "breach":
        return tell("canary.trigger.breached", { name: event.name, message: sentence(event.message) });
      case "alarm":
        return tell("canary.trigger.breached", { name: "harm-alarm", message: sentence(event.message) });
      case "phase":
        return event.phase === "rollback" ? tell("canary.rollback.started", { because }) : undefined;
      case "rolled-back":
        return tell("canary.rollback.finished", {
          because,
          undoMs: Math.round(event.undoMs),
          landed: event.failed === undefined,
          ...(event.failed === undefined ? {} : { failed: event.failed.actionId }),
        });
      case "verdict": {
        const reasons = event.verdict.reasons.slice(0, REASONS_MAX);
        return tell("canary.verdict.published", {
          verdict: event.verdict.kind,
          reasons: reasons.map((reason) => ({ code: reason.code, message: sentence(reasonSentence(reason)) })),
          report: event.reportDir,
        });
      }
      case "aborted": {
        const { by, phase, begun, undo, state } = event.record;
        const undone = undo?.undone ?? [];
        const data = { by, phase, begun, undone, state: state.kind, shownUndone: isShownUndone(event.record) };
        return tell(by.how === "halt" ? "canary.host.halted" : "canary.run.aborted", data);
      }
      default:
        return undefined;
    }
  };
}

function causeOf(event: RunEvent): string | undefined {
  if (event.kind === "breach") return `trigger ${event.name}`;
  if (event.kind === "stopping") return `stopped by ${event.by.how}`;
  return event.kind === "alarm" ? "harm alarm" : undefined;
}

function sentence(text: string): string {
  return redact(text).slice(0, SENTENCE_CHARS_MAX);
}
