import { expect, test } from "vitest";
import {
  compileDocument,
  compileText,
  type RenderContext,
  type TemplateScope,
} from "../../../src/replay/traffic/template.ts";

function scope(problems: string[] = []): TemplateScope {
  return {
    values: { color: ["red", "sea green"], size: [1, 2] },
    captures: new Set(["order"]),
    problems,
    where: "here",
  };
}

function context(overrides: Partial<RenderContext> = {}): RenderContext {
  return { random: () => 0.99, sequence: 41, captured: () => "o/1", ...overrides };
}

function check(text: string, expected: string): void {
  const problems: string[] = [];
  const template = compileText(text, scope(problems));
  expect(problems).toEqual([]);
  expect(template.render(context())).toBe(expected);
}

test("a pick draws from its list", () => check("a ${pick:color} car", "a sea green car"));
test("an int draws between its bounds, both included", () => check("${int:1:500}", "496"));
test("a negative int is allowed", () => check("${int:-3:-3}", "-3"));
test("seq is the number of the request", () => check("n${seq}n", "n41n"));
test("a captured name stands for its value", () => check("/orders/${order}", "/orders/o/1"));
test("a text without placeholders stays as it is", () => check("$5 {} $", "$5 {} $"));

test("inserted values are percent-encoded in a path and the written text is not", () => {
  const path = compileText("/a/${pick:color}?q=${order}&x=%20", scope(), encodeURIComponent);
  expect(path.render(context())).toBe("/a/sea%20green?q=o%2F1&x=%20");
});

test("a text that is one placeholder keeps the type of its value", () => {
  const document = {
    quantity: "${int:2:2}",
    sizes: ["${pick:size}", "size ${pick:size}"],
    id: "${order}",
    fix: [null, 7],
  };
  const template = compileDocument(document, scope());
  expect(template.render(context({ captured: () => 17 }))).toEqual({
    quantity: 2,
    sizes: [2, "size 2"],
    id: 17,
    fix: [null, 7],
  });
});

test("a template names the captured values it needs and no others", () => {
  expect(compileText("${pick:color} ${seq}", scope()).captures).toEqual([]);
  expect(compileDocument({ a: ["${order}"] }, scope()).captures).toEqual(["order"]);
});

test.each(["${pick:shape}", "${int:5:1}", "${int:1}", "${invoice}", "${}", "${int:a:b}", "${pick:toString}"])(
  "%s is refused with its place",
  (text) => {
    const problems: string[] = [];
    compileText(text, scope(problems));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^here: /);
  },
);
