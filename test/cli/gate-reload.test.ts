import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { newKeyPair } from "../../src/attest/keys.ts";
import { serveGate } from "../../src/cli/gate-serve.ts";
import { sha256Hex } from "../../src/core/sha256.ts";

afterEach(() => vi.unstubAllEnvs());

const DIGEST = "ab".repeat(32);
const ENVIRONMENT = "production";
const tokenOf = (name: string): string => `test-token-of-${name}-0123456789`;
const OLGA = { name: "olga", may: ["operate", "metrics"], tokenSha256: sha256Hex(tokenOf("olga")) };
const known = (name: string) => ({
  name,
  may: ["check"],
  environments: [ENVIRONMENT],
  tokenSha256: sha256Hex(tokenOf(name)),
});

/** A gate that listens and is configured by a file, and a promise of what it will report. */
async function gateOf(callers: readonly object[]) {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(tmpdir(), "canary-gate-reload-"));
  opening.defer(() => rm(folder, { recursive: true }));
  vi.stubEnv("CANARY_LEDGER_KEY", newKeyPair().privatePem);
  const file = path.join(folder, "gate.yaml");
  const write = async (text: string): Promise<void> => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  const configured = (listed: readonly object[]): string =>
    JSON.stringify({
      schema: "canary.gate/v1",
      listen: { port: 0 },
      trust: "trust.yaml",
      environments: [{ id: ENVIRONMENT, class: "production", mirrors: [DIGEST], scenarios: [DIGEST] }],
      callers: listed,
    });
  const keys = [{ identity: "harness", role: "canary", publicKey: newKeyPair().publicPem }];
  await writeFile(path.join(folder, "trust.yaml"), JSON.stringify({ schema: "canary.trust/v1", keys }));
  await write(configured(callers));
  const listeners = new Set<(message: string) => void>();
  const gate = opening.use(
    await serveGate({ config: file, ledger: path.join(folder, "ledger.db") }, (message) => {
      for (const listener of listeners) listener(message);
    }),
  );
  const owned = opening.move();
  return {
    write,
    configure: (listed: readonly object[]) => write(configured(listed)),
    reported: (words: RegExp) =>
      new Promise<string>((resolve) => listeners.add((message) => words.test(message) && resolve(message))),
    ask: async (target: string, as: string, body?: object) => {
      const response = await fetch(`${gate.url}${target}`, {
        method: body === undefined ? "GET" : "POST",
        headers: { authorization: `Bearer ${tokenOf(as)}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, text: await response.text() };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const CHANGE = { kind: "resources", resources: [{ path: "service/worker/replicas", to: 3 }] };
const PROMOTION = { plan: DIGEST, environment: ENVIRONMENT, change: CHANGE };

test("a token that is taken out of gate.yaml is nobody's any more while the gate goes on, and a new one is known", async () => {
  await using gate = await gateOf([OLGA, known("leaked")]);
  expect(await gate.ask("/v1/decisions/1", "leaked")).toMatchObject({ status: 404 });
  expect(await gate.ask("/v1/decisions/1", "fresh")).toMatchObject({ status: 401 });
  const changed = gate.reported(/^the callers are others now: olga, fresh$/);
  await gate.configure([OLGA, known("fresh")]);
  await changed;
  expect(await gate.ask("/v1/decisions/1", "leaked")).toMatchObject({ status: 401 });
  expect(await gate.ask("/v1/decisions/1", "fresh")).toMatchObject({ status: 404 });
});

test("while gate.yaml cannot be read nothing is admitted to anybody, whoever operates gets through, and log and metrics say so", async () => {
  await using gate = await gateOf([OLGA, known("ci")]);
  const refused = async (): Promise<boolean> => {
    const { text } = await gate.ask("/v1/promotions/check", "ci", PROMOTION);
    return text.includes("CALLER_NOT_ALLOWED");
  };
  const counted = async (): Promise<string | undefined> =>
    /^canary_gate_file_unreadable\{file="callers"\} (.+)$/m.exec((await gate.ask("/metrics", "olga")).text)?.[1];
  expect(await refused()).toBe(false);
  const broken = gate.reported(/cannot be read, so its callers are allowed no environment/);
  await gate.write("schema: canary.gate/v1\ncallers: [{ name: ci }");
  expect(await broken).toMatch(/is not readable YAML or JSON \(.*gate\.yaml:2:/s);
  expect(await refused()).toBe(true);
  expect(await counted()).toBe("1");
  const mended = gate.reported(/^the callers are others now: olga, ci$/);
  await gate.configure([OLGA, known("ci")]);
  await mended;
  expect(await refused()).toBe(false);
  expect(await counted()).toBe("0");
});
