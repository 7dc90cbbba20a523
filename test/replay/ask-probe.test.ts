import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/cli/system.ts";
import type { Twin } from "../../src/mirror/twin.ts";
import { HealthProbeSchema } from "../../src/plan/health-probe.ts";
import { askProbe } from "../../src/replay/probes/ask-probe.ts";

const FOREVER = new AbortController().signal;
const http = createServer((request, response) => {
  if (request.url === "/hangs") return;
  response.writeHead(request.url === "/healthz" ? 200 : 503).end("x");
});
const grpc = new Server();
let ports: { readonly http: number; readonly grpc: number };

beforeAll(async () => {
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  // SERVING for the server as a whole, NOT_SERVING for `late`, NOT_FOUND for every other name.
  const statuses: Readonly<Record<string, number>> = { "": 1, late: 2 };
  grpc.addService(
    {
      check: {
        path: "/grpc.health.v1.Health/Check",
        requestStream: false,
        responseStream: false,
        requestDeserialize: (bytes: Buffer) => ({ name: bytes.subarray(bytes.length > 129 ? 3 : 2).toString() }),
        responseSerialize: (status: number) => Buffer.from([8, status]),
        requestSerialize: (name: string) => Buffer.from(name),
        responseDeserialize: (bytes: Buffer) => bytes[1] ?? 0,
      },
    },
    {
      check: (
        call: { readonly request: { readonly name: string } },
        reply: (error: object | null, status?: number) => void,
      ) => {
        const status = statuses[call.request.name];
        if (status === undefined) reply({ code: 5, details: "unknown service" });
        else reply(null, status);
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    grpc.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  ports = { http: (http.address() as AddressInfo).port, grpc: port };
});
afterAll(() => {
  http.closeAllConnections();
  http.close();
  grpc.forceShutdown();
});

type Rows = Awaited<ReturnType<Twin["sql"]>>;

function ask(probe: object, sql: (text: string) => Promise<Rows> = async () => []) {
  const twin: Parameters<typeof askProbe>[1] = {
    address: ({ service }) => ({
      host: "127.0.0.1",
      port: service === "rpc" ? ports.grpc : service === "web" ? ports.http : 1,
    }),
    sql: (_database, text) => sql(text),
    processes: async () => [{ service: "web", id: "1" }],
  };
  return askProbe(HealthProbeSchema.parse(probe), twin, { clock: systemClock, timeoutMs: 1500, signal: FOREVER });
}

describe("a probe", () => {
  test.each([
    [{ http: { service: "web", port: 80, path: "/healthz" } }, "yes"],
    [{ http: { service: "web", port: 80, path: "/" } }, "no"],
    [{ http: { service: "web", port: 80, path: "/", expectStatus: 503 } }, "yes"],
    [{ http: { service: "web", port: 80, path: "/hangs" } }, "unanswered"],
    [{ http: { service: "gone", port: 80 } }, "unanswered"],
    [{ grpc: { service: "rpc", port: 80 } }, "yes"],
    [{ grpc: { service: "rpc", port: 80, name: "late" } }, "no"],
    [{ grpc: { service: "rpc", port: 80, name: "n".repeat(150) } }, "no"],
    [{ grpc: { service: "gone", port: 80 } }, "unanswered"],
    [{ up: { service: "web" } }, "yes"],
    [{ up: { service: "web", replicasMin: 2 } }, "no"],
  ])("%j is answered with %s", async (probe, kind) => {
    const answer = await ask(probe);
    expect(answer, answer.message).toMatchObject({ kind });
  });
  test.each([
    [[{ ok: true }], "yes"],
    [[{ ok: false }], "no"],
    [[{ ok: "true" }], "no"],
    [[], "no"],
    [[{ ok: true }, { ok: true }], "no"],
  ] as const)("of SQL that gives %j is answered with %s", async (rows, kind) => {
    expect(await ask({ sql: { service: "db", query: "SELECT ok" } }, async () => rows)).toMatchObject({ kind });
  });
  test("of SQL is read-only, ends at the server with its time, and survives a comment at its end", async () => {
    const asked: string[] = [];
    await ask({ sql: { service: "db", query: "SELECT true -- yes" } }, async (text) => {
      asked.push(text);
      return [];
    });
    expect(asked[0]).toMatch(
      /statement_timeout', '1500', true.*transaction_read_only', 'on', true\);\nSELECT true -- yes\n$/,
    );
  });
  test("that fails or never ends is unanswered, with its secrets masked", async () => {
    const fails = ask({ sql: { service: "db", query: "SELECT 1" } }, () =>
      Promise.reject(new Error("password=letmein1 refused")),
    );
    expect(await fails).toEqual({ kind: "unanswered", message: "password=[masked] refused" });
    const hangs = ask({ sql: { service: "db", query: "SELECT 1" } }, () => new Promise(() => undefined));
    expect(await hangs).toMatchObject({ kind: "unanswered", message: "no answer within 1.5 s" });
  });
});
