import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/cli/system.ts";
import { openLedger } from "../../src/ledger/open-ledger.ts";
import { openSqliteStore } from "../../src/ledger/sqlite-store.ts";
import { newSigner, someEntries, subjectOf } from "../support/ledger-place.ts";

const folder = mkdtempSync(path.join(tmpdir(), "canary-ledger-cli-"));
const at = (name: string): string => path.join(folder, name);
const READ = ["--ledger", at("ledger.db"), "--key", at("ledger.pub")];

beforeAll(async () => {
  const signer = newSigner();
  writeFileSync(at("ledger.pub"), signer.publicKey.export({ type: "spki", format: "pem" }));
  const store = openSqliteStore({ file: at("ledger.db"), access: "append", clock: systemClock });
  await using ledger = await openLedger({ store, clock: systemClock, signer });
  await ledger.append(someEntries(30), { documents: [Buffer.from("a verdict")] });
  const hostile = { note: "\u001b[2J::error::promoted" };
  await ledger.append([{ kind: "intent", at: "2026-11-24T01:00:00.000Z", body: hostile, about: [subjectOf(3)] }]);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The command as its user would type it. */
function canary(...args: readonly string[]): {
  readonly exitCode: number | null;
  readonly out: string;
  readonly err: string;
} {
  const environment = { ...process.env, CANARY_DATABASE_URL: "", CANARY_LEDGER: "" };
  const argv = ["bin/canary.js", "ledger", ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8", env: environment });
  return { exitCode: status, out: stdout, err: stderr };
}

test("verify says what it verified, with exit 0, also as JSON", () => {
  const { exitCode, out } = canary("verify", ...READ);
  expect({ exitCode, out }).toMatchObject({ exitCode: 0, out: expect.stringContaining("31 entries, 1 documents") });
  expect(JSON.parse(canary("verify", ...READ, "--json").out)).toMatchObject({
    verified: true,
    entries: 31,
    findings: [],
  });
});

test("where there is no ledger, and where an entry is no number, it is said what to do", () => {
  const nowhere = canary("verify", "--ledger", at("nowhere.db"), "--key", at("ledger.pub"));
  expect(nowhere).toMatchObject({ exitCode: 20, err: expect.stringContaining("Name the ledger with --ledger") });
  const noNumber = canary("prove", "first", ...READ);
  expect(noNumber).toMatchObject({ exitCode: 2, err: expect.stringContaining("`canary ledger tail` prints it") });
});

test("tail prints the newest entries, of a kind or about a digest, and none of them commands a terminal", () => {
  const { out } = canary("tail", ...READ, "-n", "2");
  expect(
    out
      .split("\n")
      .slice(0, 2)
      .map((line) => line.split(" ").slice(0, 3).join(" ")),
  ).toEqual(["29 2026-11-24T00:00:29.000Z decision", "30 2026-11-24T01:00:00.000Z intent"]);
  expect(out).not.toContain("\u001b");
  const about = canary("tail", ...READ, "--about", subjectOf(3), "--json")
    .out.trim()
    .split("\n");
  expect(about.map((line) => JSON.parse(line).index)).toEqual([3, 30]);
  const kinds = canary("tail", ...READ, "--kind", "decision", "-n", "1", "--json").out.trim();
  expect(JSON.parse(kinds).index).toBe(29);
  expect(canary("tail", ...READ, "--kind", "weather").exitCode).toBe(2);
  expect(canary("tail", ...READ, "-n", "0").exitCode).toBe(2);
});

test("tail masks secrets and personal data, and leaves digests, claims of them, key ids and who answers for it", async () => {
  const signer = newSigner();
  const file = at("words.db");
  writeFileSync(at("words.pub"), signer.publicKey.export({ type: "spki", format: "pem" }));
  const [token, key] = ["ab", "cd"].map((pair) => pair.repeat(32));
  const credential = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";
  const left = {
    by: "ada@example.com",
    credential,
    key: key ?? "",
    schema: "canary.gate-decision/v1",
    token: { sha256: token ?? "", until: "2026-11-24T10:10:00.000Z" },
  };
  const words = "of eve@example.com, password=hunter2hunter2 and gh\u00adp_0123456789abcdefghij0123456789abcdef";
  {
    const store = openSqliteStore({ file, access: "append", clock: systemClock });
    await using ledger = await openLedger({ store, clock: systemClock, signer });
    const entry = { kind: "decision", at: "2026-11-24T10:00:00.000Z", about: [key ?? ""] } as const;
    await ledger.append([{ ...entry, body: { ...left, words }, claim: `token:${token}` }]);
    await ledger.append([{ ...entry, body: {}, claim: "token:hunter2hunter2" }]);
  }
  const read = ["--ledger", file, "--key", at("words.pub")];
  const lines = canary("tail", ...read).out;
  const json = canary("tail", ...read, "--json").out;
  for (const secret of ["eve@", "hunter2", "p_0123456789"]) expect(lines).not.toContain(secret);
  for (const secret of ["eve@", "hunter2"]) expect(json).not.toContain(secret);
  expect(lines).toContain(`0 2026-11-24T10:00:00.000Z decision [token:${token}] ${JSON.stringify(left).slice(0, -1)}`);
  expect(JSON.parse(json.split("\n")[0] ?? "")).toMatchObject({ about: [key], claim: `token:${token}`, body: left });
});

test("a proof is written with its entry, checks without the ledger, and not for another entry", () => {
  const proof = at("7.tlog-proof");
  expect(canary("prove", "7", ...READ, "--out", proof).exitCode).toBe(0);
  const check = ["check-proof", proof, `${proof}.entry.json`, "--key", at("ledger.pub")];
  expect(canary(...check)).toMatchObject({
    exitCode: 0,
    out: expect.stringContaining("entry 7 is in canary.test/ledger"),
  });
  writeFileSync(at("other.json"), readFileSync(`${proof}.entry.json`, "utf8").replace("true", "null"));
  expect(canary("check-proof", proof, at("other.json"), "--key", at("ledger.pub")).exitCode).toBe(30);
  expect(canary("prove", "31", ...READ).exitCode).toBe(3);
  expect(canary("prove", "one", ...READ).exitCode).toBe(2);
});

test("an exported copy verifies by itself, and the ledger goes on from its checkpoint", () => {
  const copy = at("copy");
  expect(canary("export", copy, ...READ)).toMatchObject({ exitCode: 0, out: expect.stringContaining("31 entries") });
  expect(canary("verify", "--copy", copy, "--key", at("ledger.pub")).exitCode).toBe(0);
  const checkpoint = ["--checkpoint", path.join(copy, "checkpoint")];
  expect(canary("verify", ...READ, ...checkpoint).exitCode).toBe(0);
  expect(canary("ship", copy, ...READ)).toMatchObject({ exitCode: 0, out: expect.stringContaining("0 of them new") });
});

test("a changed row ends verify with exit 30 and is named", () => {
  const changed = at("changed.db");
  writeFileSync(changed, readFileSync(at("ledger.db")));
  const database = new DatabaseSync(changed);
  database.exec("DROP TRIGGER entries_refuse_update; UPDATE entries SET entry = x'7b7d' WHERE idx = 5");
  database.close();
  const { exitCode, out } = canary("verify", "--ledger", changed, "--key", at("ledger.pub"));
  expect({ exitCode, out }).toMatchObject({ exitCode: 30, out: expect.stringContaining("entry 5 was changed") });
  const json = JSON.parse(canary("verify", "--ledger", changed, "--key", at("ledger.pub"), "--json").out);
  expect(json).toMatchObject({ verified: false, exitCode: 30 });
});

test("a ledger that is not there, or signed with another key, is no ledger", () => {
  expect(canary("verify", "--ledger", at("nowhere.db"), "--key", at("ledger.pub")).exitCode).toBe(20);
  const stranger = newSigner();
  writeFileSync(at("stranger.pub"), stranger.publicKey.export({ type: "spki", format: "pem" }));
  expect(canary("verify", "--ledger", at("ledger.db"), "--key", at("stranger.pub")).exitCode).toBe(30);
});

test("every command has help with an example", () => {
  for (const command of ["verify", "tail", "prove", "check-proof", "export", "ship"]) {
    const { exitCode, out } = canary(command, "--help");
    expect({ exitCode, out }).toMatchObject({
      exitCode: 0,
      out: expect.stringMatching(/Examples?:\n {2}.*canary ledger/),
    });
  }
});
