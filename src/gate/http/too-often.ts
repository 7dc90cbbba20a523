import { type KnownCaller, problem, type Reply } from "./exchange.ts";
import type { Rate, RateLimit } from "./rate-limit.ts";
import type { Route } from "./route.ts";

/** Of callers for whom the operator names no other rate, and of everybody at one address who is nobody known. */
const RATE: Rate = { perSecond: 50, burst: 100 };
const RATE_OF_STRANGERS: Rate = { perSecond: 5, burst: 20 };
/** Senders of signed webhooks are strangers until their body is read. */
const RATE_OF_SIGNED: Rate = { perSecond: 20, burst: 50 };

/** Who asks for what. */
export interface Asking {
  readonly caller: KnownCaller | undefined;
  readonly address: string;
  /** Of the route; `none` where there is none. */
  readonly access: Route["access"] | "none";
}

/** The refusal of whoever asked too often, 429 with the seconds to wait; undefined for everybody else. */
export function tooOften(asking: Asking, limit: RateLimit): Reply | undefined {
  const [who, rate] = bucketOf(asking);
  const taken = limit.take(who, rate);
  if (taken.kind === "go") return undefined;
  const reply = problem(429, "RATE_LIMITED", "Too many requests", `ask again in ${taken.seconds} s`);
  return { ...reply, headers: { "retry-after": String(taken.seconds) } };
}

/** Strangers of one address are counted apart by what they ask for: who guesses tokens keeps no visitor and no webhook waiting. */
function bucketOf({ caller, address, access }: Asking): readonly [string, Rate] {
  if (caller !== undefined) return [`caller ${caller.name}`, caller.rate ?? RATE];
  if (access === "signed") return [`signed ${address}`, RATE_OF_SIGNED];
  return [`${access === "open" ? "visitor" : "unknown"} ${address}`, RATE_OF_STRANGERS];
}
