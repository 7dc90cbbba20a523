import type { Verdict } from "../judge/verdict.ts";
import { plainText } from "./plain-text.ts";

/**
 * GitHub's runner obeys lines of a step's output that begin with `::` and the older `##[` anywhere in a line.
 * Breaks both apart in text that others wrote, so that a plan cannot set an output or mask a secret.
 */
export function withoutWorkflowCommands(text: string): string {
  return text.replace(/^(\s*):(?=:)/gm, "$1: ").replaceAll("##[", "## [");
}

/** One annotation line for the verdict: red on reject, yellow on hold, a notice on promote (FORMATS.md 11.3). */
export function verdictAnnotation(verdict: Verdict, planName: string): string {
  const level = { promote: "notice", hold: "warning", reject: "error" }[verdict.kind];
  const title = escapeProperty(`canary ${verdict.kind}: ${plainText(planName)}`);
  const message = escapeData(verdict.reasons.map((reason) => plainText(reason.message)).join("\n"));
  return `::${level} title=${title}::${message}`;
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
