/** One JSON line per event. The container engine stamps the time, so equal events are equal lines. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
}

/** Values worth keeping beside the message; never secrets or tokens. */
export type LogFields = Readonly<Record<string, string | number>>;

/** A log of `service` that hands finished lines to `write`. */
export function jsonLog(service: string, write: (line: string) => void): Log {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}): void =>
      write(`${JSON.stringify({ level, service, message, ...fields })}\n`);
  return { info: at("info"), warn: at("warn") };
}

/** The text of whatever was thrown, without its stack. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return reasonOf(thrown.errors[0]);
  return thrown instanceof Error ? thrown.message : String(thrown);
}
