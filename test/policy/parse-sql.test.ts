import { expect, test } from "vitest";
import { askPolicyEngine } from "../../src/gate/ask-policy.ts";
import { parsePlan } from "../../src/plan/plan.ts";
import { loadSqlParser } from "../../src/policy/sql/parse-sql.ts";
import { ENVIRONMENT, PLAN_TEXT, statement } from "../gate/promotion-builder.ts";
import { ASKING } from "../support/shipped-policy.ts";

const FUNCTION = "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';";
/** As long as a plan's statement may be, and deeper than the stack on which the grammar of PL/pgSQL walks through it. */
const TOO_DEEP = `${FUNCTION} SELECT ${"a[".repeat(1250)}1${"]".repeat(1250)}`;
/** Deep, and read by any grammar that has its whole stack. */
const DEEP = `SELECT ${"abs(".repeat(900)}1${")".repeat(900)}`;

test("a text at which the grammar stops is unreadable, and so is what its parser is given then; the next parser reads on", async () => {
  for (let times = 0; times < 5; times++) {
    const poisoned = await loadSqlParser();
    expect(poisoned(TOO_DEEP)).toMatchObject({ kind: "unreadable", message: "Maximum call stack size exceeded" });
    expect(poisoned("SELECT 1")).toMatchObject({
      kind: "unreadable",
      message: expect.stringContaining("earlier text"),
    });
  }
  const parse = await loadSqlParser();
  expect(parse(DEEP)).toMatchObject({ kind: "parsed" });
});

test("a parser whose grammar stopped at somebody else's text gives no answer rather than a wrong one", async () => {
  const [poisoned, other] = [await loadSqlParser(), await loadSqlParser()];
  expect(other("SELECT 1")).toMatchObject({ kind: "parsed" });
  poisoned(TOO_DEEP);
  expect(() => other("SELECT 1")).toThrow("the grammar of SQL stopped at another text; ask again");
});

/** The plan of one SQL step. */
function planOf(sql: string) {
  const step = { uses: "sql", with: { service: "db", statements: [sql] }, requires: ["x"], changes: ["db/**"] };
  const action = { id: "act", what: "Mend the rows", why: "They are wrong", ...step };
  const document = { ...JSON.parse(PLAN_TEXT), actions: [{ ...action, rollback: { uses: "sql", with: step.with } }] };
  return parsePlan(JSON.stringify(document), "plan.json");
}

test("a gate that read a plan at which the grammar stops goes on reading others, also those it was asked about meanwhile", async () => {
  const ask = askPolicyEngine(ASKING.policy, loadSqlParser);
  const asked = (sql: string) => ({
    plan: planOf(sql),
    environment: ENVIRONMENT,
    statement: statement(2),
    approvals: { people: [], refused: [] },
    atEpochMs: Date.UTC(2026, 10, 23),
    past: [],
  });
  const honest = asked("UPDATE jobs SET a = 1 WHERE id = 1");
  // What nobody can read may do anything, so it is a human's.
  const unread = expect.arrayContaining([expect.objectContaining({ rule: "never-unattended" })]);
  const [poisoned] = await Promise.all([ask(asked(TOO_DEEP)), ask(honest)]);
  expect(poisoned).toMatchObject({ kind: "answer", reasons: unread });
  const answer = await ask(honest);
  expect(answer).toMatchObject({ kind: "answer" });
  expect(answer).not.toMatchObject({ reasons: unread });
});
