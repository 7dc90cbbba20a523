import { z } from "zod";
import { LIMITS } from "../core/limits.ts";

const Service = z.string().regex(/^[a-z0-9][a-z0-9_.-]{0,62}$/i, "a service name");
const Text = z.string().max(LIMITS.textCharsMax);
const PlainArgument = z
  .string()
  .min(1)
  .max(LIMITS.textCharsMax)
  .refine((argument) => !/[\n\r\0]/.test(argument), "one line without control characters");

/** An HTTP request to a service of the mirror, from the harness, with what counts as landed. */
const HttpStep = z.strictObject({
  uses: z.literal("http"),
  with: z.strictObject({
    service: Service,
    port: z.number().int().min(1).max(65_535),
    method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]).default("POST"),
    path: Text.startsWith("/"),
    headers: z.record(z.string().max(200), Text).default({}),
    body: z.union([Text, z.record(z.string(), z.unknown())]).optional(),
    expectStatus: z.number().int().min(100).max(599).default(200),
  }),
});

const GrpcStep = z.strictObject({
  uses: z.literal("grpc"),
  with: z.strictObject({
    service: Service,
    port: z.number().int().min(1).max(65_535),
    proto: z.string().min(1).max(400),
    rpcService: z.string().min(1).max(200),
    method: z.string().min(1).max(200),
    message: z.record(z.string(), z.unknown()).default({}),
  }),
});

/** SQL on a state database; all statements in one transaction unless one of them cannot run in one. */
const SqlStep = z.strictObject({
  uses: z.literal("sql"),
  with: z.strictObject({
    service: Service,
    statements: z.array(z.string().min(1).max(LIMITS.textCharsMax)).min(1).max(50),
    /** A query that must return exactly one row whose first column is true once the statements have landed. */
    landed: z.string().min(1).max(LIMITS.textCharsMax).optional(),
    /** Statements such as CREATE INDEX CONCURRENTLY refuse transactions. */
    transaction: z.boolean().default(true),
  }),
});

/** A program inside a container: an argument list, never a shell line. */
const ExecStep = z.strictObject({
  uses: z.literal("exec"),
  with: z.strictObject({
    service: Service,
    argv: z.array(PlainArgument).min(1).max(100),
    expectExitCode: z.number().int().min(0).max(255).default(0),
  }),
});

const ScaleStep = z.strictObject({
  uses: z.literal("scale"),
  with: z.strictObject({ service: Service, replicas: z.number().int().min(0).max(LIMITS.replicasMax) }),
});

const UpdateStep = z.strictObject({
  uses: z.literal("update"),
  with: z
    .strictObject({
      service: Service,
      environment: z.record(z.string().max(200), z.union([Text, z.null()])).optional(),
      image: z.string().min(1).max(400).optional(),
      memoryBytes: z
        .number()
        .int()
        .min(4 * 1024 * 1024)
        .optional(),
      cpus: z.number().positive().max(64).optional(),
    })
    .refine((change) => Object.keys(change).length > 1, "changes nothing"),
});

/** What an action (or its rollback) does: `uses` names the kind, `with` its parsed arguments. */
export const ActionStepSchema = z.discriminatedUnion("uses", [
  HttpStep,
  GrpcStep,
  SqlStep,
  ExecStep,
  ScaleStep,
  UpdateStep,
]);
export type ActionStep = z.infer<typeof ActionStepSchema>;
export type ActionKind = ActionStep["uses"];
