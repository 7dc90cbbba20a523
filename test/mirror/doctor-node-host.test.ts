import { expect, test } from "vitest";
import { CanaryError } from "../../src/core/errors.ts";
import { nodeHost } from "../../src/mirror/doctor/node-host.ts";

const host = nodeHost({ platform: "linux", nodeVersion: "v24.21.0", userId: 0, dockerHost: undefined });
const signal = new AbortController().signal;
const options = { timeoutMs: 20_000, signal };

test("a command's exit code, output and error lines are kept apart", async () => {
  const lines: string[] = [];
  const result = await host.run("sh", ["-c", "echo out; echo one >&2; echo two >&2; exit 3"], {
    ...options,
    onLine: (line) => lines.push(line),
  });
  expect(result).toEqual({ kind: "exited", exitCode: 3, stdout: "out\n", stderr: "one\ntwo\n" });
  expect(lines).toEqual(["one", "two"]);
});

test("a command that does not exist is an answer", async () => {
  expect(await host.run("no-such-command-anywhere", [], options)).toEqual({ kind: "missing" });
});

test("arguments reach the command without a shell in between", async () => {
  expect(await host.run("printf", ["%s", "$HOME; `id`"], options)).toMatchObject({ stdout: "$HOME; `id`\n" });
});

test("of a long output only the end is kept", async () => {
  const result = await host.run(
    "sh",
    ["-c", "i=0; while [ $i -lt 20000 ]; do echo line-$i; i=$((i+1)); done"],
    options,
  );
  expect(result.kind === "exited" && result.stdout.length).toBe(64 * 1024);
  expect(result.kind === "exited" && result.stdout.endsWith("line-19999\n")).toBe(true);
});

test("a command that does not end is stopped at its deadline, with an error of its own code", async () => {
  const error = await host.run("sleep", ["60"], { ...options, timeoutMs: 50 }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CanaryError);
  expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED" });
});

test("an abort stops a command with the reason of the abort", async () => {
  const controller = new AbortController();
  const running = host.run("sh", ["-c", "echo started >&2; exec sleep 60"], {
    timeoutMs: 20_000,
    signal: controller.signal,
    onLine: () => controller.abort(new Error("a human said so")),
  });
  await expect(running).rejects.toThrow("a human said so");
});

test("files, disks and access that are not there are answers", async () => {
  expect(await host.readText("/no/such/file")).toBeUndefined();
  expect(await host.freeDiskBytes("/no/such/place")).toBeUndefined();
  expect(await host.writeAccess("/no/such/file")).toBe("missing");
  expect(await host.freeDiskBytes("/")).toBeGreaterThan(0);
});
