import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { loadRecording } from "../../../src/replay/recordings/load-recording.ts";
import type { LoadedRecording, RecordingSpec } from "../../../src/replay/recordings/recorded-request.ts";
import { scratchDir } from "../driver/loopback-twins.ts";

async function load(bytes: string | Uint8Array, spec: Partial<RecordingSpec>, seed = 1): Promise<LoadedRecording> {
  await using scratch = await scratchDir();
  await mkdir(join(scratch.dir, "traffic"));
  await writeFile(join(scratch.dir, "traffic", "recorded"), bytes);
  const methods = ["GET", "HEAD", "POST"];
  const file = "traffic/recorded";
  const asked: RecordingSpec = {
    file,
    format: "combined",
    weight: 1,
    pace: "recorded",
    routes: [],
    methods,
    timeoutMs: 5000,
    ...spec,
  };
  return await loadRecording(asked, scratch.dir, seed);
}

const line = (second: number, request: string, tail = ' "-" "agent/1"'): string =>
  `203.0.113.7 - ann [22/Nov/2026:10:15:${String(second).padStart(2, "0")} +0100] "${request}" 200 512${tail}`;

test("a combined log becomes requests with their path, referer and agent", async () => {
  const log = [
    line(30, "GET /pay?id=1 HTTP/1.1", ' "https://shop.example/" "curl/8.5"'),
    line(31, "HEAD /a%20b HTTP/1.0", ""),
  ].join("\n");
  const { requests, left } = await load(log, {});
  expect(requests).toMatchObject([
    {
      offsetMs: 0,
      method: "GET",
      path: "/pay?id=1",
      headers: ["referer", "https://shop.example/", "user-agent", "curl/8.5"],
      body: undefined,
      route: "other",
    },
    { method: "HEAD", path: "/a%20b", headers: [] },
  ]);
  expect(left).toEqual({ otherMethod: 0, otherHost: 0, unusable: 0, beyondLimit: 0 });
});

test("stamps of whole seconds are spread inside their second by the seed, in the order of the lines", async () => {
  const log = [4, 2, 2, 2, 3, 3].map((second, index) => line(second, `GET /${index} HTTP/1.1`)).join("\n");
  const first = await load(log, {}, 1);
  expect(first.requests.map((request) => request.path)).toEqual(["/1", "/2", "/3", "/4", "/5", "/0"]);
  expect(await load(log, {}, 1)).toEqual(first);
  expect(await load(log, {}, 2)).not.toEqual(first);
  expect(first.requests[2]?.offsetMs).toBeLessThan(1000);
  expect(first.requests[5]?.offsetMs).toBeGreaterThan(first.requests[4]?.offsetMs ?? Number.NaN);
});

test("garbage lines, foreign methods and unsendable paths are left out and counted", async () => {
  const log = [
    line(1, "GET / HTTP/1.1"),
    line(1, "GET /caf\\xC3\\xA9 HTTP/1.1"),
    line(2, "\\x16\\x03\\x01"),
    line(2, "CONNECT example:443 HTTP/1.1"),
    line(3, "DELETE /x HTTP/1.1"),
    line(3, "GET /a HTTP/1.1", ' "-" "say \\"hi\\" \\x22"'),
    line(4, "GET /b HTTP/1.1"),
    "",
    "rubbish",
    "",
  ].join("\n");
  const { requests, left } = await load(log, {});
  expect(requests.map((request) => request.path)).toEqual(["/", "/a", "/b"]);
  expect(requests[1]?.headers).toEqual(["user-agent", 'say "hi" "']);
  expect(left).toEqual({ otherMethod: 1, otherHost: 0, unusable: 4, beyondLimit: 0 });
});

test("a file that is no access log names its first bad line", async () => {
  await expect(load(`${line(1, "GET / HTTP/1.1")}\none\ntwo\n`, {})).rejects.toMatchObject({
    code: "RECORDING_INVALID",
    message: expect.stringContaining("recorded:2 "),
  });
});

