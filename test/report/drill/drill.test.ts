import { expect, test } from "vitest";
import { drillBlock } from "../../../src/report/drill/drill-block.ts";
import { drillPage } from "../../../src/report/drill/drill-page.ts";
import { DrillReportSchema } from "../../../src/report/drill/drill-report.ts";
import { createPaint } from "../../../src/report/terminal/paint.ts";
import { textWidth } from "../../../src/report/terminal/text-width.ts";
import { drillReport, TROUBLES } from "./drill-report-builder.ts";

const paint = createPaint({ color: false });
const block = (report: ReturnType<typeof drillReport>, columns: number): readonly string[] =>
  drillBlock(report, { columns, paint, folder: "reports/drill-x" });

test("a clean drill on a terminal", async () => {
  await expect(`${block(drillReport(), 100).join("\n")}\n`).toMatchFileSnapshot("golden/drill-clean.txt");
});

test("a drill with one of each trouble on a terminal names the gravest first", async () => {
  await expect(`${block(drillReport(TROUBLES), 100).join("\n")}\n`).toMatchFileSnapshot("golden/drill-troubles.txt");
});

test("the matrix fits a narrow terminal", () => {
  for (const columns of [60, 80]) {
    const wide = block(drillReport(TROUBLES), columns).filter((line) => textWidth(line) > columns);
    expect(wide).toEqual([]);
  }
});

test("the page shows every cell, escapes what services said, and loads nothing", () => {
  const page = drillPage(drillReport(TROUBLES));
  expect(page.match(/class="tile (clean|not-restored|finding|error)" href/g)).toHaveLength(11);
  expect(page).toContain("&lt;b&gt;0 ms&lt;/b&gt;");
  expect(page).not.toContain("<b>0 ms");
  expect(page).not.toMatch(/<script|src=|url\(/);
  expect(page).toContain("default-src &#39;none&#39;");
  for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(page).toContain(`id="${target}"`);
});

test("equal drills give equal pages, and what is shown passes the published schema", () => {
  expect(drillPage(drillReport(TROUBLES))).toBe(drillPage(drillReport(TROUBLES)));
  expect(DrillReportSchema.safeParse(drillReport(TROUBLES)).success).toBe(true);
});
