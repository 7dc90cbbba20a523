import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import { Service, Text } from "./step-words.ts";

/** Sets the number of replicas of a service. */
export const ScaleStep = z.strictObject({
  uses: z.literal("scale"),
  with: z.strictObject({ service: Service, replicas: z.number().int().min(0).max(LIMITS.replicasMax) }),
});

/** Changes environment, image or limits of a service. */
export const UpdateStep = z.strictObject({
  uses: z.literal("update"),
  with: z
    .strictObject({
      service: Service,
      environment: z.record(z.string().max(200), z.union([Text, z.null()])).optional(),
      image: z.string().min(1).max(400).optional(),
      /** `null`: no limit. */
      memoryBytes: z
        .number()
        .int()
        .min(4 * 1024 * 1024)
        .nullable()
        .optional(),
      /** `null`: no limit. */
      cpus: z.number().positive().max(64).nullable().optional(),
    })
    .refine((change) => Object.keys(change).length > 1, "changes nothing"),
});

/** Restarts every replica of a service, a few at a time; each must be ready before the next ones go. */
export const RestartStep = z.strictObject({
  uses: z.literal("restart"),
  with: z.strictObject({
    service: Service,
    /** Replicas that may be away at the same time. */
    maxUnavailable: z.number().int().min(1).max(LIMITS.replicasMax).default(1),
  }),
});

/** Takes a service away as a whole; its undo puts it back with the replicas that it had. */
export const RemoveStep = z.strictObject({
  uses: z.literal("remove"),
  with: z.strictObject({ service: Service }),
});
