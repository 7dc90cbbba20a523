import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import { PullRequestStep, TicketStep } from "./proposal-steps.ts";
import { ProbeStep, QueryLogsStep, QueryMetricsStep, WaitStep } from "./reading-steps.ts";
import { RemoveStep, RestartStep, ScaleStep, UpdateStep } from "./service-steps.ts";
import { FileStep, FlagStep, RedisStep } from "./state-steps.ts";
import { Port, Service, Sql, Status, Text, UrlPath } from "./step-words.ts";

const PlainArgument = z
  .string()
  .min(1)
  .max(LIMITS.textCharsMax)
  .refine((argument) => !/[\n\r\0]/.test(argument), "one line without control characters");

/** An HTTP request to a service of the mirror, from the harness, with what counts as landed. */
export const HttpStep = z.strictObject({
  uses: z.literal("http"),
  with: z.strictObject({
    service: Service,
    port: Port,
    method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]).default("POST"),
    path: UrlPath,
    headers: z.record(z.string().max(200), Text).default({}),
    body: z.union([Text, z.record(z.string(), z.unknown())]).optional(),
    expectStatus: Status.default(200),
    /** A request to the same port that tries the change without making it; it is sent to the quiet twin first. */
    dryRun: z
      .strictObject({
        method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]).default("POST"),
        path: UrlPath,
        headers: z.record(z.string().max(200), Text).default({}),
        body: z.union([Text, z.record(z.string(), z.unknown())]).optional(),
        expectStatus: Status.default(200),
      })
      .optional(),
  }),
});

/** One unary gRPC call to a service of the mirror; it landed if the status is OK. */
export const GrpcStep = z.strictObject({
  uses: z.literal("grpc"),
  with: z.strictObject({
    service: Service,
    port: Port,
    proto: z.string().min(1).max(400),
    rpcService: z.string().min(1).max(200),
    method: z.string().min(1).max(200),
    message: z.record(z.string(), z.unknown()).default({}),
  }),
});

/** SQL on a state database; all statements in one transaction unless one of them cannot run in one. */
export const SqlStep = z.strictObject({
  uses: z.literal("sql"),
  with: z.strictObject({
    service: Service,
    statements: z.array(Sql).min(1).max(50),
    /** A query that must return exactly one row whose first column is true once the statements have landed. */
    landed: Sql.optional(),
    /** Statements such as CREATE INDEX CONCURRENTLY refuse transactions. */
    transaction: z.boolean().default(true),
  }),
});

/** A program inside a container: an argument list, never a shell line. */
export const ExecStep = z.strictObject({
  uses: z.literal("exec"),
  with: z.strictObject({
    service: Service,
    argv: z.array(PlainArgument).min(1).max(100),
    expectExitCode: z.number().int().min(0).max(255).default(0),
  }),
});

/** What an action (or its rollback) does: `uses` names the kind, `with` its parsed arguments. */
export const ActionStepSchema = z
  .discriminatedUnion("uses", [
    HttpStep,
    GrpcStep,
    SqlStep,
    ExecStep,
    ScaleStep,
    UpdateStep,
    RestartStep,
    RemoveStep,
    FileStep,
    FlagStep,
    RedisStep,
    WaitStep,
    ProbeStep,
    QueryMetricsStep,
    QueryLogsStep,
    TicketStep,
    PullRequestStep,
  ])
  // Named once in the published JSON Schema: every kind of action has a rollback of any kind.
  .meta({ id: "step" });
export type ActionStep = z.infer<typeof ActionStepSchema>;
export type ActionKind = ActionStep["uses"];
/** The step of one kind. */
export type StepOf<Kind extends ActionKind> = Extract<ActionStep, { uses: Kind }>;
