const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

const QUANTITY = /^(\d{1,15}(?:\.\d{1,9})?|\.\d{1,9})([numkMGTP]|[KMGTP]i)?$/;

/**
 * A Kubernetes quantity as a number: bytes of memory, cores of a processor. `undefined` for what is none or has an exponent,
 * which nobody writes and the API server rewrites.
 * Source: kubernetes/apimachinery pkg/api/resource/quantity.go, grammar of `Quantity`.
 */
export function quantityOf(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) && value >= 0 ? value : undefined;
  const [, digits, suffix = ""] = (typeof value === "string" ? QUANTITY.exec(value) : null) ?? [];
  const factor = SUFFIXES[suffix];
  if (digits === undefined || factor === undefined) return undefined;
  // A thousandth is no binary fraction: 300m times 0.001 is not what 0.3 is.
  return factor < 1 ? Number(digits) / Math.round(1 / factor) : Number(digits) * factor;
}
