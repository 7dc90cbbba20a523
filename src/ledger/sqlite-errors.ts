import { CanaryError, messageOf } from "../core/errors.ts";
import { tampered } from "./tampered.ts";

/** Primary result codes of SQLite that mean something to a ledger (sqlite.org/rescode.html). */
const CODE = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  corrupt: 11,
  full: 13,
  canNotOpen: 14,
  constraint: 19,
  notDatabase: 26,
};

/** Whether another process is writing: worth another try. */
export function isBusy(error: unknown): boolean {
  const code = primaryCode(error);
  return code === CODE.busy || code === CODE.locked;
}

/** Whatever SQLite threw, in the words of a ledger; what is no error of SQLite passes as it is. */
export function sqliteError(thrown: unknown, file: string): unknown {
  const code = primaryCode(thrown);
  if (code === undefined) return thrown;
  const message = messageOf(thrown);
  switch (code) {
    case CODE.readOnly:
      return failure(
        "LEDGER_READ_ONLY",
        `${file} can not be written: ${message}`,
        "Look at its rights and its file system.",
        thrown,
      );
    case CODE.full:
      return failure(
        "LEDGER_FULL",
        `there is no room for ${file}: ${message}`,
        "Make room; nothing is admitted meanwhile.",
        thrown,
      );
    case CODE.busy:
    case CODE.locked:
      return failure(
        "LEDGER_SLOW",
        `${file} is held by another process: ${message}`,
        "Nothing was recorded. Try again.",
        thrown,
      );
    case CODE.corrupt:
    case CODE.notDatabase:
      return tampered(`${file} is damaged or truncated: ${message}`, thrown);
    case CODE.constraint:
      return tampered(`${file} does not fit what is appended: ${message}`, thrown);
    case CODE.canNotOpen:
      return failure(
        "LEDGER_UNAVAILABLE",
        `${file} can not be opened: ${message}`,
        "Name the ledger with --ledger or CANARY_DATABASE_URL, or bring it back: nothing is admitted meanwhile. `canary run --ledger <file>` and `canary gate serve` begin a new one.",
        thrown,
      );
    default:
      return failure(
        "LEDGER_UNAVAILABLE",
        `${file} can not be used: ${message}`,
        "Bring it back; nothing is admitted meanwhile.",
        thrown,
      );
  }
}

function primaryCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !("errcode" in thrown) || typeof thrown.errcode !== "number") return undefined;
  return thrown.errcode % 256;
}

function failure(
  code: "LEDGER_READ_ONLY" | "LEDGER_FULL" | "LEDGER_SLOW" | "LEDGER_UNAVAILABLE",
  message: string,
  hint: string,
  cause: unknown,
): CanaryError {
  return new CanaryError({ code, message, hint, cause });
}
