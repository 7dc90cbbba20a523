import { existsSync, globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { EXIT_CODE, EXIT_CODE_BY_ERROR } from "../../src/core/errors.ts";
import { GateConfigSchema } from "../../src/gate/gate-config.ts";
import { GATE_REASON_CODES } from "../../src/gate/gate-reason.ts";
import { REASON_CODES } from "../../src/judge/verdict.ts";

const read = (file: string): string => readFileSync(file, "utf8");

test("every error code and exit code is documented", () => {
  const text = read("docs/exit-codes.md");
  const missing = [
    ...Object.entries(EXIT_CODE_BY_ERROR).filter(
      ([code, exit]) => !new RegExp(`\\b${exit}\\b.*\\b${code}\\b`).test(text),
    ),
    ...Object.entries(EXIT_CODE).filter(([name, exit]) => !new RegExp(`\\b${exit}\\b.*${name}`, "i").test(text)),
  ];
  expect(missing).toEqual([]);
});

test("every reason code is explained", () => {
  const text = read("docs/reasons.md");
  expect(REASON_CODES.filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
});

test("every reason of the gate is explained, and the gate that the document shows is one that is read", () => {
  const text = read("docs/gate.md");
  expect(GATE_REASON_CODES.filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
  const [shown = ""] = text.split("```yaml gate\n").slice(1);
  const yaml = shown.split("```")[0] ?? "";
  expect(GateConfigSchema.safeParse(parseYaml(yaml)).error).toBeUndefined();
});

test("ARCHITECTURE.md stays readable in one sitting and names every folder of src", () => {
  const text = read("ARCHITECTURE.md");
  expect(text.split("\n").length).toBeLessThanOrEqual(150);
  const folders = new Set(globSync("src/*/*.ts").map((file) => file.split("/")[1] ?? ""));
  expect([...folders].filter((folder) => !text.includes(`src/${folder}`))).toEqual([]);
});

test("links between the documents lead somewhere", () => {
  const broken = [
    ...globSync("*.md"),
    ...globSync("docs/**/*.md"),
    ...globSync("mirrors/*/README.md"),
    ...globSync("bench/**/*.md"),
  ].flatMap((file) =>
    [...read(file).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].flatMap(([, target]) => {
      const resolved = new URL(target ?? "", `file:///${file}`).pathname.slice(1);
      return existsSync(resolved) ? [] : [`${file} -> ${target}`];
    }),
  );
  expect(broken).toEqual([]);
});

test("no document starts a bench with the system's node, which may be too old", () => {
  const documents = [...globSync("*.md"), ...globSync("docs/**/*.md"), ...globSync("bench/**/*.md")];
  const lines = documents.flatMap((file) => read(file).split("\n"));
  expect(lines.filter((line) => /(?<!npx )\bnode (bench|src|scripts|test)\//.test(line))).toEqual([]);
});