test("requests get the route of the first pattern that matches their path without its query", async () => {
  const routes = [
    { match: "/api/*/items", route: "items" },
    { match: "/api/**", route: "api" },
    { match: "/a.b", route: "dot" },
  ];
  const paths = ["/api/7/items?x=/", "/api/7/8/items", "/a.b", "/aXb", "/api"];
  const { requests } = await load(paths.map((path) => line(1, `GET ${path} HTTP/1.1`)).join("\n"), { routes });
  expect(requests.map((request) => request.route)).toEqual(["items", "api", "dot", "other", "other"]);
});

function har(entries: readonly object[]): string {
  return JSON.stringify({ log: { version: "1.2", creator: { name: "t", version: "1" }, entries } });
}

function entry(startedDateTime: string, request: object): object {
  return {
    startedDateTime,
    time: 3,
    request: { method: "GET", url: "https://shop.example/", headers: [], ...request },
    response: {},
  };
}

test("an HTTP archive is ordered by time, and host, lengths, connection headers and credentials are dropped", async () => {
  const headers = [
    ":authority",
    "Host",
    "Content-Length",
    "Connection",
    "Cookie",
    "Authorization",
    "X-Api-Key",
    "X-Auth-Token",
    "X-CSRF-Token",
    "Accept",
  ];
  const document = har([
    entry("2026-11-22T10:15:31.250+01:00", {
      method: "POST",
      url: "https://shop.example/pay?a=1#top",
      headers: headers.map((name) => ({ name, value: "secret" })),
      postData: { mimeType: "application/json", text: '{"ü":1}' },
    }),
    entry("2026-11-22T09:15:30.000Z", {}),
    entry("2026-11-22T09:15:32Z", { url: "https://tracker.example/pixel" }),
    entry("2026-11-22T09:15:33Z", { url: "data:text/plain,hi" }),
    entry("2026-11-22T09:15:34Z", { method: "POST", postData: { params: [{ name: "a b", value: "1&2" }] } }),
  ]);
  const { requests, left } = await load(document, { format: "har" });
  expect(requests.map(({ offsetMs, method, path, headers }) => ({ offsetMs, method, path, headers }))).toEqual([
    { offsetMs: 0, method: "GET", path: "/", headers: [] },
    { offsetMs: 1250, method: "POST", path: "/pay?a=1", headers: ["accept", "secret"] },
    { offsetMs: 4000, method: "POST", path: "/", headers: [] },
  ]);
  expect(requests.map(({ body }) => body && Buffer.from(body).toString())).toEqual([undefined, '{"ü":1}', "a+b=1%262"]);
  expect(left).toEqual({ otherMethod: 0, otherHost: 1, unusable: 1, beyondLimit: 0 });
});

test.each([
  ["cut short", har([entry("2026-11-22T09:15:30Z", {})]).slice(0, -9), "is not JSON"],
  ["not an archive", '{"log":{}}', "is not an HTTP archive"],
  ["without a time in one entry", har([entry("2026-11-22T09:15:30Z", {}), { request: {} }]), "log.entries[1]"],
])("an HTTP archive %s is refused with its place", async (_what, text, message) => {
  await expect(load(text, { format: "har" })).rejects.toMatchObject({
    code: "RECORDING_INVALID",
    message: expect.stringContaining(message),
  });
});

const SEPARATOR = "\n🐵🙈🙉\n";

function gor(
  records: readonly { readonly type?: number; readonly ns: bigint; readonly http: Uint8Array | string }[],
): Buffer {
  return Buffer.concat(
    records.flatMap(({ type = 1, ns, http }, index) => [
      Buffer.from(`${type} ${String(index).padStart(24, "0")} ${ns} -1\n`),
      Buffer.from(http),
      Buffer.from(SEPARATOR),
    ]),
  );
}

