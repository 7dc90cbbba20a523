import { z } from "zod";
import { LIMITS } from "../core/limits.ts";

// Words that the schemas of several kinds of steps share.

/** Name of a service of the mirror. */
export const Service = z.string().regex(/^[a-z0-9][a-z0-9_.-]{0,62}$/i, "a service name");
/** Any short text. */
export const Text = z.string().max(LIMITS.textCharsMax);
/** A TCP port inside the twin. */
export const Port = z.number().int().min(1).max(65_535);
/** Path and query of a URL, without the origin. */
export const UrlPath = Text.startsWith("/");
/** SQL text. */
export const Sql = z.string().min(1).max(LIMITS.textCharsMax);
/** An HTTP status. */
export const Status = z.number().int().min(100).max(599);
/** An absolute file inside a container, written plainly: no `..`, no empty segment, no folder. */
export const FilePath = z
  .string()
  .max(400)
  .regex(/^(?:\/[^/\0\r\n]+)+$/, "an absolute path of a file, such as /etc/app/flags.json")
  .refine((path) => !path.split("/").some((name) => name === ".." || name === "."), "without . and ..");
/** What one value of JSON can be. */
export const JsonValue = z.json();
