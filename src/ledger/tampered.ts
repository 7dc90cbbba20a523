import { CanaryError } from "../core/errors.ts";

/** The error for a log that contradicts itself, its signature or what it said before. */
export function tampered(message: string, cause?: unknown): CanaryError {
  return new CanaryError({
    code: "LEDGER_TAMPERED",
    message,
    hint: "Nothing is recorded or admitted until this is understood: `canary ledger verify` names every place, and the copy off this machine says what was there.",
    cause,
  });
}
