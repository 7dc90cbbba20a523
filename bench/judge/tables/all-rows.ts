import { invariant } from "../../../src/core/invariant.ts";
import type { Row } from "../row.ts";
import { ALARM_ROWS } from "./rows-alarm.ts";
import { AT_BOUND_ROWS, HARMLESS_ROWS, OVERALL_ROWS, SHORT_ROWS } from "./rows-at-bound.ts";
import { EQUAL_ERROR_ROWS, POWER_ROWS, TARGET_ROWS } from "./rows-power.ts";
import { MUST_FAIL_ROWS, RIVAL_ROWS } from "./rows-rivals.ts";
import { STUDY_ROWS } from "./rows-study.ts";
import { INTERFERENCE_ROWS, SWITCHBACK_ROWS } from "./rows-switchback.ts";

/** Every row of the bench, in the order of the page. */
export const ALL_ROWS: readonly Row[] = [
  ...MUST_FAIL_ROWS,
  ...RIVAL_ROWS,
  ...AT_BOUND_ROWS,
  ...SHORT_ROWS,
  ...HARMLESS_ROWS,
  ...OVERALL_ROWS,
  ...POWER_ROWS,
  ...TARGET_ROWS,
  ...EQUAL_ERROR_ROWS,
  ...ALARM_ROWS,
  ...STUDY_ROWS,
  ...SWITCHBACK_ROWS,
  ...INTERFERENCE_ROWS,
];

invariant(new Set(ALL_ROWS.map((row) => row.id)).size === ALL_ROWS.length, "two rows of the bench have the same id");
