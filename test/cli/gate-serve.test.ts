import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { newKeyPair } from "../../src/attest/keys.ts";
import { serveGate } from "../../src/cli/gate-serve.ts";

afterEach(() => vi.unstubAllEnvs());

const DIGEST = "ab".repeat(32);

/** A folder with a gate that listens where it is told. */
async function folder() {
  const place = await mkdtemp(path.join(tmpdir(), "canary-gate-serve-"));
  vi.stubEnv("CANARY_LEDGER_KEY", newKeyPair().privatePem);
  const key = { identity: "rehearsals", role: "canary", publicKey: newKeyPair().publicPem };
  await writeFile(path.join(place, "trust.yaml"), JSON.stringify({ schema: "canary.trust/v1", keys: [key] }));
  return {
    serve: async (listen: { readonly host?: string; readonly port: number }) => {
      const config = {
        schema: "canary.gate/v1",
        listen,
        trust: "trust.yaml",
        environments: [{ id: "production", class: "production", mirrors: [], scenarios: [] }],
        callers: [{ name: "ci", may: ["check"], tokenSha256: DIGEST }],
      };
      const file = path.join(place, "gate.yaml");
      await writeFile(file, JSON.stringify(config));
      return await serveGate({ config: file, ledger: path.join(place, "ledger.db") }, () => undefined);
    },
    [Symbol.asyncDispose]: () => rm(place, { recursive: true }),
  };
}

test("a port that is taken is told as what is wrong with the configuration, and as no bug", async () => {
  await using place = await folder();
  await using first = await place.serve({ port: 0 });
  const port = Number(new URL(first.url).port);
  await expect(place.serve({ port })).rejects.toMatchObject({
    code: "GATE_INVALID",
    message: expect.stringMatching(`^the gate cannot listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`),
    hint: expect.stringContaining("listen"),
  });
  expect((await fetch(`${first.url}/healthz`)).status).toBe(200);
});
