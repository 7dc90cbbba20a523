import { createHash } from "node:crypto";
import { copyFile, rename, rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { subject } from "../../src/gate/records.ts";
import { entryBytes, toEntry } from "../../src/ledger/entry.ts";
import { leafHash } from "../../src/ledger/merkle.ts";
import { ledgerIn, newSigner, sqlitePlace } from "../support/ledger-place.ts";
import { gateWorld } from "./gate-world.ts";

// A gate that listens, while somebody who owns its machine changes the ledger below it.

const CHANGE = { kind: "resources", resources: [{ path: "service/worker/replicas", to: 3 }] };

/** A gate that has admitted plan 1 and knows plan 2, and the file that it records in. */
async function admittedOnce() {
  await using opening = new AsyncDisposableStack();
  const place = opening.use(await sqlitePlace());
  const ledger = opening.use(await ledgerIn(place, newSigner()));
  const world = opening.use(await gateWorld({ ledger }));
  const gate = opening.use(await world.serve());
  const plans = [world.plan(1), world.plan(2)] as const;
  for (const plan of plans) await gate.ask("/v1/verdicts", { body: world.submission(plan), as: "ci" });
  const promote = (plan: { readonly sha256: string }, key: string) => {
    const body = { plan: plan.sha256, environment: "production/eu-west", change: CHANGE };
    return gate.ask("/v1/promotions", { body, as: "deployer", headers: { "idempotency-key": key } });
  };
  expect((await promote(plans[0], "first")).status).toBe(200);
  const owned = opening.move();
  return { place, world, gate, plans, promote, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const FIRST = '(SELECT min(idx) FROM entries WHERE CAST(entry AS TEXT) LIKE \'%"answer":"admit"%\')';

test("an admission that was turned into a refusal, so that its verdict could be used again, ends all admissions", async () => {
  await using it = await admittedOnce();
  const turned = `CAST(replace(CAST(entry AS TEXT), '"answer":"admit"', '"answer":"refuse"') AS BLOB)`;
  await it.place.tamper(`UPDATE entries SET entry = ${turned} WHERE idx = ${FIRST}`);
  await it.place.tamper("DELETE FROM claims WHERE claim LIKE 'promotion:%'");
  const answer = await it.promote(it.plans[0], "second");
  expect(answer).toMatchObject({
    status: 503,
    json: { decision: "refuse", reasons: [{ code: "EVIDENCE_UNAVAILABLE" }] },
  });
  expect(answer.json.reasons[0].message).toMatch(/was changed/);
});

test.each([
  ["has a head that nobody signed", "UPDATE head SET note = replace(note, 'canary.test', 'canary.fake')"],
  ["has another size than was signed", "UPDATE head SET size = size - 1"],
  ["is shorter than it was", "DELETE FROM entries WHERE idx = (SELECT max(idx) FROM entries)"],
])("a ledger that %s admits nothing more", async (_, statement) => {
  await using it = await admittedOnce();
  await it.place.tamper(statement);
  expect(await it.promote(it.plans[1], "a")).toMatchObject({ status: 503, json: { decision: "refuse", token: null } });
  expect((await it.gate.ask("/readyz")).status).toBe(503);
});

test("documents that were exchanged for others are not read by a gate that has not read them before", async () => {
  await using it = await admittedOnce();
  await it.place.tamper("UPDATE documents SET bytes = x'7b7d'");
  await using world = await gateWorld({ ledger: it.world.ledger });
  world.keyring = it.world.keyring;
  await using fresh = await world.serve();
  const body = { plan: it.plans[1].sha256, environment: "production/eu-west", change: CHANGE };
  const { status, json } = await fresh.ask("/v1/promotions/check", { body, as: "ci" });
  expect({ status, code: json.reasons[0].code }).toEqual({ status: 503, code: "EVIDENCE_UNAVAILABLE" });
  expect(json.reasons[0].message).toMatch(/document .* was changed/);
});

test.each([
  ["taken away", (file: string) => rm(file)],
  [
    "replaced by a copy of itself",
    async (file: string) => {
      await copyFile(file, `${file}.copy`);
      await rename(`${file}.copy`, file);
    },
  ],
])("a database that is %s while the gate listens admits nothing", async (_, happen) => {
  await using it = await admittedOnce();
  await happen(it.place.file);
  const refused = { status: 503, json: { decision: "refuse", token: null } };
  expect(await it.promote(it.plans[1], "a")).toMatchObject(refused);
  // What was admitted before, too: nobody else could see that it was.
  expect(await it.promote(it.plans[0], "first")).toMatchObject(refused);
  const body = { plan: it.plans[1].sha256, environment: "production/eu-west", change: CHANGE };
  expect(await it.gate.ask("/v1/promotions/check", { body, as: "ci" })).toMatchObject(refused);
  expect(await it.gate.ask("/readyz")).toMatchObject({ status: 503, json: { why: "LEDGER_UNAVAILABLE" } });
});

test("a release of the kill switch that was inserted behind the head, with no key at all, admits nothing", async () => {
  await using it = await admittedOnce();
  const { world, place, plans } = it;
  await it.gate.ask("/v1/kill-switch", { body: { bundle: world.order(true) }, as: "operator" });
  const at = new Date(world.clock.nowEpochMs).toISOString();
  const about = subject.killSwitch("*");
  const body = {
    schema: "canary.gate-kill-switch/v1",
    scope: "*",
    isEngaged: false,
    by: "olga",
    reason: "well",
    signedAt: at,
  };
  const entry = toEntry(
    { kind: "kill-switch", at, body, about: [about] },
    { index: 900, at, documents: [], prev: null },
  );
  const bytes = entryBytes(entry);
  await place.sql(`INSERT INTO entries VALUES (900, ${place.bytes(bytes)}, ${place.bytes(leafHash(bytes))})`);
  await place.sql(`INSERT INTO subjects (idx, subject, kind) VALUES (900, '${about}', 'kill-switch')`);
  expect(await it.promote(plans[1], "a")).toMatchObject({
    status: 503,
    json: { decision: "refuse", token: null, reasons: [{ code: "EVIDENCE_UNAVAILABLE" }] },
  });
  expect((await it.gate.ask("/readyz")).status).toBe(503);
});

test("a stop that the owner of the database wrote over as a release stops still: no operator signed it for this scope", async () => {
  await using it = await admittedOnce();
  const { world, place, plans } = it;
  const send = (bundle: string) => it.gate.ask("/v1/kill-switch", { body: { bundle }, as: "operator" });
  await send(world.order(true));
  const stop = (await world.ledger.head()).size - 1;
  const other = world.order(false, `sha256:${plans[0].sha256}`);
  await send(other);
  const entry = await world.ledger.entry(stop);
  if (entry === undefined) throw new Error("the stop was recorded");
  const turned = { ...entry, body: { ...entry.body, isEngaged: false } };
  const signedForAnother = createHash("sha256").update(other).digest("hex");
  for (const [documents, why] of [
    [[], "no signed order was stored with it"],
    [entry.documents, "its signed order stops"],
    [[signedForAnother], `its signed order is about sha256:${plans[0].sha256}`],
  ] as const) {
    const bytes = entryBytes({ ...turned, documents });
    const leaf = leafHash(bytes);
    await place.tamper(
      `UPDATE entries SET entry = ${place.bytes(bytes)}, leaf = ${place.bytes(leaf)} WHERE idx = ${stop}`,
    );
    const answer = await it.promote(plans[1], `with-${why.length}`);
    expect(answer).toMatchObject({ status: 403, json: { reasons: [{ code: "KILL_SWITCH_ENGAGED" }] } });
    expect(answer.json.reasons[0].message).toContain(why);
  }
});
