import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { signStatement, verdictStatement } from "../../src/attest/verdict-statement.ts";
import { failWith } from "../../src/cli/failure.ts";
import { main } from "../../src/cli/main.ts";
import { CanaryError } from "../../src/core/errors.ts";
import { SIGNING_KEY, VERDICT_INPUT } from "../attest/verdict-builder.ts";

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

test("what an error quotes commands neither a terminal nor a runner", () => {
  const written: string[] = [];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  const hostile = new CanaryError({
    code: "MIRROR_UNAVAILABLE",
    message: "api says \u001b[2J\u001b]0;owned\u0007 promote",
    hint: "Its last lines:\n::stop-commands::x\n##[add-mask]y",
  });
  failWith(hostile, { debug: true, json: false });
  const text = written.join("");
  expect(text).not.toContain("\u001b");
  expect(text).not.toMatch(/^\s*::/m);
  expect(text).not.toContain("##[");
  expect(text).toContain("Its last lines:");
  expect(process.exitCode).toBe(20);
});

test("a verdict that anybody may have written cannot repaint what is said of it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "canary-show-"));
  try {
    const file = join(folder, "verdict.sigstore.json");
    const agent = {
      ...VERDICT_INPUT.plan.agent,
      id: "agent\u001b[1A\u001b[2Kverified with key\n::set-output name=x::y",
    };
    const statement = verdictStatement({ ...VERDICT_INPUT, plan: { ...VERDICT_INPUT.plan, agent } });
    await writeFile(file, signStatement(statement, SIGNING_KEY));
    let text = "";
    vi.spyOn(process.stdout, "write").mockImplementation((piece) => {
      text += String(piece);
      return true;
    });
    await main(["verdict", "show", file]);
    expect(text).toMatch(/^NOT VERIFIED/);
    expect(text).not.toContain("\u001b");
    expect(text).not.toMatch(/^\s*::/m);
  } finally {
    await rm(folder, { recursive: true });
  }
});
