import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import type { KeyRole } from "../../src/attest/keyring.ts";
import { newKeyPair } from "../../src/attest/keys.ts";
import { serveGate } from "../../src/cli/gate-serve.ts";
import { startProvider } from "../support/oidc-provider.ts";

afterEach(() => vi.unstubAllEnvs());

const ORIGIN = "https://gate.example";
const DIGEST = "ab".repeat(32);

/** A folder with everything that a gate with single sign-on is configured by. */
async function folder(options: { readonly issuer: string; readonly role?: KeyRole; readonly people?: string }) {
  const { issuer, role = "gate", people = "" } = options;
  const place = await mkdtemp(path.join(tmpdir(), "canary-sign-on-"));
  const [gate, ledger] = [newKeyPair(), newKeyPair()];
  vi.stubEnv("CANARY_LEDGER_KEY", ledger.privatePem);
  const files = {
    "gate.key": gate.privatePem,
    "gate.pub": gate.publicPem,
    secret: "a secret of at least thirty-two characters\n",
    "trust.yaml": `schema: canary.trust/v1\nkeys: [{ identity: gate, role: ${role}, publicKeyFile: gate.pub }]\n`,
    "people.yaml": `schema: canary.sign-on-people/v1\npeople: [{ identity: ada, account: "7" }${people}]\n`,
    "gate.yaml": JSON.stringify({
      schema: "canary.gate/v1",
      listen: { port: 0 },
      trust: "trust.yaml",
      environments: [{ id: "production", class: "production", mirrors: [DIGEST], scenarios: [DIGEST] }],
      callers: [{ name: "ci", may: ["check"], tokenSha256: DIGEST }],
      approvals: {
        origin: ORIGIN,
        singleSignOn: {
          issuer,
          clientId: "canary-gate",
          clientSecretFile: "secret",
          peopleFile: "people.yaml",
          witnessKeyFile: "gate.key",
        },
      },
    }),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(place, name), text, { mode: 0o600 });
  return {
    serve: () =>
      serveGate({ config: path.join(place, "gate.yaml"), ledger: path.join(place, "ledger.db") }, () => undefined),
    [Symbol.asyncDispose]: () => rm(place, { recursive: true }),
  };
}

test("a gate that is configured for single sign-on sends people to its provider, and offers no passkeys", async () => {
  await using provider = await startProvider({
    redirectUri: `${ORIGIN}/approvals/sign-on/callback`,
    account: { sub: "7" },
  });
  await using place = await folder({ issuer: provider.issuer });
  await using gate = await place.serve();
  const response = await fetch(`${gate.url}/v1/sign-on/start`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: ORIGIN },
    body: JSON.stringify({ purpose: "approve", plan: DIGEST, verdict: DIGEST, environment: "production" }),
  });
  expect(response.status).toBe(200);
  const { location } = (await response.json()) as { readonly location: string };
  expect(location).toMatch(new RegExp(`^${provider.issuer}/auth\\?`));
  expect(new URL(location).searchParams.get("redirect_uri")).toBe(`${ORIGIN}/approvals/sign-on/callback`);
  expect((await fetch(`${gate.url}/approvals/enrol`)).status).toBe(404);
});

test("a gate starts without its provider", async () => {
  await using place = await folder({ issuer: "http://127.0.0.1:1" });
  await using gate = await place.serve();
  expect((await fetch(`${gate.url}/healthz`)).status).toBe(200);
});

test("a gate whose own key is not trusted to witness does not start", async () => {
  await using place = await folder({ issuer: "https://login.example", role: "canary" });
  await expect(place.serve()).rejects.toMatchObject({
    code: "GATE_INVALID",
    message: expect.stringContaining("is trusted for verdicts"),
  });
});

test("an issuer without TLS beyond this machine, and an account of two people, are refused", async () => {
  await using insecure = await folder({ issuer: "http://login.example" });
  await expect(insecure.serve()).rejects.toMatchObject({ code: "GATE_INVALID" });
  await using ambiguous = await folder({
    issuer: "https://login.example",
    people: ', { identity: eve, account: "7" }',
  });
  await expect(ambiguous.serve()).rejects.toMatchObject({
    code: "GATE_INVALID",
    hint: expect.stringContaining("stands there twice"),
  });
});
