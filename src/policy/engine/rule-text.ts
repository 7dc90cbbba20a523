import type { PolicyReason } from "./question.ts";
import type { Fact, RuleRequest } from "./rule-context.ts";

/** What a rule says of itself: its annotations. */
export interface RuleText {
  readonly id: string;
  readonly effect: "permit" | "forbid";
  /** With {names} of facts in it. */
  readonly message: string;
  readonly remedy: string;
}

const PLACE = /\{([^{}]*)\}/g;
/** Of a list in a message; the rest is counted. */
const SHOWN_MAX = 10;

/** What is wrong with the texts of a rule. @param facts - names such as `plan.tier` */
export function templateProblems(rule: RuleText, facts: ReadonlySet<string>): readonly string[] {
  const named = [...`${rule.message}${rule.remedy}`.matchAll(PLACE)].map(([, name = ""]) => name);
  return [
    ...(/^[a-z][a-z0-9-]{0,62}$/.test(rule.id)
      ? []
      : [`the id ${rule.id} is not lower-case letters, digits and dashes`]),
    ...named
      .filter((name) => name !== "principal" && name !== "resource" && !facts.has(name))
      .map((name) => `rule ${rule.id} shows {${name}}, which is no fact`),
  ];
}

/** The reason of a rule that refused, with the facts of this request in its words. */
export function refusalOf({ id, message, remedy }: RuleText, request: RuleRequest): PolicyReason {
  // Replaced in one pass: what a fact contains is never looked at for names again.
  const filled = (text: string): string => text.replaceAll(PLACE, (_whole, name: string) => wordsOf(name, request));
  return { rule: id, message: filled(message), remedy: filled(remedy) };
}

function wordsOf(name: string, { principal, resource, context }: RuleRequest): string {
  if (name === "principal") return principal.id;
  if (name === "resource") return resource.id;
  const [group = "", fact = ""] = name.split(".");
  const facts = Object.entries(context).find(([key]) => key === group)?.[1] ?? {};
  const found = Object.entries(facts).find(([key]) => key === fact)?.[1];
  return found === undefined ? "(none)" : factWords(found);
}

function factWords(fact: Fact): string {
  if (typeof fact !== "object") return String(fact);
  if (fact.length === 0) return "(none)";
  const rest = fact.length > SHOWN_MAX ? `; and ${fact.length - SHOWN_MAX} more` : "";
  return `${fact.slice(0, SHOWN_MAX).join("; ")}${rest}`;
}
