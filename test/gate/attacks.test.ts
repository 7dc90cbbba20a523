import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { CanaryError } from "../../src/core/errors.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { sha256Hex } from "../../src/core/sha256.ts";
import type { KnownCaller } from "../../src/gate/http/exchange.ts";
import type { Route } from "../../src/gate/http/route.ts";
import { allowing, CALLERS, gateWorld, type ServedGate, tokenOf } from "./gate-world.ts";
import { DAY_MS } from "./promotion-builder.ts";

const CHANGE = { kind: "resources", resources: [{ path: "service/worker/replicas", to: 3 }] };

async function served(options: Parameters<Awaited<ReturnType<typeof gateWorld>>["serve"]>[0] = {}) {
  const world = await gateWorld();
  const gate = await world.serve(options);
  return {
    world,
    gate,
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

/** Sends bytes as they are; what came back until the other side closed, or until there is an answer and we close. */
async function raw(gate: ServedGate, bytes: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(gate.url);
  return await new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let received = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      received += text;
      if (received.includes("\r\n\r\n")) socket.end();
    });
    socket.on("close", () => resolve(received)).on("error", reject);
  });
}

const BAD_BODIES: readonly (readonly [string, string | Buffer])[] = [
  ["nothing", ""],
  ["no JSON", "{"],
  ["a key twice", '{"plan":"x","plan":"y"}'],
  ["a key twice in two spellings", '{"plan":"x","pl\\u0061n":"y"}'],
  ["__proto__", '{"__proto__":{"may":["operate"]}}'],
  ["an unknown member", `{"plan":"${"a".repeat(64)}","environment":"x","isAdmin":true}`],
  ["constructor and prototype", `{"plan":"${"a".repeat(64)}","environment":"x","constructor":{"prototype":{}}}`],
  ["bytes that are no UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ["half of a character", `{"plan":"${"a".repeat(64)}","environment":"\\ud800"}`],
  ["deep lists", "[".repeat(100_000) + "]".repeat(100_000)],
  ["deep objects", `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`],
  ["a list", "[]"],
  ["null", "null"],
  ["two values", "{}{}"],
  ["a path instead of a digest", '{"plan":"../../etc/passwd","environment":"x"}'],
];

test.each(BAD_BODIES)("a body with %s is refused and harms nobody", async (_, body) => {
  await using it = await served();
  const headers = { "idempotency-key": "a" };
  for (const path of [
    "/v1/promotions",
    "/v1/promotions/check",
    "/v1/verdicts",
    "/v1/approvals",
    "/v1/drills",
    "/v1/kill-switch",
    "/v1/admission",
    "/v1/tokens/use",
  ]) {
    const { status } = await it.gate.ask(path, { method: "POST", body, as: "any", headers });
    expect([400, 413, 422]).toContain(status);
  }
  expect(({} as Record<string, unknown>)["may"]).toBeUndefined();
  expect((await it.gate.ask("/healthz")).status).toBe(200);
  expect(it.world.reports).toEqual([]);
});

test("paths that climb, are encoded or are too long lead nowhere", async () => {
  await using it = await served();
  for (const target of [
    "/v1/../healthz",
    "/v1/verdicts/..%2f..%2fetc%2fpasswd",
    "/v1/verdicts/%2e%2e",
    "//healthz",
    "/V1/promotions",
    "/v1/promotions/",
    "/v1/verdicts/__proto__",
    `/v1/verdicts/${"a".repeat(10_000)}`,
    "http://evil.example/healthz",
    "/v1/decisions/constructor",
  ]) {
    const answer = await raw(
      it.gate,
      `GET ${target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokenOf("any")}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 (400|404|431) /);
  }
});

test("requests that two readers would read differently are no requests", async () => {
  await using it = await served();
  const body = '{"a":1}';
  const post = `POST /v1/promotions/check HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokenOf("any")}\r\n`;
  for (const head of [
    `${post}content-length: 7\r\ntransfer-encoding: chunked\r\n\r\n${body}`,
    `${post}content-length: 7\r\ncontent-length: 8\r\n\r\n${body}`,
    `${post}content-length: -1\r\n\r\n${body}`,
    `${post}transfer-encoding: chunked\r\n\r\nZZ\r\n${body}`,
    "GARBAGE\r\n\r\n",
    `GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${"a".repeat(20_000)}\r\n\r\n`,
  ]) {
    expect(await raw(it.gate, head)).toMatch(/^(HTTP\/1\.1 (400|431) |$)/);
  }
  const twice = `${post}authorization: Bearer ${tokenOf("any")}x\r\ncontent-length: 2\r\n\r\n{}`;
  expect(await raw(it.gate, twice)).not.toMatch(/^HTTP\/1\.1 2/);
});

test("bodies that are too large are refused by what they say and by what they are, compressed ones at once", async () => {
  await using it = await served();
  const large = "x".repeat(LIMITS.gateDocumentBytesMax + 1);
  expect((await it.gate.ask("/v1/verdicts", { body: large, as: "any" })).status).toBe(413);
  const chunked = `POST /v1/kill-switch HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokenOf("any")}\r\ntransfer-encoding: chunked\r\n\r\n`;
  const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
  expect(await raw(it.gate, chunked + chunk + chunk)).toMatch(/^HTTP\/1\.1 413 /);
  const encoded = await it.gate.ask("/v1/verdicts", { body: "x", as: "any", headers: { "content-encoding": "gzip" } });
  expect(encoded.status).toBe(415);
});

test("a caller that is taken out is nobody from the next request on, on a connection that stands too", async () => {
  const callers = [...CALLERS];
  await using it = await served({ callers });
  const { hostname, port } = new URL(it.gate.url);
  const socket = connect(Number(port), hostname).setEncoding("latin1");
  const ask = async (): Promise<string> => {
    socket.write(`GET /v1/decisions/1 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokenOf("ci")}\r\n\r\n`);
    const [answer] = await once(socket, "data");
    return String(answer).split("\r\n", 1)[0] ?? "";
  };
  try {
    expect(await ask()).toContain(" 404 ");
    callers.length = 0;
    expect(await ask()).toContain(" 401 ");
  } finally {
    socket.destroy();
  }
});

test("who asks too often is told to wait, and nobody else is kept waiting", async () => {
  const slow = {
    name: "slow",
    may: ["check"],
    environments: [],
    tokenSha256: sha256Hex(tokenOf("slow")),
    rate: { perSecond: 0.001, burst: 3 },
  } as const;
  await using it = await served({ callers: [...CALLERS, slow] });
  const ask = async (as: string) => (await it.gate.ask("/v1/decisions/1", { as })).status;
  expect([await ask("slow"), await ask("slow"), await ask("slow")]).toEqual([404, 404, 404]);
  expect(await ask("slow")).toBe(429);
  expect(await ask("any")).toBe(404);
});

test("strangers are slowed down by their address, before a byte of theirs is read", async () => {
  await using it = await served();
  const statuses: number[] = [];
  for (let times = 0; times < 40; times++) {
    statuses.push((await it.gate.ask("/v1/promotions", { body: {}, as: "nobody" })).status);
  }
  expect(new Set(statuses)).toEqual(new Set([401, 429]));
  expect((await it.gate.ask("/v1/decisions/1", { as: "any" })).status).toBe(404);
});

test("strangers who guess tokens keep neither probes nor visitors nor webhooks waiting, and looking for paths counts too", async () => {
  const secret = `whsec_${Buffer.alloc(24).toString("base64")}`;
  const senders = [{ name: "pipeline", environments: ["production/*"], secret }];
  await using it = await served({ parts: { senders } });
  const statusOf = async (path: string, method = "GET") => (await it.gate.ask(path, { method })).status;
  const guessed = new Set<number>();
  for (let times = 0; times < 40; times++) guessed.add(await statusOf("/v1/promotions", "POST"));
  expect(guessed).toEqual(new Set([401, 429]));
  const looked = new Set<number>();
  for (let times = 0; times < 40; times++) looked.add(await statusOf("/nothing"));
  expect(looked).toContain(429);
  for (let times = 0; times < 40; times++) {
    expect([await statusOf("/healthz"), await statusOf("/readyz")]).toEqual([200, 200]);
  }
  const together = (times: number, path: string, method: string) =>
    Promise.all(Array.from({ length: times }, () => statusOf(path, method)));
  expect(new Set(await together(15, "/openapi.json", "GET"))).toEqual(new Set([200]));
  expect(new Set(await together(40, "/v1/hooks/standard/pipeline", "POST"))).toEqual(new Set([401]));
  expect((await it.gate.ask("/nothing", { as: "any" })).status).toBe(404);
});

test("whether the gate is ready is read once a second, however often it is asked", async () => {
  await using it = await served();
  let [nowMs, reads] = [0, 0];
  const { head } = it.world.ledger;
  Object.assign(it.world.clock, { monotonicMs: () => nowMs });
  Object.assign(it.world.ledger, { head: () => head().finally(() => (reads += 1)) });
  const ask = () => Promise.all(Array.from({ length: 20 }, async () => (await it.gate.ask("/readyz")).status));
  expect(new Set(await ask())).toEqual(new Set([200]));
  expect(reads).toBe(1);
  nowMs = 1000;
  await ask();
  expect(reads).toBe(2);
});

test("while policy has no answer the gate says that it is not ready, and the log why", async () => {
  await using it = await served();
  let nowMs = 0;
  Object.assign(it.world.clock, { monotonicMs: () => nowMs });
  it.world.policy = { kind: "error", why: "its engine is gone" };
  const answer = await it.gate.ask("/readyz");
  expect(answer).toMatchObject({ status: 503, json: { ready: false, why: "policy does not answer" } });
  expect(it.world.reports.join()).toContain("its engine is gone");
  it.world.policy = allowing();
  nowMs = 1000;
  expect((await it.gate.ask("/readyz")).status).toBe(200);
});

test("what goes wrong inside is told to the log, not to the caller, and admits nothing", async () => {
  const broken: Route = {
    method: "GET",
    path: "/broken",
    summary: "",
    access: "open",
    bodyBytesMax: 0,
    replies: {},
    handle: () => {
      throw new Error("secret of the house");
    },
  };
  await using it = await served({ more: [broken] });
  const { status, text } = await it.gate.ask("/broken");
  expect(status).toBe(500);
  expect(text).not.toContain("secret");
  expect(it.world.reports.join()).toContain("secret of the house");
});

test("with the ledger gone, slow or full every answer is a refusal, and the gate says that it is not ready", async () => {
  for (const code of [
    "LEDGER_UNAVAILABLE",
    "LEDGER_SLOW",
    "LEDGER_READ_ONLY",
    "LEDGER_FULL",
    "LEDGER_TAMPERED",
  ] as const) {
    await using it = await served();
    const plan = it.world.plan(1);
    await it.gate.ask("/v1/verdicts", { body: it.world.submission(plan), as: "ci" });
    const fail = async (): Promise<never> => {
      throw new CanaryError({ code, message: "as it is", hint: "-" });
    };
    Object.assign(it.world.ledger, { append: fail });
    const body = { plan: plan.sha256, environment: "production/eu-west", change: CHANGE };
    const headers = { "idempotency-key": "a" };
    const answer = await it.gate.ask("/v1/promotions", { body, as: "deployer", headers });
    expect(answer).toMatchObject({ status: 503, json: { decision: "refuse", token: null } });
    Object.assign(it.world.ledger, { head: fail, entriesAbout: fail });
    expect((await it.gate.ask("/v1/promotions/check", { body, as: "ci" })).status).toBe(503);
    expect((await it.gate.ask("/readyz")).status).toBe(503);
    expect((await it.gate.ask("/v1/verdicts", { body: it.world.submission(it.world.plan(2)), as: "ci" })).status).toBe(
      503,
    );
  }
});

test("a ledger that does not answer is waited for no longer than delivery tools wait", async () => {
  await using it = await served();
  Object.assign(it.world.ledger, { head: () => new Promise(() => undefined) });
  const body = { plan: it.world.plan(1).sha256, environment: "production/eu-west", change: CHANGE };
  const answer = await it.gate.ask("/v1/promotions/check", { body, as: "ci" });
  expect(answer).toMatchObject({ status: 503, json: { reasons: [{ code: "EVIDENCE_UNAVAILABLE" }] } });
});

test("a clock that is set back admits nothing", async () => {
  await using it = await served();
  const plan = it.world.plan(1);
  await it.gate.ask("/v1/verdicts", { body: it.world.submission(plan), as: "ci" });
  it.world.clock.nowEpochMs -= 61_000;
  const body = { plan: plan.sha256, environment: "production/eu-west", change: CHANGE };
  const { json } = await it.gate.ask("/v1/promotions/check", { body, as: "ci" });
  expect(json.reasons[0].code).toBe("CLOCK_UNSOUND");
});

test("a clock that is set back brings no verdict back that has expired since the ledger's newest entry", async () => {
  await using it = await served();
  const plan = it.world.plan(1);
  await it.gate.ask("/v1/verdicts", { body: it.world.submission(plan), as: "ci" });
  const body = { plan: plan.sha256, environment: "production/eu-west", change: CHANGE };
  const codes = async () => {
    const { json } = await it.gate.ask("/v1/promotions/check", { body, as: "ci" });
    return json.reasons.map(({ code }: { readonly code: string }) => code);
  };
  expect(await codes()).toEqual([]);
  it.world.clock.nowEpochMs += 3 * DAY_MS;
  expect(await codes()).toContain("VERDICT_EXPIRED");
  it.world.clock.nowEpochMs -= 3 * DAY_MS;
  expect(await codes()).toEqual(["CLOCK_UNSOUND"]);
});

test("a gate that is started with its clock behind the ledger's newest entry admits nothing", async () => {
  await using it = await served();
  it.world.clock.nowEpochMs += 3_600_000;
  const plan = it.world.plan(1);
  await it.gate.ask("/v1/verdicts", { body: it.world.submission(plan), as: "ci" });
  // The clock of another world begins an hour earlier, and it has never seen another time.
  await using world = await gateWorld({ ledger: it.world.ledger });
  world.keyring = it.world.keyring;
  await using gate = await world.serve();
  const body = { plan: plan.sha256, environment: "production/eu-west", change: CHANGE };
  const { json } = await gate.ask("/v1/promotions/check", { body, as: "ci" });
  expect(json.reasons[0].code).toBe("CLOCK_UNSOUND");
});

test("a gate that stops answers what was asked, takes nothing new, and says so", async () => {
  await using it = await served();
  const plan = it.world.plan(1);
  await it.gate.ask("/v1/verdicts", { body: it.world.submission(plan), as: "ci" });
  const [arrived, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { head } = it.world.ledger;
  const waiting = async () => {
    arrived.resolve();
    await release.promise;
    return await head();
  };
  Object.assign(it.world.ledger, { head: waiting });
  const body = { plan: plan.sha256, environment: "production/eu-west", change: CHANGE };
  const asked = it.gate.ask("/v1/promotions", { body, as: "deployer", headers: { "idempotency-key": "a" } });
  await arrived.promise;
  it.gate.drain();
  expect((await it.gate.ask("/readyz")).status).toBe(503);
  expect((await it.gate.ask("/healthz")).status).toBe(200);
  expect((await it.gate.ask("/v1/promotions/check", { body, as: "ci" })).status).toBe(503);
  const closing = it.gate[Symbol.asyncDispose]();
  release.resolve();
  expect((await asked).status).toBe(200);
  await closing;
});

test("over TLS a caller is known by a certificate of the gate's own authority, and the gate's certificate can be exchanged", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "canary-gate-tls-"));
  const openssl = (...args: readonly string[]): void =>
    void execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  const file = (name: string): string => readFileSync(path.join(folder, name), "utf8");
  const authority = (name: string): void =>
    openssl(
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.crt`,
      "-subj",
      `/CN=${name}`,
      "-days",
      "2",
    );
  const issue = (name: string, by: string): void => {
    openssl(
      "req",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.csr`,
      "-subj",
      `/CN=${name}`,
    );
    writeFileSync(path.join(folder, "san"), "subjectAltName=DNS:gate.canary.svc,IP:127.0.0.1");
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      "-CA",
      `${by}.crt`,
      "-CAkey",
      `${by}.key`,
      "-CAcreateserial",
      "-out",
      `${name}.crt`,
      "-days",
      "2",
      "-extfile",
      "san",
    );
  };
  try {
    for (const name of ["ca", "evil"]) authority(name);
    for (const name of ["server", "server2", "apiserver"]) issue(name, "ca");
    issue("intruder", "evil");
    const known = ["apiserver", "intruder"].map((name): KnownCaller => {
      const command = ["x509", "-noout", "-fingerprint", "-sha256", "-in", `${name}.crt`];
      const fingerprint = String(execFileSync("openssl", command, { cwd: folder }));
      const certificateSha256 = fingerprint.split("=")[1]?.trim().replaceAll(":", "").toLowerCase() ?? "";
      return { name, may: ["check"], environments: [], certificateSha256 };
    });
    const material = (name: string) => ({
      cert: file(`${name}.crt`),
      key: file(`${name}.key`),
      clientCa: file("ca.crt"),
    });
    await using it = await served({ tls: material("server"), callers: [...known, ...CALLERS] });
    const ask = (client?: string, as?: string): Promise<string> =>
      new Promise((resolve) => {
        const identity = client === undefined ? {} : { cert: file(`${client}.crt`), key: file(`${client}.key`) };
        const headers = as === undefined ? {} : { authorization: `Bearer ${tokenOf(as)}` };
        const request = httpsRequest(
          `${it.gate.url}/v1/decisions/1`,
          { ca: file("ca.crt"), agent: false, headers, ...identity },
          (response) => {
            const socket = response.socket as import("node:tls").TLSSocket;
            const { CN } = socket.getPeerCertificate().subject;
            response.resume().on("end", () => resolve(`${response.statusCode} ${CN}`));
          },
        );
        request.on("error", () => resolve("no connection")).end();
      });
    expect(await ask("apiserver")).toBe("404 server");
    expect(await ask("server2")).toBe("401 server");
    expect(await ask("intruder")).toBe("401 server");
    expect(await ask()).toBe("401 server");
    expect(await ask(undefined, "ci")).toBe("404 server");
    expect(await ask("apiserver", "ci")).toBe("401 server");
    it.gate.reloadTls(material("server2"));
    expect(await ask("apiserver")).toBe("404 server2");
    expect(() => it.gate.reloadTls({ ...material("server"), key: file("evil.key") })).toThrow();
    expect(await ask("apiserver")).toBe("404 server2");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
