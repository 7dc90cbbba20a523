import { expect, test } from "vitest";
import { writtenSentence } from "../../src/judge/write-reasons.ts";
import type { TableCount, WriteProvenance } from "../../src/replay/proof/write-provenance.ts";
import { junitXml } from "../../src/report/files/junit-xml.ts";
import { summaryMarkdown } from "../../src/report/files/summary-md.ts";
import { reportPage } from "../../src/report/html/report-page.ts";
import { writeWords } from "../../src/report/write-words.ts";
import { buildRunReport } from "../support/run-report-builder.ts";

function table(name: string, counts: Partial<TableCount>): TableCount {
  const none = { inserted: 0, updated: 0, deleted: 0, truncated: 0 };
  const all = { ...none, ...counts };
  const rows = all.inserted + all.updated + all.deleted + all.truncated;
  return { ...all, table: `db/db/shop/rows/${name}`, rows };
}

const FLAGS = table("flags", { updated: 4 });
const AUDIT = table("audit", { inserted: 12 });
const ORDERS = table("orders", { inserted: 5000, updated: 3735 });
const AS = "a role that may only write rows";
const TOLD: WriteProvenance = {
  kind: "told",
  actions: [
    {
      actionId: "set-flag",
      phase: "act",
      times: 1,
      role: AS,
      rows: 16,
      tables: [AUDIT, FLAGS],
      outside: [{ table: AUDIT.table, rows: 12, examples: [`${AUDIT.table}/7`] }],
    },
    { actionId: "set-flag", phase: "undo", times: 3, role: AS, rows: 4, tables: [FLAGS], outside: [] },
  ],
  unreturned: [],
  application: { rows: 8735, tables: [ORDERS] },
  doubts: ["a <statement> ended the transaction that it ran in"],
};
const UNAVAILABLE: WriteProvenance = { kind: "unavailable", why: "db under load: the server keeps no logical log" };
const report = (writes: WriteProvenance) => ({ ...buildRunReport({ verdict: "reject" }), writes });

test("each action and the application have a line, with tables and what was outside", () => {
  expect(writeWords({ writes: TOLD })).toMatchObject({
    lines: [
      {
        who: "set-flag",
        as: AS,
        rows: "16",
        tables: ["audit: 12 inserted", "flags: 4 updated"],
        result: { tone: "fail" },
      },
      { who: "undo of set-flag, 3 times", rows: "4", result: { tone: "pass" } },
      { who: "the application", rows: "8,735", tables: ["orders: 5,000 inserted, 3,735 updated"] },
    ],
  });
  expect(writeWords({})).toBeUndefined();
});

test("a table is named once in the sentence of the verdict, largest first", () => {
  expect(writtenSentence(TOLD)).toBe(
    "Under load action set-flag wrote 16 rows (audit 12, flags 4), the undo of set-flag wrote 4 rows (flags 4) in 3 performances; " +
      "the application wrote the rest (8,735 rows).",
  );
  expect(writtenSentence(UNAVAILABLE)).toBeUndefined();
});

test("every report shows who wrote what, and none in a run without SQL", async () => {
  const page = await reportPage(report(TOLD));
  expect(page).toContain("Who wrote what under load");
  expect(page).toContain("orders: 5,000 inserted, 3,735 updated");
  expect(page).toContain("a &lt;statement&gt; ended");
  const summary = summaryMarkdown(report(TOLD));
  expect(summary).toContain("## Who wrote what under load");
  expect(summary).toMatch(/`set-flag` \|.*\| 16 \|.*❌ 12 outside: audit/);
  const xml = junitXml(report(TOLD));
  expect(xml).toMatch(/<testsuite name="writes under load" tests="3" failures="1" errors="0" skipped="1"/);
  const without = buildRunReport({ verdict: "promote" });
  for (const text of [await reportPage(without), summaryMarkdown(without), junitXml(without)])
    expect(text.toLowerCase()).not.toContain("who wrote");
});

test("what is not available says so, and is a skipped test", async () => {
  for (const text of [await reportPage(report(UNAVAILABLE)), summaryMarkdown(report(UNAVAILABLE))])
    expect(text).toContain("not available: db under load: the server keeps no logical log");
  expect(junitXml(report(UNAVAILABLE))).toMatch(
    /<testsuite name="writes under load" tests="1" failures="0" errors="0" skipped="1"/,
  );
  expect(junitXml(report(UNAVAILABLE), { holdAs: "failure" })).toContain('type="WRITES_NOT_ATTRIBUTED"');
});

test("settings that the harness added are named where the run comes from", async () => {
  const run = buildRunReport({ verdict: "promote" });
  const facts = { ...run.mirror.facts, addedSettings: { db: ["wal_level=logical"] } };
  expect(await reportPage({ ...run, mirror: { ...run.mirror, facts } })).toContain("db: wal_level=logical");
});