test("GoReplay requests come back byte for byte, whatever their bodies hold", async () => {
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.constantFrom(
      ...[SEPARATOR, `x${SEPARATOR}1 f00 1 -1\n`, "\r\n\r\n", "\n"].map((text) => new Uint8Array(Buffer.from(text))),
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(body, { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      fc.boolean(),
      async (bodies, chunked, zipped) => {
        const file = gor(
          bodies.map((bytes, index) => ({
            // Beyond 2^53: neighbours differ by half a millisecond all the same.
            ns: 1_732_270_530_000_000_001n + BigInt(index) * 500_000n,
            http: chunked
              ? Buffer.concat([
                  Buffer.from(`POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`),
                  ...(bytes.length === 0
                    ? []
                    : [Buffer.from(`${bytes.length.toString(16)};x=1\r\n`), bytes, Buffer.from("\r\n")]),
                  Buffer.from("0\r\n\r\n"),
                ])
              : Buffer.concat([
                  Buffer.from(`POST /p HTTP/1.1\r\nContent-Length: ${bytes.length}\r\nX-A: b\r\n\r\n`),
                  bytes,
                ]),
          })),
        );
        const { requests, left } = await load(zipped ? gzipSync(file) : file, { format: "gor" });
        expect(left.unusable).toBe(0);
        expect(requests.map((request) => [...(request.body ?? [])])).toEqual(bodies.map((bytes) => [...bytes]));
        for (const [index, request] of requests.entries()) expect(request.offsetMs).toBeCloseTo(index * 0.5, 9);
      },
    ),
    { numRuns: 60 },
  );
});

test("answers in a GoReplay file are passed over and cut requests counted", async () => {
  const file = gor([
    { ns: 20n, http: "GET /late HTTP/1.1\r\nHost: a\r\n\r\n" },
    { type: 2, ns: 21n, http: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" },
    { ns: 10n, http: "GET /early HTTP/1.1\r\n\r\n" },
    { type: 3, ns: 22n, http: "broken" },
    { ns: 23n, http: "POST /cut HTTP/1.1\r\nContent-Length: 99\r\n\r\nonly this" },
    { ns: 24n, http: "no http at all" },
  ]);
  const { requests, left } = await load(Buffer.concat([file, Buffer.from("1 abc 30 -1\nGET /unfinished HTT")]), {
    format: "gor",
  });
  expect(requests.map((request) => request.path)).toEqual(["/early", "/late"]);
  expect(left.unusable).toBe(3);
});

test("a GoReplay file names the byte where a record should start and does not", async () => {
  const first = gor([{ ns: 1n, http: "GET / HTTP/1.1\r\n\r\n" }]);
  await expect(load(Buffer.concat([first, Buffer.from("what is this\n")]), { format: "gor" })).rejects.toMatchObject({
    code: "RECORDING_INVALID",
    message: expect.stringContaining(`byte ${first.length}`),
  });
});

test("no bytes whatever make a parser do anything but read or refuse", async () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.constantFrom("1 a 1\n", line(1, "GET / HTTP/1.1"), har([])),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(text, { maxLength: 4 }),
      fc.constantFrom("har", "gor", "combined"),
      async (parts, format) => {
        const outcome = await load(parts.join(""), { format }).catch((error: unknown) => error);
        expect(outcome).toSatisfy(
          (seen: object) => "requests" in seen || ("code" in seen && seen.code === "RECORDING_INVALID"),
        );
      },
    ),
    { numRuns: 150 },
  );
});

test("a gzip bomb, a broken gzip and a file that is not there are refused", async () => {
  await expect(load(gzipSync(Buffer.alloc(257 * 1024 * 1024)), {})).rejects.toMatchObject({
    code: "RECORDING_INVALID",
  });
  await expect(load(Buffer.of(0x1f, 0x8b, 1, 2), {})).rejects.toMatchObject({ code: "RECORDING_INVALID" });
  await expect(load("", { file: "elsewhere" })).rejects.toMatchObject({ code: "RECORDING_INVALID" });
});
