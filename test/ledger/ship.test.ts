import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { CanaryError } from "../../src/core/errors.ts";
import { copyReader } from "../../src/ledger/copy-reader.ts";
import { directoryShelf } from "../../src/ledger/directory-shelf.ts";
import { httpShelf } from "../../src/ledger/http-shelf.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { patientShelf, type Shelf } from "../../src/ledger/shelf.ts";
import { type Shipment, type ShippingEvent, shipContinuously, shipOnce } from "../../src/ledger/ship.ts";
import { decodeEntries, encodeEntries, entryTiles, hashTiles } from "../../src/ledger/tiles.ts";
import { type Verification, verifyLog } from "../../src/ledger/verify-log.ts";
import { codeOf } from "../support/ledger-contract.ts";
import { type LedgerPlace, ledgerIn, newSigner, ORIGIN, someEntries, sqlitePlace } from "../support/ledger-place.ts";
import { NEVER, simulatedClock } from "../support/simulated-clock.ts";

const signer = newSigner();
const DOCUMENT = Buffer.from("the bytes of a verdict");

/** A log, a folder for its copy, and shipping from one to the other. */
async function shipping(): Promise<
  {
    readonly place: LedgerPlace;
    readonly ledger: Ledger;
    readonly folder: string;
    readonly to: (shelf: Shelf) => Promise<Shipment>;
  } & AsyncDisposable
