import type { SampledAnswer, SampledPair } from "../../src/replay/sampled-pair.ts";

/** What becomes of the bodies of one pair. */
export interface AnswerModel {
  /** Draws that decide on races; the bodies of a pair follow from its number and these. */
  readonly random: () => number;
  /** Whether the shadow answers with another price. */
  readonly changed: boolean;
}

/** Both answers of a pair in a small shop: an id of its own each, a race now and then, and a price that both know. */
export function simulatedSample(
  pair: { readonly sequence: number; readonly atMs: number; readonly route: number },
  model: AnswerModel,
): SampledPair {
  const answer = (name: string, price: number): SampledAnswer => {
    const stock = model.random() < 0.1 ? 7 : 8;
    const body = Buffer.from(JSON.stringify({ orderId: `${name}-${pair.sequence}`, price, lines: [{ stock }] }));
    return { status: 200, headers: { "content-type": "application/json" }, body, bodyBytes: body.length };
  };
  return { ...pair, answers: { control: answer("c", 10), shadow: answer("s", model.changed ? 12 : 10) } };
}

/** At most so many pairs of a route in a second. */
export function everyRouteSecond(perSecond: number): (route: number, atMs: number) => boolean {
  const taken = new Map<string, number>();
  return (route, atMs) => {
    const key = `${route} ${Math.floor(atMs / 1000)}`;
    const count = taken.get(key) ?? 0;
    taken.set(key, count + 1);
    return count < perSecond;
  };
}
