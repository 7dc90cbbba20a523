import fc from "fast-check";
import { expect, test } from "vitest";
import { verdictAnnotation, withoutWorkflowCommands } from "../../src/report/workflow-commands.ts";

test("breaks commands of both generations apart and leaves other colons alone", () => {
  expect(withoutWorkflowCommands("::set-output name=x::y")).toBe(": :set-output name=x::y");
  expect(withoutWorkflowCommands("ok\n   ::add-mask::a\nstd::vector")).toBe("ok\n   : :add-mask::a\nstd::vector");
  expect(withoutWorkflowCommands("text ##[error]forged")).toBe("text ## [error]forged");
});

test("leaves no line that the runner would take for a command", () => {
  const line = fc.array(fc.constantFrom("::", ":", "##[", "#", " ", "\n", "error", "[")).map((parts) => parts.join(""));
  fc.assert(
    fc.property(line, (text) => {
      for (const shown of withoutWorkflowCommands(text).split("\n")) {
        expect(shown.trimStart().startsWith("::")).toBe(false);
        expect(shown).not.toContain("##[");
      }
    }),
  );
});

test("puts the verdict on one annotation line, its own marks escaped", () => {
  const verdict = {
    kind: "reject",
    reasons: [
      { code: "SLO_OUTSIDE_RANGE", message: "50% slower" },
      { code: "ACTION_FAILED", message: "x\n::error::forged" },
    ],
  } as const;
  expect(verdictAnnotation(verdict, "a:b,c")).toBe(
    "::error title=canary reject%3A a%3Ab%2Cc::50%25 slower%0Ax ::error::forged",
  );
});