> {
  await using opening = new AsyncDisposableStack();
  const place = opening.use(await sqlitePlace());
  const ledger = opening.use(await ledgerIn(place, signer));
  const folder = await mkdtemp(path.join(tmpdir(), "canary-copy-"));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const from = opening.use(await place.open("read"));
  const opened = opening.move();
  const to = async (shelf: Shelf): Promise<Shipment> => ({ from, origin: ORIGIN, verifiers: [signer], to: shelf });
  return { place, ledger, folder, to, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

async function verifyCopy(shelf: Shelf): Promise<Verification> {
  return await verifyLog({ reader: copyReader(shelf), origin: ORIGIN, verifiers: [signer], signal: NEVER });
}

async function append(ledger: Ledger, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 100) {
    await ledger.append(someEntries(Math.min(100, to - at), at), { documents: [DOCUMENT, Buffer.from(`of ${at}`)] });
  }
}

test("a copy has every entry and document, and verifies by itself", async () => {
  await using log = await shipping();
  const shelf = directoryShelf(log.folder);
  await append(log.ledger, 0, 700);
  expect(await shipOnce(await log.to(shelf))).toMatchObject({ from: 0, checkpoint: { size: 700 } });
  const { root } = await log.ledger.head();
  expect(await verifyCopy(shelf)).toMatchObject({ entries: 700, root, documents: 8, findings: [] });
});

test("shipping again sends what is new, and nothing else changes", async () => {
  await using log = await shipping();
  const shelf = directoryShelf(log.folder);
  const written: string[] = [];
  const watched: Shelf = {
    ...shelf,
    put: async (name, bytes) => {
      written.push(name);
      await shelf.put(name, bytes);
    },
  };
  await append(log.ledger, 0, 300);
  await shipOnce(await log.to(watched));
  await append(log.ledger, 300, 310);
  written.length = 0;
  expect(await shipOnce(await log.to(watched))).toMatchObject({ from: 300 });
  expect(written.filter((name) => !name.startsWith("documents/"))).toEqual([
    "tile/entries/001.p/54",
    "tile/0/001.p/54",
    "checkpoint",
  ]);
  expect(await verifyCopy(shelf)).toMatchObject({ entries: 310, findings: [] });
});

test("whatever put fails, the next attempt goes on and nothing is left out", async () => {
  await using log = await shipping();
  await append(log.ledger, 0, 600);
  const shelf = directoryShelf(log.folder);
  for (let failing = 0; ; failing += 1) {
    let puts = 0;
    const broken: Shelf = {
      ...shelf,
      put: async (name, bytes) => {
        puts += 1;
        if (puts > failing)
          throw new CanaryError({ code: "LEDGER_UNAVAILABLE", message: "the line was cut", hint: "" });
        await shelf.put(name, bytes);
      },
    };
    if ((await codeOf(shipOnce(await log.to(broken)))) === "resolved") break;
    // Never a checkpoint before what it speaks of.
    expect((await readdir(log.folder)).includes("checkpoint")).toBe(false);
  }
  expect(await verifyCopy(shelf)).toMatchObject({ entries: 600, findings: [] });
});

test("a history other than the copy's is not shipped over it: forked, truncated, of a stranger", async () => {
  await using log = await shipping();
  await using other = await shipping();
  await append(log.ledger, 0, 300);
  const shelf = directoryShelf(log.folder);
  await shipOnce(await log.to(shelf));
  await other.ledger.append([{ kind: "intent", at: "2026-11-24T00:00:00.000Z", body: {} }]);
  await expect(shipOnce(await other.to(shelf))).rejects.toThrow(/has 300 entries, and this log only 1/);
  await append(other.ledger, 1, 400);
  await expect(shipOnce(await other.to(shelf))).rejects.toThrow(/the history was forked/);
  const byStranger: Shipment = { ...(await log.to(shelf)), verifiers: [newSigner()] };
  await expect(shipOnce(byStranger)).rejects.toThrow(/is not signed by a trusted key/);
  expect(await verifyCopy(shelf)).toMatchObject({ entries: 300, findings: [] });
});

test.each([
  ["a byte of an entry", "tile/entries/000", "CHANGED"],
  ["a byte of a hash", "tile/0/000", "CHANGED"],
  ["a byte of a document", "documents/", "DOCUMENT_CHANGED"],
  ["a byte of the root", "checkpoint", "UNSIGNED"],
])("a copy in which %s was changed does not verify", async (_, where, code) => {
  await using log = await shipping();
  await append(log.ledger, 0, 300);
  const shelf = directoryShelf(log.folder);
  await shipOnce(await log.to(shelf));
  const [name = ""] = (await readdir(path.join(log.folder, "documents"))).toSorted();
  const file = path.join(log.folder, where === "documents/" ? `documents/${name}` : where);
  const bytes = await readFile(file);
  const at = where === "checkpoint" ? bytes.indexOf("\n", 22) + 6 : Math.min(60, bytes.length - 1);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(file, bytes);
  expect((await verifyCopy(shelf)).findings.map((finding) => finding.code)).toContain(code);
});

test("a copy with a missing tile, and one cut short, do not verify", async () => {
  await using log = await shipping();
  await append(log.ledger, 0, 600);
  const shelf = directoryShelf(log.folder);
  await shipOnce(await log.to(shelf));
  const tile = path.join(log.folder, "tile/entries/001");
  const bytes = await readFile(tile);
  await rm(tile);
  expect((await verifyCopy(shelf)).findings).toContainEqual({
    code: "MISSING",
    message: "entries 256 to 511 are missing",
    index: 256,
  });
  await writeFile(tile, bytes.subarray(0, bytes.length - 10));
  await expect(verifyCopy(shelf)).rejects.toThrow(/is damaged or truncated/);
});

/** A server on loopback that keeps what is PUT, and fails as it is told. */
async function storageServer(fails: (request: number) => "no" | "status" | "cut"): Promise<
  {
    readonly url: string;
    readonly files: ReadonlyMap<string, Buffer>;
    readonly tokens: ReadonlySet<string | undefined>;
  } & AsyncDisposable
> {
  const files = new Map<string, Buffer>();
  const tokens = new Set<string | undefined>();
  let requests = 0;
  const listener: RequestListener = (request, response) => {
    const parts: Buffer[] = [];
    tokens.add(request.headers.authorization);
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      requests += 1;
      const trouble = fails(requests);
      const name = request.url ?? "";
      if (trouble === "cut") return void request.socket.destroy();
      if (trouble === "status") return void response.writeHead(503).end("later");
      if (request.method === "PUT") files.set(name, Buffer.concat(parts));
      const file = files.get(name);
      if (request.method === "PUT") response.writeHead(201).end();
      else response.writeHead(file === undefined ? 404 : 200).end(file);
    });
  };
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}/ledger`, files, tokens, [Symbol.asyncDispose]: close };
}

test("a server that fails and cuts lines gets everything in the end, with the token, while the log grows", async () => {
  await using log = await shipping();
  await append(log.ledger, 0, 300);
  // For a while nothing works, later single requests fail.
  await using server = await storageServer((request) =>
    request < 20 || request % 7 === 3 ? "status" : request % 11 === 5 ? "cut" : "no",
  );
  const clock = simulatedClock();
  const shelf = httpShelf({ url: server.url, token: "t0ken", fetch });
  const stop = new AbortController();
  const events: ShippingEvent[] = [];
  const onEvent = (event: ShippingEvent): void => {
    events.push(event);
    if (event.kind !== "shipped") return;
    if (event.size >= 900) stop.abort();
    else log.ledger.append(someEntries(100, event.size)).catch(() => stop.abort());
  };
  const patient = patientShelf(shelf, clock, stop.signal);
  await shipContinuously(await log.to(patient), { clock, everyMs: 1000, onEvent }, stop.signal);
  expect(events.filter(({ kind }) => kind === "failed").length).toBeGreaterThan(0);
  const healthy = { ...shelf, get: async (name: string) => server.files.get(`/ledger/${name}`) };
  expect(await verifyCopy(healthy)).toMatchObject({ entries: 900, findings: [] });
  expect([...server.tokens]).toEqual(["Bearer t0ken"]);
});

test("a copy of another history ends shipping instead of being tried again", async () => {
  await using log = await shipping();
  await using other = await shipping();
  await append(log.ledger, 0, 10);
  await append(other.ledger, 5, 10);
  const shelf = directoryShelf(log.folder);
  await shipOnce(await log.to(shelf));
  const again = shipContinuously(
    await other.to(shelf),
    { clock: simulatedClock(), everyMs: 10, onEvent: () => undefined },
    NEVER,
  );
  expect(await codeOf(again)).toBe("LEDGER_TAMPERED");
});

test("nothing is sent over plain http to another machine, nor with credentials in the address, nor after a redirect", async () => {
  for (const url of [
    "http://vault.example/",
    "http://10.0.0.1/",
    "https://u:p@vault.example/",
    "ftp://127.0.0.1/",
    "x",
    "https://h/?a=b",
  ]) {
    expect(() => httpShelf({ url, fetch })).toThrow(expect.objectContaining({ code: "USAGE" }));
  }
  await using target = await storageServer(() => "no");
  const redirecting = createServer((_, response) => response.writeHead(307, { location: target.url }).end());
  await new Promise<void>((resolve) => redirecting.listen(0, "127.0.0.1", resolve));
  const address = redirecting.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const shelf = httpShelf({ url: `http://127.0.0.1:${port}/`, token: "t0ken", fetch });
  expect(await codeOf(shelf.put("checkpoint", Buffer.from("x")))).toBe("LEDGER_UNAVAILABLE");
  expect(target.tokens.size).toBe(0);
  redirecting.closeAllConnections();
  await new Promise((resolve) => redirecting.close(resolve));
});

