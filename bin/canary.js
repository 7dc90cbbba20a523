#!/usr/bin/env node
// Plain JavaScript that any Node can read: says clearly when Node is too old, otherwise hands over.
import { existsSync } from "node:fs";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const tooOld = major < 24 || (major === 24 && minor < 15);
if (tooOld) {
  process.stderr.write(
    `canary needs Node 24.15 or newer; this is ${process.versions.node}.\n` +
      "Inside the project use `npx canary ...` or `npm run ...`: they find the Node 24 that `npm ci` installed.\n",
  );
  process.exitCode = 2;
} else {
  // `canary ledger tail | head` is no bug: 128 + SIGPIPE, no success and no verdict, in place of a stack trace.
  process.stdout.once("error", (error) => {
    if (error.code === "EPIPE") process.exit(141);
    throw error;
  });
  // Node strips types only outside node_modules, so the published package runs compiled files.
  const compiled = new URL("../dist/cli/main.js", import.meta.url);
  const source = new URL("../src/cli/main.ts", import.meta.url);
  const { main } = await import(existsSync(source) ? source.href : compiled.href);
  await main(process.argv.slice(2));
}
