import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { type ActionKind, ActionStepSchema } from "../../src/plan/action.ts";
import { KINDS } from "../../src/plan/kinds.ts";
import { PlanSchema } from "../../src/plan/plan.ts";

const FENCE = "`".repeat(3);
const text = readFileSync("docs/actions.md", "utf8");
const examples = text
  .split(`${FENCE}yaml action\n`)
  .slice(1)
  .map((rest) => parse(rest.split(FENCE)[0] ?? ""));
const kinds = Object.keys(KINDS) as readonly ActionKind[];

test("every kind of step states its nature", () => {
  expect([...kinds].sort()).toEqual(ActionStepSchema.options.map((option) => option.shape.uses.value).sort());
});

test("docs/policy.md says the same of reversibility", () => {
  const rows = readFileSync("docs/policy.md", "utf8").matchAll(
    /^\| (idempotent|reversible|compensable) \|.*\| (.*) \|$/gm,
  );
  const said = [...rows].flatMap(([, word, row = ""]) =>
    [...row.matchAll(/`([\w-]+)`/g)].map(([, kind]) => [kind, word]),
  );
  expect(said).not.toHaveLength(0);
  expect(Object.fromEntries(said)).toEqual(
    Object.fromEntries(said.map(([kind = ""]) => [kind, KINDS[kind as ActionKind].reversibility])),
  );
});

describe("docs/actions.md", () => {
  test("shows an example of every kind, and each is one that a plan may hold", () => {
    expect(new Set(examples.map(({ uses }) => uses))).toEqual(new Set(kinds));
    for (const example of examples)
      expect(ActionStepSchema.safeParse(example), JSON.stringify(example)).toMatchObject({ success: true });
  });

  test.each(kinds)("says of %s what the code does", (kind) => {
    const [, name, reversibility, , dryRun, undo] =
      text
        .split("\n")
        .find((line) => line.startsWith(`| \`${kind}\` |`))
        ?.split("|")
        .map((cell) => cell.trim()) ?? [];
    const facts = KINDS[kind];
    expect({ name, reversibility, dryRun, undo }).toEqual({
      name: `\`${kind}\``,
      reversibility: facts.reversibility,
      dryRun: facts.dryRun ?? "-",
      undo: facts.undo,
    });
  });
});

test("the published schema names every kind once, and a rollback by reference", () => {
  const schema = JSON.stringify(z.toJSONSchema(PlanSchema, { io: "input" }));
  for (const kind of kinds)
    expect(schema.split(`"uses":{"type":"string","const":${JSON.stringify(kind)}}`)).toHaveLength(3);
  expect(schema.split('"rollback":{"$ref":"#/$defs/step"}')).toHaveLength(kinds.length + 1);
});
