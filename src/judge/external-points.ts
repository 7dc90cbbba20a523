// Series that somebody else measured: values of a control and an experiment over time, of which nothing is known but
// what stands in the file. Whatever stands there, the answer is defined.

/** One row: a moment and a value of each side; NaN where one is missing. */
export interface ExternalPoint {
  /** Ms on any axis; absent when the file has no time, and rows are moments in their order. */
  readonly atMs?: number;
  readonly control: number;
  readonly experiment: number;
  /** `other`: neither before the change nor judged after it, e.g. while it was made. Absent: not told. */
  readonly phase?: "before" | "after" | "other";
}

/** Rows in order of time on one grid, or why there is none. */
export type OrderedPoints =
  | {
      readonly kind: "ordered";
      readonly points: readonly ExternalPoint[];
      /** Distance of neighbours, ms; undefined when rows are all there is. */
      readonly stepMs: number | undefined;
      readonly notes: readonly string[];
    }
  | { readonly kind: "broken"; readonly why: string };

/** Neighbours that are closer than this share of the usual step do not lie on one grid. */
const TOO_CLOSE = 0.5;
/** Share of such neighbours beyond which a clock that ran backwards is believed to have stepped. */
const TOO_CLOSE_SHARE = 0.05;

/** Sorts rows, drops repeats, finds the step; tells rows that were shuffled from a clock that stepped. */
export function orderPoints(rows: readonly ExternalPoint[]): OrderedPoints {
  if (rows.every((row) => row.atMs === undefined)) {
    return { kind: "ordered", points: rows, stepMs: undefined, notes: [] };
  }
  const timed = rows.filter((row) => Number.isFinite(row.atMs));
  const untimed = rows.length - timed.length;
  const backwards = timed.filter((row, i) => i > 0 && timeOf(row) < timeOf(timed[i - 1])).length;
  const sorted = backwards === 0 ? timed : timed.toSorted((a, b) => timeOf(a) - timeOf(b));
  const points = sorted.filter((row, i) => i === 0 || !isRepeat(row, sorted[i - 1]));
  const conflicts = points.filter((row, i) => i > 0 && timeOf(row) === timeOf(points[i - 1])).length;
  if (conflicts > 0)
    return broken(`${conflicts} moments have two different values, and which of them is right is not known`);
  const steps = points.slice(1).map((row, i) => timeOf(row) - timeOf(points[i]));
  const stepMs = median(steps);
  const close = steps.filter((step) => step < TOO_CLOSE * stepMs).length;
  if (backwards > 0 && close > TOO_CLOSE_SHARE * steps.length) {
    return broken(`time runs backwards ${backwards} times and the rows fit no grid: a clock stepped`);
  }
  const repeats = sorted.length - points.length;
  return {
    kind: "ordered",
    points,
    stepMs: Number.isFinite(stepMs) ? stepMs : undefined,
    notes: [
      ...(untimed > 0 ? [`${untimed} rows without a readable time were left out`] : []),
      ...(backwards > 0 ? ["rows were not in order of time and were sorted"] : []),
      ...(repeats > 0 ? [`${repeats} rows that repeat another were left out`] : []),
    ],
  };
}

/** Consecutive points as one block each; a side's value is the mean over the points that both sides have. */
export interface ExternalBlocks {
  readonly control: readonly number[];
  readonly experiment: readonly number[];
  /** Blocks of which more than a third is missing. */
  readonly invalid: number;
}

/** A block stands while no more than a third of it is missing, as in a run. */
const BLOCK_SHARE_MIN = 2 / 3;

/** Cuts one phase into blocks of so many points from its first moment on; what does not fill a block is left. */
export function cutBlocks(
  points: readonly ExternalPoint[],
  stepMs: number | undefined,
  perBlock: number,
): ExternalBlocks {
  // By number, not in a list: a gap of years between two rows must not fill memory with empty blocks.
  const cells = new Map<number, { control: number; experiment: number; count: number }>();
  const firstMs = timeOf(points[0]);
  const position = (point: ExternalPoint | undefined, row: number): number =>
    stepMs === undefined ? row : Math.round((timeOf(point) - firstMs) / stepMs);
  for (const [row, point] of points.entries()) {
    if (!isWhole(point)) continue;
    const at = Math.floor(position(point, row) / perBlock);
    const cell = cells.get(at) ?? { control: 0, experiment: 0, count: 0 };
    cell.control += point.control;
    cell.experiment += point.experiment;
    cell.count += 1;
    cells.set(at, cell);
  }
  const length = points.length === 0 ? 0 : position(points.at(-1), points.length - 1) + 1;
  const whole = Math.floor(length / perBlock);
  const valid = [...cells].flatMap(([at, cell]) =>
    at < whole && cell.count >= BLOCK_SHARE_MIN * perBlock ? [cell] : [],
  );
  return {
    control: valid.map((cell) => cell.control / cell.count),
    experiment: valid.map((cell) => cell.experiment / cell.count),
    invalid: whole - valid.length,
  };
}

/** Both sides have a number here. */
export function isWhole({ control, experiment }: ExternalPoint): boolean {
  return Number.isFinite(control) && Number.isFinite(experiment);
}

function isRepeat(row: ExternalPoint, earlier: ExternalPoint | undefined): boolean {
  return (
    earlier !== undefined &&
    row.atMs === earlier.atMs &&
    Object.is(row.control, earlier.control) &&
    Object.is(row.experiment, earlier.experiment)
  );
}

function timeOf(row: ExternalPoint | undefined): number {
  return row?.atMs ?? 0;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function broken(why: string): OrderedPoints {
  return { kind: "broken", why };
}
