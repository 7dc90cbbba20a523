import type { Clock } from "../../core/clock.ts";
import { invariant } from "../../core/invariant.ts";
import type { MirrorSpec } from "../../mirror/mirror-spec.ts";
import type { Twin } from "../../mirror/twin.ts";
import type { ConnectionProbe, DependencyLink, FaultSwitches, Toxic } from "../../mirror/twin-faults.ts";
import { linksOf } from "./default-faults.ts";
import type { Fault } from "./fault-spec.ts";

/** What striking and measuring a fault needs. */
export interface FaultTools {
  readonly faults: FaultSwitches;
  readonly shadow: Twin;
  readonly spec: MirrorSpec;
  readonly clock: Clock;
}

/** What was measured of a fault, in a sentence: by traffic or from inside the container, never by what was asked for. */
export interface Measured {
  readonly holds: boolean;
  readonly said: string;
}

/** First bytes of common protocols that a server answers without knowing who asks. */
const HELLO = {
  /** SSLRequest; the server answers with one byte. Source: PostgreSQL, "Message Formats". */
  postgres: Uint8Array.from([0, 0, 0, 8, 4, 210, 22, 47]),
  redis: new TextEncoder().encode("PING\r\n"),
  http: new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"),
  /** Preface and an empty SETTINGS frame; the server answers with its own. Source: RFC 9113, 3.4. */
  grpc: new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0"),
} as const;

/** How long a dependency that is well takes at most to answer its first byte on a busy machine, ms. */
export const ANSWER_MS_MAX = 1000;

/** One connection through a link, in the words of whatever listens there. */
export async function probeLink(
  tools: FaultTools,
  link: DependencyLink,
  asked: { readonly waitMs?: number; readonly silent?: boolean; readonly signal: AbortSignal },
): Promise<ConnectionProbe> {
  const hello = asked.silent === true ? new Uint8Array() : helloFor(tools.spec, link);
  return await tools.faults.probe(link, hello, { waitMs: asked.waitMs ?? ANSWER_MS_MAX, signal: asked.signal });
}

function helloFor(spec: MirrorSpec, link: DependencyLink): Uint8Array {
  const store = spec.state.find((one) => one.service === link.to && one.port === link.port);
  if (store !== undefined) return HELLO[store.kind];
  const { grpc } = spec.entry;
  return grpc?.service === link.to && grpc.port === link.port ? HELLO.grpc : HELLO.http;
}

/** The link of a fault; `faultProblems` has seen that there is exactly one. */
export function linkOf(fault: Extract<Fault, { from: string }>, faults: FaultSwitches): DependencyLink {
  const [link] = linksOf(fault, faults.links);
  invariant(link !== undefined, "the faults of a drill were checked against its links");
  return link;
}

/** What a fault on a link does to its bytes. */
export function toxicOf(fault: Extract<Fault, { from: string }>): Toxic {
  switch (fault.kind) {
    case "slow":
      return { type: "latency", latencyMs: fault.latencyMs, jitterMs: fault.jitterMs };
    case "cut":
      return { type: "timeout", timeoutMs: 0 };
    case "failing":
      return { type: "down" };
    case "toxic":
      return fault.toxic;
  }
}