test("tiles are where C2SP tlog-tiles says", () => {
  expect(entryTiles(0, 256).map(({ path: name }) => name)).toEqual(["tile/entries/000"]);
  expect(entryTiles(255, 257).map(({ path: name }) => name)).toEqual(["tile/entries/000", "tile/entries/001.p/1"]);
  expect(entryTiles(256, 256)).toEqual([]);
  expect(entryTiles(1234067 * 256, 1234067 * 256 + 5).map(({ path: name }) => name)).toEqual([
    "tile/entries/x001/x234/067.p/5",
  ]);
  expect(
    hashTiles(0, 70_000)
      .filter(({ level }) => level > 0)
      .map(({ path: name }) => name),
  ).toEqual(["tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]);
});

test("entries are read back only from exactly the bytes that were written", () => {
  const entries = [Buffer.from("a"), Buffer.alloc(0), Buffer.alloc(65_535, 1)];
  const bytes = encodeEntries(entries);
  expect(decodeEntries(bytes, 3)).toEqual(entries);
  for (const [wrong, count] of [
    [bytes, 2],
    [bytes, 4],
    [bytes.subarray(1), 3],
    [bytes.subarray(0, -1), 3],
    [Buffer.concat([bytes, bytes]), 3],
  ] as const) {
    expect(decodeEntries(wrong, count)).toBeUndefined();
  }
});
