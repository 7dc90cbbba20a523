import { readFileSync } from "node:fs";

/** Version of this harness, from the package it runs in. */
export function harnessVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const parsed: { version?: unknown } = JSON.parse(text);
  return String(parsed.version);
}
