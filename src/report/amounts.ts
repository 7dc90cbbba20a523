/** `340 ms`, `12.4 s`, `3 min 20 s`, `1 h 5 min`: a duration as people say it. */
export function describeDuration(durationMs: number): string {
  if (!Number.isFinite(durationMs)) return "unknown";
  if (durationMs < 0) return `-${describeDuration(-durationMs)}`;
  if (durationMs < 999.5) return `${Math.round(durationMs)} ms`;
  if (durationMs < 59_950) return `${trimmed(durationMs / 1000, 1)} s`;
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 3600) return withRest(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const minutes = Math.round(seconds / 60);
  return withRest(Math.floor(minutes / 60), "h", minutes % 60, "min");
}

/** `4:07` or `1:04:07`: a stop-watch, for columns that must not jump. */
export function stopwatch(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000));
  const clock = `${Math.floor(seconds / 60) % 60}:${String(seconds % 60).padStart(2, "0")}`;
  return seconds < 3600 ? clock : `${Math.floor(seconds / 3600)}:${clock.padStart(5, "0")}`;
}

/** Whole seconds of UTC in ISO 8601, `2026-11-22T10:15:30Z`. */
export function utc(epochMs: number): string {
  return `${utcWithoutZone(epochMs)}Z`;
}

/** ISO 8601 without zone, the form the strict xUnit schema wants. */
export function utcWithoutZone(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 19);
}

/** A share in percent with at most two digits after the point; `0.004` is `0.4%`. */
export function percent(share: number): string {
  return `${trimmed(share * 100, share !== 0 && Math.abs(share) < 0.01 ? 2 : 1)}%`;
}

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** `1 resource`, `3 resources`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A level in its SLO's natural unit (`SloJudgement.levels.unit`): ms, fraction, bytes, or anything written after the number. */
export function describeLevel(value: number, unit: string): string {
  if (!Number.isFinite(value)) return "no data";
  if (unit === "ratio" || unit === "fraction") return percent(value);
  if (unit === "ms" && Math.abs(value) >= 1000) return describeDuration(value);
  if (unit === "bytes") return describeBytes(value);
  const rate = /^(?:per |\/ ?)(?:second|s)$/.exec(unit) !== null;
  const number = Number(value.toPrecision(3)).toLocaleString("en-US", { maximumSignificantDigits: 3 });
  return rate ? `${number}/s` : `${number} ${unit}`.trim();
}

function describeBytes(bytes: number): string {
  const power = Math.min(BYTE_UNITS.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, Math.abs(bytes))) / 10)));
  return `${trimmed(bytes / 1024 ** power, 1)} ${BYTE_UNITS[power]}`;
}

function withRest(whole: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${restUnit}`;
}

function trimmed(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
