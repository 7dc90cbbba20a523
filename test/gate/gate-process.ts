import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { loadPublicKey } from "../../src/attest/keys.ts";
import { systemClock } from "../../src/cli/system.ts";
import { sha256Hex } from "../../src/core/sha256.ts";
import type { Entry } from "../../src/ledger/ledger.ts";
import { openLedger } from "../../src/ledger/open-ledger.ts";
import { openSqliteStore } from "../../src/ledger/sqlite-store.ts";
import { verifyLog } from "../../src/ledger/verify-log.ts";
import { type GateWorld, tokenOf } from "./gate-world.ts";
import { ENVIRONMENT, POLICY_DIGEST } from "./promotion-builder.ts";

const CANARY = path.join(import.meta.dirname, "../../bin/canary.js");
const HOST = "127.0.0.1";

/** `canary gate serve` with its own files: configuration, trusted keys of a world, ledger. Disposing removes the folder. */
export interface GateFolder extends AsyncDisposable {
  /** @param canary - the command; of the sources where none is given */
  readonly start: (canary?: string) => Promise<GateProcess>;
  /** Every entry of the ledger, and what a whole verification of it finds, read with no gate running. */
  readonly ledger: () => Promise<{ readonly entries: readonly Entry[]; readonly findings: readonly string[] }>;
}

/** A gate that runs. */
export interface GateProcess {
  readonly url: string;
  readonly pid: number | undefined;
  /** Ends it without a chance to tidy up, and resolves when it is gone. */
  readonly kill: () => Promise<void>;
}

/** Writes what a gate needs that guards these environments and believes whom the world believes. */
export async function gateFolder(world: GateWorld, environments: readonly string[]): Promise<GateFolder> {
  const folder = await mkdtemp(path.join(tmpdir(), "canary-gate-"));
  const write = (name: string, content: unknown): Promise<void> =>
    writeFile(path.join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  const { mirrors, scenarios } = ENVIRONMENT;
  await write("trust.yaml", {
    schema: "canary.trust/v1",
    keys: world.keyring.keys.map(({ identity, role, publicPem }) => ({ identity, role, publicKey: publicPem })),
  });
  await write("token.secret", randomBytes(32).toString("base64"));
  await write("gate.yaml", {
    schema: "canary.gate/v1",
    listen: { host: HOST, port: 0 },
    trust: "trust.yaml",
    tokens: { secretFile: "token.secret" },
    environments: environments.map((id) => ({
      id,
      class: "production",
      mirrors,
      scenarios,
      policies: [POLICY_DIGEST],
    })),
    callers: [
      {
        name: "any",
        may: ["publish", "promote", "check"],
        environments: ["production/*"],
        tokenSha256: sha256Hex(tokenOf("any")),
        rate: { perSecond: 100_000, burst: 100_000 },
      },
    ],
  });
  let origin = "";
  return {
    start: async (canary = CANARY) => {
      const args = [canary, "gate", "serve", "--config", "gate.yaml", "--ledger", "ledger.db", "--json"];
      const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
      const listening = await firstLine(child);
      origin = listening.ledger;
      return {
        url: listening.url,
        pid: child.pid,
        kill: async () => {
          const ended = once(child, "close");
          child.kill("SIGKILL");
          await ended;
        },
      };
    },
    ledger: async () => {
      const pem = await readFile(path.join(folder, ".canary/keys/ledger.pub"), "utf8");
      const verifier = { name: origin, publicKey: loadPublicKey(pem).publicKey };
      const file = path.join(folder, "ledger.db");
      const open = () => openSqliteStore({ file, access: "read", clock: systemClock });
      await using store = open();
      const signal = new AbortController().signal;
      const { findings } = await verifyLog({ reader: store, origin, verifiers: [verifier], known: [], signal });
      await using ledger = await openLedger({ store: open(), clock: systemClock, verifiers: [verifier] });
      const entries: Entry[] = [];
      for (let some = await ledger.entries(0, 1000); some.length > 0; some = await ledger.entries(entries.length, 1000))
        entries.push(...some);
      return { entries, findings: findings.map(({ code, message }) => `${code} ${message}`) };
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function firstLine(child: ChildProcess): Promise<{ readonly url: string; readonly ledger: string }> {
  let text = "";
  let trouble = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    trouble += chunk;
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    if (text.includes("}")) resolve();
  });
  child.once("exit", () => reject(new Error(`the gate did not start: ${trouble}`)));
  await promise;
  return JSON.parse(text);
}
