import { globSync, readFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { main } from "../../src/cli/main.ts";

afterEach(() => void vi.restoreAllMocks());

type Loose = ReturnType<typeof JSON.parse>;

/** What `canary <args>` prints. */
async function printed(...args: readonly string[]): Promise<string> {
  let text = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  await main(args);
  write.mockRestore();
  return text;
}

const listed = (help: string): readonly string[] =>
  [...(/choices:([^)]*)/.exec(help)?.[1] ?? "").matchAll(/"([a-z-]+)"/g)].map(([, name = ""]) => name);

/** Documents that the harness and the gate write for themselves; nobody opens an editor for them. */
const OWN = [
  ...["gate-approval", "gate-held-approval", "gate-witnessed-approval", "gate-approval-taken-back", "gate-plan"],
  ...["gate-verdict", "gate-drill", "gate-kill-switch", "gate-token", "gate-decision", "ledger-entry", "twins"],
  ...["recording", "report", "playbook", "live-run", "halt"],
];

test("every document that a person writes has a schema for editors", async () => {
  const names = listed(await printed("schema", "--help"));
  expect(names.length).toBeGreaterThan(8);
  const schemas: Loose[] = [];
  for (const name of names) schemas.push(JSON.parse(await printed("schema", name)));
  const described = schemas.map(({ properties }) => properties.schema.const);
  const read = globSync("src/**/*.ts").flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/schema: z\.literal\("(canary\.[a-z-]+\/v\d+)"\)/g)].map(([, id]) => id),
  );
  const own = OWN.map((name) => `canary.${name}/v1`);
  expect(described.toSorted()).toEqual(read.filter((id) => !own.includes(id ?? "")).toSorted());
  expect(own.filter((id) => !read.includes(id))).toEqual([]);
});

test("the schema of a gate takes the gates that the manual shows, and no word that it does not know", async () => {
  const schema = z.fromJSONSchema(JSON.parse(await printed("schema", "gate")));
  const shown = readFileSync("docs/gate.md", "utf8").split("```yaml gate\n").slice(1);
  expect(shown).not.toHaveLength(0);
  for (const rest of shown) {
    const gate = parseYaml(rest.split("```")[0] ?? "");
    expect(schema.safeParse(gate).error).toBeUndefined();
    expect(schema.safeParse({ ...gate, enviroments: [] }).success).toBe(false);
  }
});
