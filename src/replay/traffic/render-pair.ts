import type { Role } from "../../mirror/twin.ts";
import type { CapturedPair, CapturePlan, CapturePool } from "./captured-values.ts";
import type { Call, Message } from "./compile-call.ts";
import { DRAW, type RequestRandom } from "./request-random.ts";
import type { RenderContext, Scalar } from "./template.ts";

/** What each twin is sent; `undefined` where a value it needs was never captured on that twin (outcome `blocked`). */
export type RenderedPair = Readonly<Record<Role, Message | undefined>>;

/** Renders requests of a run. */
export type RenderPair = (call: Call, sequence: number) => RenderedPair;

/**
 * Renders each request for both twins: equal byte for byte, except that a captured value is each twin's own answer to
 * one and the same earlier request. A value missing on one twin blocks that twin's request and never the other's.
 */
export function startRendering(options: {
  readonly captures: CapturePlan;
  readonly pools: readonly CapturePool[];
  readonly random: RequestRandom;
}): RenderPair {
  const { captures, pools, random } = options;
  const picks: (CapturedPair | undefined)[] = pools.map(() => undefined);
  let role: Role = "control";
  const taken = (name: string): Scalar | undefined => picks[captures.poolOfName.get(name) ?? -1]?.[role].get(name);
  const context = { sequence: 0, random: random.next, captured: (name: string): Scalar => taken(name) ?? "" };

  const renderFor = (call: Call, wanted: Role): Message | undefined => {
    role = wanted;
    for (const name of call.message.captures) if (taken(name) === undefined) return undefined;
    // From the start of the stream again: what is drawn must be the same on both twins.
    random.at(context.sequence, DRAW.content);
    return call.message.render(context satisfies RenderContext);
  };
  return (call, sequence) => {
    context.sequence = sequence;
    if (call.message.captures.length === 0) {
      const shared = renderFor(call, "control");
      return { control: shared, shadow: shared };
    }
    random.at(sequence, DRAW.captured);
    for (const [index, pool] of pools.entries()) picks[index] = pool.pick(random.next());
    return { control: renderFor(call, "control"), shadow: renderFor(call, "shadow") };
  };
}
