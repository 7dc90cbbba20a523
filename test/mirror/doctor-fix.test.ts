import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { CanaryError } from "../../src/core/errors.ts";
import { concern, type Finding, healthy } from "../../src/mirror/doctor/finding.ts";
import { fix } from "../../src/mirror/doctor/fix.ts";
import { exited, simulatedHost } from "./simulated-host.ts";

const signal = new AbortController().signal;
const broken = (check: "engine" | "images", fixable = true): Finding => ({
  check,
  status: "fail",
  message: "gone",
  fixable,
});

test("what can be fixed is set up by the script of the package, engine before images", async () => {
  const { host, ran } = simulatedHost([], { commands: { bash: exited(0) } });
  expect(await fix([broken("images"), broken("engine")], { host, signal })).toEqual(["engine", "images"]);
  const [, script, ...parts] = (ran[0] ?? "").split(" ");
  expect(existsSync(script ?? "")).toBe(true);
  expect(parts).toEqual(["engine", "images"]);
});

test("nothing is run when nothing can be fixed", async () => {
  const { host, ran } = simulatedHost([], { commands: { bash: exited(0) } });
  const findings = [healthy("engine", "fine"), broken("images", false), concern("disk", "fail", "full", "clean up")];
  expect(await fix(findings, { host, signal })).toEqual([]);
  expect(ran).toEqual([]);
});

test("a set-up that fails is an error that says what the script said last", async () => {
  const stderr = "setup: installing\nsetup: apt-get could not install: docker.io\nsetup: Install it by hand.\n";
  const { host } = simulatedHost([], { commands: { bash: exited(20, { stderr }) } });
  const error = await fix([broken("engine")], { host, signal }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CanaryError);
  expect(error).toMatchObject({
    code: "MIRROR_UNAVAILABLE",
    message: "set-up of engine failed",
    hint: "apt-get could not install: docker.io - Install it by hand.",
  });
});

test("a machine without bash is told so", async () => {
  const { host } = simulatedHost([]);
  await expect(fix([broken("engine")], { host, signal })).rejects.toMatchObject({ hint: "Install bash." });
});

test("the script's progress is passed on line by line", async () => {
  const { host } = simulatedHost([], { commands: { bash: exited(0, { stderr: "setup: one\nsetup: two" }) } });
  const lines: string[] = [];
  await fix([broken("images")], { host, signal, onLine: (line) => lines.push(line) });
  expect(lines).toEqual(["setup: one", "setup: two"]);
});
