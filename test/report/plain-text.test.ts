import fc from "fast-check";
import { expect, test } from "vitest";
import { plainText, shorten, withPlainText } from "../../src/report/plain-text.ts";

const FORBIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

test("removes terminal escape sequences without a trace", () => {
  expect(plainText("\u001b[2J\u001b[31mred\u001b[0m \u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007")).toBe(
    "red link",
  );
});

test("marks every other control character and direction override, so that a reader sees something was there", () => {
  expect(plainText("a\u0008b\u202ec\u2066d\u200be")).toBe("a�b�c�d�e");
});

test("marks invisible formatting beyond the first plane, such as the beams of musical notation", () => {
  expect(plainText("a\u{1d173}b\u{110bd}c")).toBe("a�b�c");
});

test("keeps honest text of any script, and emoji without their invisible joiners", () => {
  expect(plainText("Größe 日本語 ⚠️ ok")).toBe("Größe 日本語 ⚠ ok");
});

test("joins lines unless program output asks to keep them", () => {
  expect(plainText("one\r\n  two\nthree")).toBe("one two three");
  expect(plainText("one\r\ntwo\n", "keep")).toBe("one\ntwo\n");
});

test("never lets a forbidden character through, whatever it is given", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
      expect(plainText(text)).not.toMatch(FORBIDDEN);
      expect(plainText(text, "keep").replaceAll("\n", "")).not.toMatch(FORBIDDEN);
    }),
    { numRuns: 500 },
  );
});

test("halves of an escape sequence that meet when another is removed are removed too", () => {
  expect(plainText("\u001b\u001b[31m[2Jx")).not.toMatch(FORBIDDEN);
});

test("cleans keys and values at any depth and leaves numbers alone", () => {
  const dirty = { "k\u0007": [{ output: "a\nb\u001b[1m", n: 1, none: null }] };
  expect(withPlainText(dirty)).toEqual({ "k�": [{ output: "a\nb", n: 1, none: null }] });
});

test("shortens by characters, not by half of one", () => {
  expect(shorten("𝒳𝒳𝒳", 2)).toBe("𝒳…");
  expect(shorten("abc", 3)).toBe("abc");
});
