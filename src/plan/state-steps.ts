import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import { FilePath, JsonValue, Service } from "./step-words.ts";

/** Exactly one of these says what becomes of a file. */
const FILE_CHANGES = ["patch", "jsonPatch", "mergePatch", "replace", "replaceBase64", "remove"] as const;
const FileText = z.string().max(LIMITS.fileBytesMax);
const Base64 = z.base64().max(Math.ceil(LIMITS.fileBytesMax / 3) * 4);
const Pointer = z.string().max(1000);
const JsonPatchOperation = z.discriminatedUnion("op", [
  z.strictObject({ op: z.literal(["add", "replace", "test"]), path: Pointer, value: JsonValue }),
  z.strictObject({ op: z.literal("remove"), path: Pointer }),
  z.strictObject({ op: z.literal(["move", "copy"]), from: Pointer, path: Pointer }),
]);

/** Changes one file in a volume or in the image's own file system, in every replica of a service. */
export const FileStep = z.strictObject({
  uses: z.literal("file"),
  with: z
    .strictObject({
      service: Service,
      path: FilePath,
      /** A unified diff of this one file. */
      patch: FileText.min(1).optional(),
      /** RFC 6902. The file is read as JSON and written with an indent of two spaces. */
      jsonPatch: z.array(JsonPatchOperation).min(1).max(200).optional(),
      /** RFC 7386. The file is read as JSON and written with an indent of two spaces. */
      mergePatch: JsonValue.optional(),
      /** The whole new content. */
      replace: FileText.optional(),
      /** The whole new content where it is no text. */
      replaceBase64: Base64.optional(),
      remove: z.literal(true).optional(),
      /** Who owns the file and what may be done with it, where it has to be made anew; else it keeps what it has. */
      attributes: z
        .strictObject({
          mode: z.string().regex(/^[0-7]{3,4}$/, "octal, such as 0644"),
          uid: z
            .number()
            .int()
            .min(0)
            .max(2 ** 31),
          gid: z
            .number()
            .int()
            .min(0)
            .max(2 ** 31),
        })
        .optional(),
    })
    .refine(
      (file) => FILE_CHANGES.filter((change) => file[change] !== undefined).length === 1,
      `needs exactly one of ${FILE_CHANGES.join(", ")}`,
    ),
});

const FlagValue = z.union([
  z.boolean(),
  z.string().max(LIMITS.textCharsMax),
  z.number(),
  z.record(z.string(), JsonValue),
]);

/** Changes one flag in a flagd file (JSON); every other byte of the file stays as it is. */
export const FlagStep = z.strictObject({
  uses: z.literal("flag"),
  with: z
    .strictObject({
      service: Service,
      path: FilePath,
      flag: z.string().min(1).max(200),
      state: z.literal(["ENABLED", "DISABLED"]).optional(),
      /** `null`: the application's own default. */
      defaultVariant: z.string().min(1).max(200).nullable().optional(),
      /** JSONLogic; `null` takes the rules away. */
      targeting: z.record(z.string(), JsonValue).nullable().optional(),
      variants: z.record(z.string().min(1).max(200), FlagValue).optional(),
    })
    .refine(({ service: _s, path: _p, flag: _f, ...change }) => Object.keys(change).length > 0, "changes nothing"),
});

/** Commands that would change the harness's own connection or never answer. */
const CONNECTION_COMMANDS =
  /^(?:select|auth|hello|quit|reset|client|multi|exec|discard|watch|unwatch|monitor|p?subscribe|ssubscribe|p?unsubscribe|sunsubscribe|sync|psync|shutdown|replicaof|slaveof|debug|wait|waitaof)$/i;
const Command = z
  .array(z.string().max(LIMITS.textCharsMax))
  .min(1)
  .max(200)
  .refine(
    ([verb = ""]) => verb !== "" && !CONNECTION_COMMANDS.test(verb),
    "is about the connection or the server, not about keys",
  );

/** Redis commands, one after the other on one connection; the first that is refused ends the step. */
export const RedisStep = z.strictObject({
  uses: z.literal("redis"),
  with: z
    .strictObject({
      service: Service,
      commands: z.array(Command).max(50).default([]),
      /** Keys put back as DUMP gave them; `null` removes the key. This is how the harness writes an undo. */
      restore: z
        .array(
          z.strictObject({
            key: z.string().max(LIMITS.textCharsMax),
            dumpHex: z
              .string()
              .regex(/^(?:[0-9a-f]{2})+$/)
              .max(2 * LIMITS.fileBytesMax)
              .nullable(),
            /** When the key expires, ms since the epoch; absent: never. */
            expiresAtMs: z.number().int().positive().optional(),
          }),
        )
        .max(LIMITS.undoKeysMax)
        .optional(),
      /** A command and what it must answer once the others have landed. */
      landed: z
        .strictObject({
          command: Command,
          equals: z.union([
            z.string(),
            z.number(),
            z.null(),
            z.array(z.union([z.string(), z.number(), z.null()])).max(200),
          ]),
        })
        .optional(),
    })
    .refine((redis) => redis.commands.length > 0 || redis.restore !== undefined, "has no command"),
});
