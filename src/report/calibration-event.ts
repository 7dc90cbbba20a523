import type { Profile } from "../judge/profile.ts";

/** Stages of one round of a calibration, in order. */
export const CALIBRATION_STAGES = [
  "raise",
  "warm-up",
  "measure",
  "restart",
  "settle",
  "measure-again",
  "tear-down",
] as const;
export type CalibrationStage = (typeof CALIBRATION_STAGES)[number];

/** What a calibration tells the people who watch it, as it happens. */
export type CalibrationEvent =
  | { readonly kind: "begin"; readonly rounds: number; readonly roundMs: number }
  | { readonly kind: "stage"; readonly round: number; readonly stage: CalibrationStage; readonly expectedMs?: number }
  | { readonly kind: "note"; readonly message: string }
  | { readonly kind: "learned"; readonly profile: Profile };

/** Receives events in order; must not throw and must return quickly. */
export type CalibrationObserver = (event: CalibrationEvent) => void;
