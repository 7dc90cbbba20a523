import fc from "fast-check";
import { expect, test } from "vitest";
import { interpolate } from "../../../src/mirror/compose/interpolate.ts";
import { parseShortPort } from "../../../src/mirror/compose/port-syntax.ts";
import { parseBytes, parseDurationMs } from "../../../src/mirror/compose/quantities.ts";
import { splitShellWords } from "../../../src/mirror/compose/shell-words.ts";

const name = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,8}$/);
const scopeOf = (variables: Record<string, string>) => ({ variables, onVariable: () => undefined });
const textOf = (template: string, variables: Record<string, string>): string => {
  const result = interpolate(template, scopeOf(variables));
  return result.kind === "text" ? result.text : `problem: ${result.message}`;
};

test("any duration written in parts is read as their sum", () => {
  const count = fc.nat(10_000);
  fc.assert(
    fc.property(count, count, count, count, (h, m, s, ms) => {
      expect(parseDurationMs(`${h}h${m}m${s}s${ms}ms`)).toBe(h * 3_600_000 + m * 60_000 + s * 1000 + ms);
    }),
  );
});

test("any size with a unit is read in powers of 1024, whatever the case", () => {
  const unit = fc.constantFrom(["", 0], ["b", 0], ["k", 1], ["KB", 1], ["m", 2], ["MiB", 2], ["g", 3], ["Gb", 3]);
  fc.assert(
    fc.property(fc.nat(100_000), unit, (amount, [suffix, power]) => {
      expect(parseBytes(`${amount}${suffix}`)).toBe(amount * 1024 ** Number(power));
    }),
  );
});

test.each(["", "1", "1x", "s", "1m30", "-1s", "1.s", "1 m", "Infinity"])("%j is no duration", (text) => {
  expect(parseDurationMs(text)).toBeUndefined();
});

test.each(["", "m", "-1m", "1x", "1mm", "0x10", "1e3", "NaN"])("%j is no size", (text) => {
  expect(parseBytes(text)).toBeUndefined();
});

test("any port mapping gives its container ports back", () => {
  const port = fc.integer({ min: 1, max: 65_000 });
  const host = fc.constantFrom("", "8080:", "127.0.0.1:8080:", "127.0.0.1::", "[::1]:80-90:", "0.0.0.0:1-2:");
  fc.assert(
    fc.property(host, port, fc.nat(99), fc.constantFrom("tcp", "udp"), (prefix, first, more, protocol) => {
      const range = more === 0 ? `${first}` : `${first}-${first + more}`;
      const ports = Array.from({ length: more + 1 }, (_, index) => first + index);
      expect(parseShortPort(`${prefix}${range}/${protocol}`)).toEqual({ protocol, ports });
    }),
  );
});

test("any words survive being quoted for a shell and split again", () => {
  const quoted = (word: string, how: number): string => {
    if (how === 0) return `'${word.replaceAll("'", `'\\''`)}'`;
    if (how === 1) return `"${word.replace(/[\\"$`]/g, "\\$&")}"`;
    return word === "" ? "''" : word.replace(/[^A-Za-z0-9]/gu, (char) => (char === "\n" ? "'\n'" : `\\${char}`));
  };
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), fc.nat(2))), (words) => {
      const line = words.map(([word, how]) => quoted(word, how)).join("  ");
      expect(splitShellWords(line)).toEqual(words.map(([word]) => word));
    }),
  );
});

test("text without a dollar is never changed, and doubled dollars come out single", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(textOf(text.replaceAll("$", "$$$$"), {})).toBe(text);
    }),
  );
});

test("a variable that is set is replaced, and its own dollars stay as they are", () => {
  fc.assert(
    fc.property(name, fc.string({ minLength: 1 }), (variable, value) => {
      const variables = { [variable]: value };
      for (const form of [
        `$${variable}`,
        `\${${variable}}`,
        `\${${variable}:-x}`,
        `\${${variable}-x}`,
        `\${${variable}:?x}`,
      ]) {
        expect(textOf(`<${form}>`, variables)).toBe(`<${value}>`);
      }
      expect(textOf(`\${${variable}:+other}`, variables)).toBe("other");
    }),
  );
});

test.each([
  ["${A:-def}", {}, "def"],
  ["${A:-def}", { A: "" }, "def"],
  ["${A-def}", { A: "" }, ""],
  ["${A-def}", {}, "def"],
  ["${A:+alt}", {}, ""],
  ["${A:+alt}", { A: "" }, ""],
  ["${A+alt}", { A: "" }, "alt"],
  ["${A:-${B:-deep}}", {}, "deep"],
  ["${A:-${B}}/x", { B: "b" }, "b/x"],
  ["${A:-a$$b}", {}, "a$b"],
  ["${A:-${B:?never}}", { A: "a" }, "a"],
  ["$A$B", { A: "1", B: "2" }, "12"],
  ["${A?}", {}, "problem: variable A is required"],
  ["${A:?tell me}", { A: "" }, "problem: variable A is required: tell me"],
  ["$A", {}, "problem: variable A is not set; set it, or write ${A:-} if it may be empty"],
  [
    "${constructor}",
    {},
    "problem: variable constructor is not set; set it, or write ${constructor:-} if it may be empty",
  ],
  ["cost: $5", {}, 'problem: "$5" is no variable; write $$ for $'],
  ["${A:-x", {}, 'problem: "${A:-x" has no closing brace'],
  ["${A!x}", {}, 'problem: "${A!x}" is no variable; write $$ for $'],
])("%s with %j is %j", (template, variables, expected) => {
  expect(textOf(template, variables)).toBe(expected);
});

test("variables nested without end are refused, not followed", () => {
  expect(textOf("${A:-".repeat(5000) + "}".repeat(5000), {})).toMatch(/^problem: nests more than/);
});
