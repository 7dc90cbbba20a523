import { messageOf } from "../../core/errors.ts";
import { withMember } from "../../core/json-text.ts";
import type { StepOf } from "../../plan/action.ts";
import type { FileTarget } from "./changed-text.ts";

/**
 * What a `flag` step makes of a flagd file: the members of one flag change, every other byte stays. The result must be a
 * file that flagd's own evaluator reads without a complaint about this flag.
 */
export async function flagTarget(step: StepOf<"flag">, before: Buffer | undefined): Promise<FileTarget> {
  const { flag, path } = step.with;
  if (before === undefined) return impossible(`there is no file ${path}`);
  const present = await problemOf(before.toString("utf8"), flag, { only: "presence" });
  if (present !== undefined) return impossible(present);
  let text: string | undefined = before.toString("utf8");
  for (const [name, value] of changesOf(step)) {
    text = text === undefined ? undefined : withMember(text, ["flags", flag], name, value);
  }
  if (text === undefined) return impossible(`flag ${flag} stands in the file more than once`);
  const problem = await problemOf(text, flag, { only: "everything" });
  return problem === undefined ? { kind: "content", bytes: Buffer.from(text) } : impossible(problem);
}

function changesOf(step: StepOf<"flag">): readonly (readonly [string, unknown])[] {
  const { state, defaultVariant, targeting, variants } = step.with;
  return [
    ...(variants === undefined ? [] : [["variants", variants] as const]),
    ...(state === undefined ? [] : [["state", state] as const]),
    ...(defaultVariant === undefined ? [] : [["defaultVariant", defaultVariant] as const]),
    ...(targeting === undefined ? [] : [["targeting", targeting ?? undefined] as const]),
  ];
}

/** What flagd would object to; `undefined` where it would not. */
async function problemOf(
  text: string,
  flag: string,
  asked: { readonly only: "presence" | "everything" },
): Promise<string | undefined> {
  const { FlagdCore } = await import("@openfeature/flagd-core");
  const complaints: string[] = [];
  const hear = (...words: unknown[]): void => void complaints.push(words.map(String).join(" "));
  const logger = { debug: () => undefined, info: () => undefined, warn: hear, error: hear };
  const core = new FlagdCore(undefined, logger);
  try {
    JSON.parse(text);
  } catch (cause) {
    return `the flag file is not JSON: ${messageOf(cause)}`;
  }
  try {
    core.setConfigurations(text);
  } catch (cause) {
    return `flagd refuses the file: ${explained(text, flag) ?? messageOf(cause)}`;
  }
  const known = core.getFlag(flag);
  if (known === undefined) return `there is no flag ${flag}`;
  if (asked.only === "presence") return undefined;
  const about = complaints.find((complaint) => complaint.includes(`'${flag}'`));
  if (about !== undefined) return about;
  const answer = known.evaluate({}, logger);
  return answer.reason === "ERROR" && known.state === "ENABLED"
    ? `flag ${flag} does not evaluate: ${answer.errorMessage}`
    : undefined;
}

/** The commonest mistake in words of its own; flagd only says that something is invalid. */
function explained(text: string, flag: string): string | undefined {
  const { flags } = JSON.parse(text) as { flags?: Record<string, { variants?: object; defaultVariant?: unknown }> };
  const { variants = {}, defaultVariant } = flags?.[flag] ?? {};
  if (typeof defaultVariant !== "string" || Object.hasOwn(variants, defaultVariant)) return undefined;
  return `flag ${flag} has no variant ${defaultVariant}`;
}

function impossible(why: string): FileTarget {
  return { kind: "impossible", why };
}
