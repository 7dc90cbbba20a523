import type { ArmColumns, PairBatch } from "../../../src/replay/recording.ts";

/** Columns of one batch that are filled again and again. */
export interface Columns {
  readonly clear: () => void;
  readonly push: (
    sequence: number,
    atMs: number,
    lateMs: number,
    controlMs: number,
    shadowMs: number,
    failed: number,
  ) => void;
  /** What was pushed since the last `clear`, in the same memory. */
  readonly filled: () => PairBatch;
}

/** Room for the busiest second. @throws RangeError when a second has more, which never happens at these rates */
export function createColumns(ratePerSecond: number): Columns {
  const capacity = 100 + 4 * ratePerSecond;
  const sequence = new Uint32Array(capacity);
  const intendedMs = new Float64Array(capacity);
  const route = new Uint16Array(capacity);
  const control = armColumns(capacity);
  const shadow = armColumns(capacity);
  let size = 0;
  const push: Columns["push"] = (number, atMs, lateMs, controlMs, shadowMs, failed) => {
    if (size === capacity) throw new RangeError("a second has more requests than there is room for");
    sequence[size] = number;
    intendedMs[size] = atMs;
    writeArm(control, size, controlMs, (failed & 1) !== 0);
    writeArm(shadow, size, shadowMs, (failed & 2) !== 0);
    control.sendLagMs[size] = lateMs;
    shadow.sendLagMs[size] = lateMs;
    size++;
  };
  return {
    clear: () => {
      size = 0;
    },
    push,
    filled: () => ({ size, sequence, intendedMs, route, arms: { control, shadow } }),
  };
}

function armColumns(capacity: number): ArmColumns {
  return {
    outcome: new Uint8Array(capacity),
    status: new Uint16Array(capacity),
    sendLagMs: new Float32Array(capacity),
    latencyMs: new Float32Array(capacity),
    serviceMs: new Float32Array(capacity),
  };
}

function writeArm(arm: ArmColumns, at: number, latencyMs: number, isFailed: boolean): void {
  arm.outcome[at] = isFailed ? 1 : 0;
  arm.status[at] = isFailed ? 503 : 200;
  arm.latencyMs[at] = latencyMs;
  arm.serviceMs[at] = latencyMs;
}
