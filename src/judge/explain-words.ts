import { describeMeasured } from "../core/delta-range.ts";
import type { Derivation, SloJudgement } from "./verdict.ts";

/** One step of a chain of reasoning: what it is about, and a sentence with its numbers. */
export interface ExplanationLine {
  readonly topic: string;
  readonly text: string;
}

/** A value of the effect scale as a delta. */
export function deltaOf(slo: SloJudgement, scale: Derivation["scale"], effect: number): string {
  return delta(slo, scale === "log" ? Math.expm1(effect) : effect);
}

/** A value of the delta scale. */
export function delta(slo: SloJudgement, value: number): string {
  return describeMeasured(value, slo.accepted.scale, slo.unit);
}

/** The size of a delta. */
export function unsigned(slo: SloJudgement, value: number): string {
  return delta(slo, value).replace("+", "");
}

/** What axis a number is on, where that is not plain. */
export function axisNote({ scale }: Derivation): string {
  return scale === "log" ? " on the log scale" : "";
}

/** A level in its natural unit. */
export function levelText(value: number, unit: string): string {
  if (unit === "fraction") return percent(value);
  return `${Number(value.toPrecision(4))} ${unit}`.trim();
}

/** A share. */
export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(4))}%`;
}

/** Enough digits to compute with. */
export function exact(value: number): string {
  return String(Number(value.toPrecision(5)));
}

/** As a sentence begins. */
export function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
