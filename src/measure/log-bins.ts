/** Width of one latency bin on the log axis: 0.15%, well under the 1% that STATISTICS.md 2.1 asks for. */
export const BIN_WIDTH_LN = 0.0015;
/** 14 bits, so that a latency and the state of its request share 16. */
export const BIN_COUNT = 16_384;
/** Natural log of the lower edge of bin 0: a tenth of a microsecond; the last bin ends beyond an hour. */
const LN_LOWEST_MS = Math.log(1e-4);

/** The bin of a latency in ms (finite, >= 0); what lies beyond either end counts in the end bin. */
export function binOfMs(latencyMs: number): number {
  const bin = Math.floor((Math.log(latencyMs) - LN_LOWEST_MS) / BIN_WIDTH_LN);
  return bin < 0 ? 0 : bin >= BIN_COUNT ? BIN_COUNT - 1 : bin;
}

/** Natural log (of ms) at a fractional bin position: 12.5 is the middle of bin 12. */
export function lnAtBin(position: number): number {
  return LN_LOWEST_MS + position * BIN_WIDTH_LN;
}

/** Inverse of `lnAtBin`. */
export function binAtLn(ln: number): number {
  return (ln - LN_LOWEST_MS) / BIN_WIDTH_LN;
}
