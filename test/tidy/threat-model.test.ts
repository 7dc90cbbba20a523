import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const PAGE = readFileSync("docs/threat-model.md", "utf8");

/** Rows of the tables whose last column says by which test it is shown. */
const rows = PAGE.split("\n## What no test shows")[0]
  ?.split("\n")
  .filter((line) => line.startsWith("| ") && !/^\| (it|they|attack|who) \|/.test(line))
  .map((line) => line.slice(2, -2).split(" | "))
  .filter((cells) => cells.length === 2)
  .map(([what = "", shown = ""]) => ({ what, shown }));

/** The issue's list of attacks that must fail. */
const ATTACKS = [
  "changed byte in payload, signature, key hint",
  "envelope with two signatures, other payload type, other algorithm",
  "verdict of another plan",
  "verdict of another environment, mirror or policy",
  "expired",
  "not yet valid",
  "already used",
  "approval by the author, twice by one person, for another digest",
  "downgrade to a derived statement",
  "revoked key",
  "key in the wrong role",
  "replayed, delayed, forged webhooks",
  "oversized webhooks",
  "slow webhooks",
  "malformed webhooks",
  "a Kubernetes object that carries a valid plan's annotation but changes something else",
  "callback to an inner address",
  "path traversal",
  "prototype pollution, deep JSON, duplicate keys, invalid UTF-8",
  "clock set back",
  "database gone",
  "database read-only, full, slow",
  "two checkpoints of one size",
  "SIGKILL at any moment under load with nothing acknowledged lost",
  "property tests",
  "fuzzed requests over the socket",
];

test("every line of the threat model names a test that exists", () => {
  expect(rows?.length).toBeGreaterThan(80);
  const wrong = (rows ?? []).flatMap(({ what, shown }) => {
    const [, file = "", name = ""] = /^`(test\/[^`]+\.ts)`: "(.+)"$/.exec(shown) ?? [];
    const isThere = existsSync(file) && namesOf(file).has(name);
    return isThere ? [] : [`${what}: ${shown}`];
  });
  expect(wrong).toEqual([]);
});

test("every attack that must fail stands in the attack table", () => {
  const table = PAGE.split("## The attack table")[1] ?? "";
  expect(ATTACKS.filter((attack) => !table.includes(`| ${attack} | `))).toEqual([]);
});

test("no kind of attacker is left out", () => {
  const kinds = [...PAGE.matchAll(/^### (.*)$/gm)].map(([, kind]) => kind);
  for (const kind of [
    /malicious agent/,
    /agent's key/,
    /approver/,
    /CI/,
    /network/,
    /ledger/,
    /gate's host/,
    /mirror/,
    /stored/,
  ]) {
    expect(kinds.filter((one) => kind.test(one ?? ""))).not.toEqual([]);
  }
});

/** Names of tests and of groups of them in a file: the text in the first place of the call. */
function namesOf(file: string): ReadonlySet<string> {
  const text = readFileSync(file, "utf8");
  const calls = /(?:\b(?:test|describe)|\))\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')/g;
  return new Set([...text.matchAll(calls)].map(([, double, single]) => double ?? single ?? ""));
}
