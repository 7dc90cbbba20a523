import { sha256Hex } from "../../core/sha256.ts";
import type { StepContext } from "./step-result.ts";

/** Who acts, in the words of those who are asked: so that what an action causes is told from what the traffic causes. */
export interface ActionIdentity {
  /** `<run>/<action>`. */
  readonly name: string;
  /** W3C Trace Context, one trace for each action and one span for each of its act and undo; lower-case names. */
  readonly headers: Readonly<Record<"traceparent" | "x-canary-action", string>>;
  /** `canary/<run>/<action>`: what connections are called. */
  readonly connection: string;
  /** Variables of a program that acts: PostgreSQL's clients take the first one for the name of their connection. */
  readonly environment: Readonly<Record<"PGAPPNAME" | "TRACEPARENT" | "CANARY_ACTION", string>>;
}

/** Sampled, so that a tracing backend keeps it. Never all zeros, as the standard demands: it comes from a digest. */
const FLAGS = "01";

/** The identity of a step; equal for equal runs, actions and phases. */
export function actionIdentity({ runId = "rehearsal", actionId, phase = "act" }: IdentityParts): ActionIdentity {
  const name = `${runId}/${actionId}`;
  const traceId = sha256Hex(`trace ${name}`).slice(0, 32);
  const spanId = sha256Hex(`span ${name} ${phase}`).slice(0, 16);
  const traceparent = `00-${traceId}-${spanId}-${FLAGS}`;
  const connection = `canary/${name}`;
  return {
    name,
    headers: { traceparent, "x-canary-action": name },
    connection,
    environment: { PGAPPNAME: connection, TRACEPARENT: traceparent, CANARY_ACTION: name },
  };
}

type IdentityParts = Pick<StepContext, "runId" | "actionId" | "phase">;
