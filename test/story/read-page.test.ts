import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { missingLine, readPage } from "../../story/read-page.ts";

const FENCE = "```";
const block = (kind: string, ...lines: readonly string[]): string =>
  [`${FENCE}${kind}`, ...lines, FENCE, ""].join("\n");
const scenesOf = (...blocks: readonly string[]) =>
  readPage(`# Page\n\n## One\n\n${blocks.join("\n")}`)[0]?.scenes ?? [];

test("commands stay whole: continued lines, here-documents and functions", () => {
  const lines = [
    "one \\",
    "  --more",
    "cat > file <<'YAML'",
    "a: b",
    "",
    "c: d",
    "YAML",
    "",
    "two() {",
    "  three",
    "}",
    "four",
  ];
  expect(scenesOf(block("sh", ...lines))[0]?.commands).toEqual([
    "one \\\n  --more",
    "cat > file <<'YAML'\na: b\n\nc: d\nYAML",
    "two() {\n  three\n}",
    "four",
  ]);
});

test("what stands below commands is what the last of them answers, and its exit code", () => {
  const [first, second] = scenesOf(
    "Some\nwords.\n",
    block("sh", "a"),
    block("text", "no", "exit 31"),
    block("sh rehearsal", "b"),
  );
  expect(first).toEqual({ words: ["Some words."], commands: ["a"], shows: ["no"], exitCode: 31, isRehearsal: false });
  expect(second).toMatchObject({ words: [], shows: [], exitCode: 0, isRehearsal: true });
});

test("what is only shown is not run", () => {
  expect(scenesOf(block("sh", "a"), block("console", "cosign"), "Words.\n")).toHaveLength(1);
});

test.each([
  ["an answer to nothing", block("text", "yes")],
  ["an answer that words part from its command", `${block("sh", "a")}\nWords.\n\n${block("text", "yes")}`],
  ["a block of another language", block("yaml", "a: b")],
  ["a block that is not closed", `${FENCE}sh\na`],
])("a page with %s can not be told", (_, page) => {
  expect(() => scenesOf(page)).toThrow();
});

test.each([
  [["a"], "a", undefined],
  [["a  b"], "  a b ", undefined],
  [["a"], "ab", "a"],
  [["a…"], "abc", undefined],
  [["…c"], "abc", undefined],
  [["…c"], "abcd", "…c"],
  [["a…c…"], "abcd", undefined],
  [["a…c…b"], "abc", "a…c…b"],
  [["…a…a"], "a", "…a…a"],
  [["one", "three"], "one\ntwo\nthree", undefined],
  [["three", "one"], "one\ntwo\nthree", "one"],
  [["one", "one"], "one", "one"],
] as const)("of %j, in %j the first line that is missing is %s", (shows, output, missing) => {
  expect(missingLine(shows, output)).toBe(missing);
});

test("the story has every part that a reader is promised, and every refusal says why", () => {
  const scenes = readPage(readFileSync("docs/story.md", "utf8")).flatMap((chapter) => chapter.scenes);
  const commands = scenes.flatMap((scene) => scene.commands).join("\n");
  for (const part of [
    "plan sign",
    "run",
    "gate serve",
    "gate check",
    "approve",
    "ledger verify",
    "ledger prove",
    "verdict verify",
  ]) {
    expect(commands).toContain(`canary ${part}`);
  }
  expect(scenes.filter(({ isRehearsal }) => isRehearsal)).toHaveLength(1);
  expect(scenes.filter(({ exitCode, shows }) => exitCode !== 0 && shows.length === 0)).toEqual([]);
});
