import { z } from "zod";
import { LIMITS } from "../../core/limits.ts";

const Service = z.string().min(1).max(63);
const Host = z.string().min(1).max(253);
const Ms = z.number().min(0).max(60_000);
const Link = {
  from: Service,
  to: Service,
  /** Needed only where `to` offers more than one port. */
  port: z.number().int().min(1).max(65_535).optional(),
};
const Bytes = z.number().int().min(0).max(1e9);
const Aim = {
  /** Which way it acts; `downstream` is from the dependency to its caller. */
  stream: z.enum(["upstream", "downstream"]).optional(),
  /** Share of connections that it meets. */
  toxicity: z.number().min(0).max(1).optional(),
};

/** Toxiproxy's catalogue, units in the names. */
export const ToxicSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("latency"), latencyMs: Ms, jitterMs: Ms.optional(), ...Aim }),
  z.strictObject({ type: z.literal("bandwidth"), kilobytesPerSecond: z.number().positive().max(1e6), ...Aim }),
  z.strictObject({ type: z.literal("slow_close"), delayMs: Ms, ...Aim }),
  z.strictObject({ type: z.literal("timeout"), timeoutMs: Ms, ...Aim }),
  z.strictObject({ type: z.literal("reset_peer"), timeoutMs: Ms, ...Aim }),
  z.strictObject({
    type: z.literal("slicer"),
    averageBytes: Bytes.min(1),
    variationBytes: Bytes.optional(),
    delayMs: Ms.optional(),
    ...Aim,
  }),
  z.strictObject({ type: z.literal("limit_data"), bytes: Bytes, ...Aim }),
  z.strictObject({ type: z.literal("down"), ...Aim }),
]);

/** One fault of a drill. */
export const FaultSchema = z.discriminatedUnion("kind", [
  /** SIGKILL; started again when the fault is lifted. */
  z.strictObject({ kind: z.literal("kill"), service: Service }),
  z.strictObject({ kind: z.literal("stop"), service: Service }),
  z.strictObject({ kind: z.literal("pause"), service: Service }),
  /** Off the twin's network; its processes go on. */
  z.strictObject({ kind: z.literal("disconnect"), service: Service }),
  z.strictObject({ kind: z.literal("cpu"), service: Service, cpus: z.number().min(0.01).max(64) }),
  z.strictObject({
    kind: z.literal("memory"),
    service: Service,
    memoryBytes: z
      .number()
      .int()
      .min(8 * 1024 * 1024),
  }),
  z.strictObject({ kind: z.literal("slow"), ...Link, latencyMs: Ms.min(1), jitterMs: Ms.default(0) }),
  /** Bytes vanish, connections stay open: what a lost route or a dropping firewall looks like. */
  z.strictObject({ kind: z.literal("cut"), ...Link }),
  /** Connections are reset at once. */
  z.strictObject({ kind: z.literal("failing"), ...Link }),
  z.strictObject({ kind: z.literal("toxic"), ...Link, toxic: ToxicSchema }),
  /** A third party answers an error or bytes that are no answer. */
  z.strictObject({
    kind: z.literal("stub"),
    host: Host,
    answer: z.union([z.number().int().min(400).max(599), z.literal("garbage")]),
  }),
]);
export type Fault = z.infer<typeof FaultSchema>;

/** What must be well again after each cell, asked through the ingress. */
export const HealthProbeSchema = z.strictObject({
  name: z.string().min(1).max(63),
  http: z.strictObject({
    service: Service,
    port: z.number().int().min(1).max(65_535),
    path: z.string().max(LIMITS.textCharsMax).startsWith("/"),
    expectStatus: z.number().int().min(100).max(599).default(200),
  }),
});
export type HealthProbe = z.infer<typeof HealthProbeSchema>;

/** The `drill` section of a scenario. */
export const DrillSchema = z.strictObject({
  /** Derived from the mirror when absent: see docs/drill.md. */
  faults: z.array(FaultSchema).min(1).max(LIMITS.drillFaultsMax).optional(),
  /** The services' own health checks when absent. */
  health: z.array(HealthProbeSchema).max(50).optional(),
  /** An action, and then its undo, may try for so long while the fault is in force. */
  holdSeconds: z.number().min(0.5).max(60).default(3),
  /** After a cell everything must be well again within this. */
  recoverSeconds: z.number().min(1).max(300).default(15),
});
export type DrillSpec = z.infer<typeof DrillSchema>;

/** A short name, unique for each different fault: the head of its column. */
export function faultName(fault: Fault): string {
  switch (fault.kind) {
    case "kill":
    case "stop":
    case "pause":
    case "disconnect":
      return `${fault.kind} ${fault.service}`;
    case "cpu":
      return `${fault.service} at ${fault.cpus} cpu`;
    case "memory":
      return `${fault.service} at ${Math.round(fault.memoryBytes / 1024 / 1024)} MiB`;
    case "slow":
      return `${wayOf(fault)} +${fault.latencyMs} ms`;
    case "cut":
      return `${wayOf(fault)} cut off`;
    case "failing":
      return `${wayOf(fault)} failing`;
    case "toxic":
      return `${wayOf(fault)} ${toxicName(fault.toxic)}`;
    case "stub":
      return `${fault.host} ${fault.answer}`;
  }
}

/** What a fault does, in a few words. */
export function faultWhat(fault: Fault): string {
  switch (fault.kind) {
    case "kill":
      return "its processes killed; started again when lifted";
    case "stop":
      return "stopped; started again when lifted";
    case "pause":
      return "its processes stand still, its connections stay open";
    case "disconnect":
      return "off the network; its processes go on";
    case "cpu":
      return "less processor time";
    case "memory":
      return "less memory";
    case "slow":
      return `answers later${fault.jitterMs === 0 ? "" : `, give or take ${fault.jitterMs} ms`}`;
    case "cut":
      return "bytes vanish, connections stay open";
    case "failing":
      return "connections are reset at once";
    case "toxic":
      return `toxic ${fault.toxic.type}, ${fault.toxic.stream ?? "downstream"}`;
    case "stub":
      return fault.answer === "garbage"
        ? "the third party answers what nobody can read"
        : "the third party answers an error";
  }
}

function wayOf({ from, to, port }: { readonly from: string; readonly to: string; readonly port?: number | undefined }) {
  return `${from}>${to}${port === undefined ? "" : `:${port}`}`;
}

function toxicName({ type, stream: _stream, toxicity: _toxicity, ...amounts }: z.infer<typeof ToxicSchema>): string {
  return [type, ...Object.values(amounts).map(String)].join(" ");
}
