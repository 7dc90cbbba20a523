import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

/** Files that are a process of their own, and the only ones that own a clock and an environment. */
const PROCESSES = /^src\/cli\/|-main\.ts$|\/driver-clock\.ts$|\/node-host\.ts$/;

interface Ban {
  readonly pattern: RegExp;
  readonly instead: string;
  readonly where: (file: string) => boolean;
}

const everywhere = (): boolean => true;
const inSource = (file: string): boolean => file.startsWith("src/");
const inTests = (file: string): boolean => file.startsWith("test/");
const outsideProcesses = (file: string): boolean => inSource(file) && !PROCESSES.test(file);

const BANS: readonly Ban[] = [
  { pattern: /\bDate\.now\(|\bperformance\.now\(/, instead: "take a Clock", where: outsideProcesses },
  { pattern: /(?<![.\w])(?:setTimeout|setInterval)\(/, instead: "take a Clock", where: outsideProcesses },
  { pattern: /\bMath\.random\(/, instead: "seededRandom", where: everywhere },
  { pattern: /\bprocess\.(?!hrtime)/, instead: "pass it in from cli", where: outsideProcesses },
  { pattern: /\bconsole\./, instead: "report, or write to a stream", where: inSource },
  { pattern: /\bexport default\b/, instead: "named exports", where: inSource },
  { pattern: /^export \* from/m, instead: "import the file that defines the thing", where: everywhere },
  { pattern: /:\s*any\b|<any>|\bas any\b/, instead: "unknown and a parser", where: everywhere },
  { pattern: /\bas unknown as\b/, instead: "a parser, or a type that fits", where: inSource },
  { pattern: /[\w\])]!\.|[\w\])]!\[/, instead: "handle undefined", where: inSource },
  { pattern: /^\s*(export )?(const )?enum /m, instead: "a union of literals", where: everywhere },
  { pattern: /\bF[I]XME\b|@ts-ignore|@ts-nocheck/, instead: "fix it", where: everywhere },
  { pattern: /\.(skip|only|todo)\(|\bretry:/, instead: "find the bug", where: inTests },
];

const files = [...globSync("src/**/*.ts"), ...globSync("test/**/*.ts"), ...globSync("bench/**/*.ts")].filter(
  (file) => file !== "test/tidy/bans.test.ts",
);

test.each(BANS)("nobody writes $pattern", ({ pattern, instead, where }) => {
  const offences = files.filter(where).flatMap((file) =>
    code(readFileSync(file, "utf8"))
      .split("\n")
      .flatMap((line, index) =>
        pattern.test(line) ? [`${file}:${index + 1} ${line.trim()} (instead: ${instead})`] : [],
      ),
  );
  expect(offences).toEqual([]);
});

test("no file is named after nothing", () => {
  const vague = new Set([
    "index.ts",
    "utils.ts",
    "util.ts",
    "helpers.ts",
    "helper.ts",
    "types.ts",
    "common.ts",
    "misc.ts",
  ]);
  expect(files.filter((file) => vague.has(path.basename(file)))).toEqual([]);
});

test("no source file is longer than 250 lines", () => {
  const long = globSync("src/**/*.ts").flatMap((file) => {
    const lines = readFileSync(file, "utf8").split("\n").length - 1;
    return lines > 250 ? [`${file}: ${lines} lines`] : [];
  });
  expect(long).toEqual([]);
});

/** Comments may name what the code may not do; blank them, keep the line numbers. */
function code(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, " "))
    .replaceAll(/(^|\s)\/\/[^\n]*/g, "$1");
}
