import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";

/** What a page looks like to someone who uses it; sizes in CSS pixels. */
export interface PageAudit {
  /** Every visible piece of text, in HTML or SVG, with its contrast to what is behind it (WCAG 2 asks for 4.5). */
  readonly texts: readonly { readonly where: string; readonly text: string; readonly contrast: number }[];
  /** Every picture that is shown; `scale` 1 is the size it was drawn for. */
  readonly pictures: readonly { readonly width: number; readonly height: number; readonly scale: number }[];
  /** Levels of the headings, in order. */
  readonly headingLevels: readonly number[];
  /** Tables without a caption or without column heads. */
  readonly bareTables: number;
  /** By how much the page is wider than its window; at most 0 where nothing scrolls sideways. */
  readonly overflowPx: number;
  /** Elements that could run or load something. */
  readonly active: number;
  readonly pageColor: string;
}

const SCRIPT = readFileSync(new URL("page-audit-in-browser.js", import.meta.url), "utf8");

/** Looks at the page as it stands now. */
export async function auditPage(page: Page): Promise<PageAudit> {
  return await page.evaluate<PageAudit>(SCRIPT);
}

/** Texts of the page whose contrast is below what WCAG 2 AA asks of normal text. */
export async function paleTexts(page: Page): Promise<PageAudit["texts"]> {
  const { texts } = await auditPage(page);
  return texts.filter(({ contrast }) => contrast < 4.5);
}
