import { redact } from "../../core/redact.ts";
import { familyOf } from "./family.ts";

/** A line of output that looks like trouble, and what it has in common with others of its kind. */
export interface TroubleLine {
  readonly pattern: string;
  readonly example: string;
}

const LINE_CHARS_READ = 2_000;
const CHARS_SHOWN = 200;

const COLOURS = /\p{Cc}\[[0-9;]*[A-Za-z]/gu;
/** Words that services, databases and runtimes use for trouble; and numbers of levels in JSON lines (pino, bunyan). */
const TROUBLE =
  /\b(?:error|errors|exception|fatal|panic|critical|crit|emerg(?:ency)?|severe|traceback|unhandled|uncaught|segfault|segmentation fault|out of memory|oom-?kill\w*|fail(?:ed|ure|ures|ing)?|refused|denied|timed out|timeout|unreachable|cannot|could not|can't|unable to|abort(?:ed|ing)?|deadlock|corrupt(?:ed|ion)?|rejected|broken pipe|reset by peer)\b|\w(?:Error|Exception)\b|\bE[A-Z]{5,}\b|"level"\s*:\s*[56]0\b/i;
/** A member of a JSON line that says that there was none. */
const NO_TROUBLE = /"\w*err(?:or|ors)?"\s*:\s*(?:null|""|0|false|\[\]|\{\})/gi;

/** The pattern of a line that looks like trouble, `undefined` for any other. Secrets are masked before anything is kept. */
export function troubleIn(line: string): TroubleLine | undefined {
  const plain = line
    .slice(0, LINE_CHARS_READ)
    .replace(COLOURS, "")
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim();
  if (!TROUBLE.test(plain.replace(NO_TROUBLE, ""))) return undefined;
  const masked = redact(plain);
  return { pattern: shortened(familyOf(masked)), example: shortened(masked) };
}

function shortened(text: string): string {
  return text.length > CHARS_SHOWN ? `${text.slice(0, CHARS_SHOWN)}…` : text;
}
