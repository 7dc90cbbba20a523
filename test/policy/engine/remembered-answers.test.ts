import { expect, test } from "vitest";
import { rememberingAnswers } from "../../../src/policy/engine/remembered-answers.ts";

function counting(answer: (question: string) => object = (question) => ({ question })) {
  let asked = 0;
  const decide = rememberingAnswers(
    (question: string) => question,
    (question) => {
      asked += 1;
      return answer(question);
    },
  );
  return { decide, asked: () => asked };
}

test("a question is answered once, and any other anew", () => {
  const { decide, asked } = counting();
  const first = decide("a");
  for (let times = 0; times < 3; times++) expect(decide("a")).toBe(first);
  expect(asked()).toBe(1);
  expect(decide("b")).toEqual({ question: "b" });
  expect(asked()).toBe(2);
});

test("a failure is not remembered", () => {
  let broken = true;
  const { decide } = counting(() => {
    if (broken) throw new Error("broken");
    return {};
  });
  expect(() => decide("a")).toThrow("broken");
  broken = false;
  expect(decide("a")).toEqual({});
});

test("what was asked longest ago is forgotten first, and long questions are never kept", () => {
  const { decide, asked } = counting();
  for (let index = 0; index < 501; index++) decide(`plan-${index}`);
  decide("plan-500");
  expect(asked()).toBe(501);
  decide("plan-0");
  expect(asked()).toBe(502);
  for (let times = 0; times < 2; times++) decide("x".repeat(9000));
  expect(asked()).toBe(504);
});
