import { z } from "zod";
import { composeObject, ignored, numberSchema, shortOrLong, syntax, TextSchema } from "./compose-value.ts";

/** Ports of one entry that a container listens on. UDP ones are not published: nothing here sends datagrams. */
export interface ContainerPorts {
  readonly protocol: "tcp" | "udp";
  readonly ports: readonly number[];
}

const RANGE_MAX = 100;
// [host ip:][host port or range:]container port or range[/protocol]; an IPv6 address stands in brackets.
const SHORT =
  /^(?:(?:(?:\[[0-9a-f:]+\]|\d{1,3}(?:\.\d{1,3}){3}):(?:\d+(?:-\d+)?)?:)|(?:\d+(?:-\d+)?:))?(\d+(?:-\d+)?)(?:\/(tcp|udp))?$/i;

/** Container ports of a short form such as `127.0.0.1:8000-8001:80-81/tcp`; `undefined` if it is none. */
export function parseShortPort(text: string): ContainerPorts | undefined {
  const match = SHORT.exec(text);
  if (match === null) return undefined;
  const [first = Number.NaN, last = first] = (match[1] ?? "").split("-").map(Number);
  const isRange = first >= 1 && last >= first && last <= 65_535 && last - first < RANGE_MAX;
  if (!isRange) return undefined;
  return {
    protocol: match[2]?.toLowerCase() === "udp" ? "udp" : "tcp",
    ports: Array.from({ length: last - first + 1 }, (_, index) => first + index),
  };
}

const ShortPort = syntax(parseShortPort, "a port such as 8080, 8080:80 or 127.0.0.1:8080-8081:80-81/tcp");

const LongPort = composeObject({
  target: numberSchema({ min: 1, max: 65_535, integer: true }),
  published: ignored,
  host_ip: ignored,
  protocol: z.enum(["tcp", "udp"]).default("tcp"),
  mode: z.enum(["host", "ingress"]).optional(),
  name: TextSchema.optional(),
  app_protocol: TextSchema.optional(),
}).transform(({ target, protocol }): ContainerPorts => ({ protocol, ports: [target] }));

/** An entry of `ports`, short or long. */
export const PortSchema: z.ZodType<ContainerPorts> = shortOrLong(ShortPort, LongPort);

/** An entry of `expose`: a container port or range, no host part. */
export const ExposedPortSchema = syntax(
  (text) => (text.includes(":") ? undefined : parseShortPort(text)),
  "a container port such as 8080 or 8080-8085/tcp",
);
