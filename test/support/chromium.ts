import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
];
/** Nothing a test page does may make the browser itself talk to anyone. */
const QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** A real headless browser; scripts/setup-browser.sh installs one. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = PLACES.find((place) => existsSync(place));
  if (executablePath === undefined) throw new Error("no Chromium found; run scripts/setup-browser.sh");
  return await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", ...QUIET] });
}
