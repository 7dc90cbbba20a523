import { HttpFailure } from "./http-failure.ts";

/** Bounds of a whole number, both included. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** One product and how many of it. */
export interface WantedLine {
  readonly sku: string;
  readonly quantity: number;
}

const SKU = /^P-\d{6}$/;
/** Lines of one order. */
export const LINES_MAX = 20;
const QUANTITY: Bounds = { min: 1, max: 100 };

/** A member of a JSON body. @throws HttpFailure 400 when the body is not an object */
export function memberOf(body: unknown, name: string): unknown {
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw invalid("the body must be a JSON object");
  return Object.entries(body).find(([key]) => key === name)?.[1];
}

/** @throws HttpFailure 400 naming the field and its bounds */
export function wholeNumber(value: unknown, field: string, bounds: Bounds): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= bounds.min && value <= bounds.max) return value;
  throw invalid(`${field} must be a whole number from ${bounds.min} to ${bounds.max}`);
}

/** Like `wholeNumber`, from the text of a query or a path. */
export function wholeNumberText(text: string, field: string, bounds: Bounds): number {
  return wholeNumber(/^\d{1,9}$/.test(text) ? Number(text) : undefined, field, bounds);
}

/**
 * The lines of `{ lines: [{ sku, quantity }] }`, 1 to 20, no product twice.
 * @throws HttpFailure 400 saying what is wrong
 */
export function wantedLines(body: unknown): readonly WantedLine[] {
  const lines: unknown = memberOf(body, "lines");
  if (!Array.isArray(lines) || lines.length < 1 || lines.length > LINES_MAX) {
    throw invalid(`lines must be a list of 1 to ${LINES_MAX}`);
  }
  const wanted = lines.map((line: unknown) => ({
    sku: skuOf(memberOf(line, "sku")),
    quantity: wholeNumber(memberOf(line, "quantity"), "quantity", QUANTITY),
  }));
  if (new Set(wanted.map((line) => line.sku)).size < wanted.length) throw invalid("a product may appear only once");
  return wanted;
}

function skuOf(value: unknown): string {
  if (typeof value === "string" && SKU.test(value)) return value;
  throw invalid('sku must look like "P-000042"');
}

function invalid(message: string): HttpFailure {
  return new HttpFailure(400, "invalid_request", message);
}
