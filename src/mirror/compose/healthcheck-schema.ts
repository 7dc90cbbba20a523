import { z } from "zod";
import type { HealthcheckSpec } from "../mirror-spec.ts";
import { BooleanSchema, composeObject, DurationMsSchema, ignored, numberSchema, TextSchema } from "./compose-value.ts";
import { forward } from "./problem.ts";

const Test = z.unknown().transform((written, context): readonly string[] => {
  if (typeof written === "string") return ["CMD-SHELL", forward(TextSchema, written, context) ?? ""];
  const words = forward(z.array(TextSchema).min(1).max(100), written, context);
  if (words === undefined) return z.NEVER;
  const [form] = words;
  const isForm =
    form === "NONE" || (form === "CMD" && words.length > 1) || (form === "CMD-SHELL" && words.length === 2);
  if (isForm) return words;
  context.addIssue({ code: "custom", message: "must be a text, or a list that starts with CMD, CMD-SHELL or NONE" });
  return z.NEVER;
});

/** `healthcheck` with Docker's defaults; `disabled` for `disable: true` and the test `NONE`. */
export const HealthcheckSchema = composeObject({
  test: Test.optional(),
  interval: DurationMsSchema.default(30_000),
  timeout: DurationMsSchema.default(30_000),
  retries: numberSchema({ min: 0, max: 1000, integer: true }).default(3),
  start_period: DurationMsSchema.default(0),
  start_interval: ignored,
  disable: BooleanSchema.default(false),
}).transform((written, context): HealthcheckSpec | "disabled" => {
  const { test, interval, timeout, retries, start_period, disable } = written;
  if (disable || test?.[0] === "NONE") return "disabled";
  if (test !== undefined) {
    return { test, intervalMs: interval, timeoutMs: timeout, retries, startPeriodMs: start_period };
  }
  context.addIssue({ code: "custom", message: "needs a test; the one of an image is not changed" });
  return z.NEVER;
});
