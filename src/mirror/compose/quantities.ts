const MS_BY_UNIT: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};
const DURATION = /^(?:\d+(?:\.\d+)?(?:h|m|s|ms|us|µs|ns))+$/;
const BYTES = /^(\d+(?:\.\d+)?) ?(?:b|([kmgt])(?:i?b)?)?$/i;

/** Milliseconds of a Compose duration such as `1m30s` or `250ms`; `undefined` if it is none. */
export function parseDurationMs(text: string): number | undefined {
  if (text === "0") return 0;
  if (!DURATION.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([a-zµ]+)/g)];
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (MS_BY_UNIT[unit ?? ""] ?? Number.NaN), 0);
}

/** Bytes of a Compose size such as `64m`, `1.5gb` or `1024`; units are powers of 1024; `undefined` if it is none. */
export function parseBytes(text: string): number | undefined {
  const match = BYTES.exec(text);
  if (match === null) return undefined;
  const power = " kmgt".indexOf(match[2]?.toLowerCase() ?? " ");
  return Math.floor(Number(match[1]) * 1024 ** power);
}
