import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { RowJudge } from "./row.ts";

// Which code made a row: only what can change its numbers, so that a row stays valid while words and other folders change.

const RUNTIME_IMPORT = /^(?:import|export) (?!type )[^;]*?from "(\.[^"]+)";/gm;

/** Where the code starts that plays and judges; everything that it imports when it runs counts with it. */
const ENTRIES = {
  ours: ["./simulator/our-run.ts"],
  learned: ["./simulator/our-run.ts", "./learned-profile.ts"],
  rival: ["./rivals/judge-by-rival.ts", "./rivals/recorded-run.ts", "./goals.ts"],
  own: ["./tables/rows-alarm.ts", "./tables/rows-switchback.ts"],
} as const;

const KNOWN = new Map<keyof typeof ENTRIES, string>();

/** Twelve digits of the code that plays and judges a row: judge, measure and simulator as far as they are reached from it. */
export function codeDigest(judge: RowJudge): string {
  const kind = judge.kind === "ours" && judge.learned === true ? "learned" : judge.kind;
  const digest = KNOWN.get(kind) ?? digestOf(ENTRIES[kind].map((entry) => new URL(entry, import.meta.url)));
  KNOWN.set(kind, digest);
  return digest;
}

function digestOf(entries: readonly URL[]): string {
  const found = new Map<string, string>();
  const left = [...entries];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (found.has(next.href)) continue;
    const text = withoutComments(readFileSync(next, "utf8"));
    found.set(next.href, text);
    for (const [, target = ""] of text.matchAll(RUNTIME_IMPORT)) left.push(new URL(target, next));
  }
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const files = [...found].map(([href, text]) => `${fileURLToPath(href).slice(root.length)}\n${text}`);
  return createHash("sha256").update(files.toSorted().join("\n")).digest("hex").slice(0, 12);
}

/** Without lines that are only a comment, or part of one, and without blank ones. */
export function withoutComments(text: string): string {
  let isInside = false;
  const kept = text.split("\n").filter((line) => {
    const start = line.trimStart();
    const isComment = isInside || start.startsWith("/*") || start.startsWith("//");
    if (isInside || start.startsWith("/*")) isInside = !start.includes("*/");
    return !isComment && start !== "";
  });
  return kept.join("\n");
}
