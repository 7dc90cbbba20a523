import { appendFile, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ROLES } from "../../../src/mirror/twin.ts";
import { type PairSlot, pairSlot } from "../../../src/replay/driver/pair-slot.ts";
import { type PairWriter, startPairWriter } from "../../../src/replay/driver/pair-writer.ts";
import { OUTCOMES } from "../../../src/replay/recording.ts";
import { PAIRS_FILE } from "../../../src/replay/recordings/pair-format.ts";
import { readPairs, type Truncation } from "../../../src/replay/recordings/read-pairs.ts";
import type { Call } from "../../../src/replay/traffic/compile-call.ts";
import { rowsOf, type SeenPair, scratchDir } from "../driver/loopback-twins.ts";

const CALL: Call = {
  route: 0,
  timeoutMs: 100,
  message: {
    captures: [],
    fixed: true,
    render: () => ({ kind: "grpc", proto: "", service: "", method: "", message: {} }),
  },
  capture: [],
  gives: [],
};

const float = fc.float({ min: 0, max: 1e5, noNaN: true, noDefaultInfinity: true });
const arm = fc.record({
  outcome: fc.constantFrom(...OUTCOMES),
  status: fc.nat({ max: 65_535 }),
  sendLagMs: float,
  serviceMs: float,
});
const pairs = fc.array(
  fc.record({
    sequence: fc.nat({ max: 2 ** 32 - 1 }),
    intendedMs: fc.double({ min: 0, max: 1e8, noNaN: true, noDefaultInfinity: true }),
    route: fc.nat({ max: 65_535 }),
    arms: fc.record({ control: arm, shadow: arm }),
  }),
  { maxLength: 60 },
);

type Given = typeof pairs extends fc.Arbitrary<infer T> ? T : never;

function slotOf(given: Given[number]): PairSlot {
  const slot = pairSlot(given.sequence, given.intendedMs, { ...CALL, route: given.route });
  for (const role of ROLES) Object.assign(slot.arms[role], given.arms[role]);
  return slot;
}

async function writerIn(dir: string): Promise<PairWriter> {
  const onFailure = (error: Error): void => {
    throw error;
  };
  return startPairWriter({ dir, onWritten: () => undefined, onFailure });
}

async function written(dir: string, chunks: readonly Given[]): Promise<void> {
  const writer = await writerIn(dir);
  for (const chunk of chunks) {
    for (const given of chunk) writer.append(slotOf(given));
    await writer.flush();
  }
  await writer.end();
}

async function readAll(dir: string, onTruncated?: (truncation: Truncation) => void): Promise<readonly SeenPair[]> {
  const rows: SeenPair[] = [];
  for await (const batch of readPairs(dir, onTruncated)) rows.push(...rowsOf(batch));
  return rows;
}

test("whatever is written is read back, in any cut of chunks", async () => {
  await using scratch = await scratchDir();
  await fc.assert(
    fc.asyncProperty(fc.array(pairs, { maxLength: 5 }), async (chunks) => {
      await written(scratch.dir, chunks);
      const expected = chunks.flat().map(({ arms, ...rest }) => ({
        ...rest,
        arms: Object.fromEntries(
          ROLES.map((role) => [
            role,
            { ...arms[role], latencyMs: Math.fround(arms[role].sendLagMs + arms[role].serviceMs) },
          ]),
        ),
      }));
      expect(await readAll(scratch.dir)).toEqual(expected);
    }),
    { numRuns: 40 },
  );
});

const ROW: Given[number] = {
  sequence: 1,
  intendedMs: 2.5,
  route: 3,
  arms: {
    control: { outcome: "ok", status: 200, sendLagMs: 0.5, serviceMs: 1 },
    shadow: { outcome: "timeout", status: 0, sendLagMs: 0.25, serviceMs: 100 },
  },
};

test("the bytes of the file are those that docs/recording-format.md shows", async () => {
  await using scratch = await scratchDir();
  await written(scratch.dir, [[ROW]]);
  const bytes = await readFile(join(scratch.dir, PAIRS_FILE));
  const hex = bytes
    .toString("hex")
    .match(/.{1,32}/g)
    ?.join("\n");
  const document = await readFile(new URL("../../../docs/recording-format.md", import.meta.url), "utf8");
  expect(document).toContain(hex);
});

test("wherever a file is cut, the complete chunks before the cut are read and the cut is told", async () => {
  await using scratch = await scratchDir();
  const path = join(scratch.dir, PAIRS_FILE);
  await written(scratch.dir, [[ROW, ROW], [ROW], [ROW, ROW, ROW]]);
  const whole = await readFile(path);
  const ends = [16, 16 + 16 + 72, 16 + 2 * 16 + 72 + 40, 16 + 3 * 16 + 72 + 40 + 112];
  const rowsAt = [0, 2, 3, 6];
  for (let cut = 16; cut < whole.length; cut++) {
    await writeFile(path, whole);
    await truncate(path, cut);
    const truncations: Truncation[] = [];
    const rows = await readAll(scratch.dir, (truncation) => truncations.push(truncation));
    const complete = ends.findLastIndex((end) => end <= cut);
    expect(rows).toHaveLength(rowsAt[complete] ?? -1);
    expect(truncations).toEqual([{ offset: ends[complete], rowsRead: rowsAt[complete] }]);
    await expect(readAll(scratch.dir)).rejects.toMatchObject({ code: "RECORDING_INVALID" });
  }
});

test("a changed byte anywhere is noticed", async () => {
  await using scratch = await scratchDir();
  const path = join(scratch.dir, PAIRS_FILE);
  await written(scratch.dir, [[ROW, ROW], [ROW]]);
  const whole = await readFile(path);
  // The last word of a chunk's header is reserved and may be anything.
  const reserved = (offset: number): boolean => (offset >= 28 && offset < 32) || (offset >= 116 && offset < 120);
  for (let offset = 0; offset < whole.length - 4; offset++) {
    if (reserved(offset)) continue;
    const changed = Buffer.from(whole);
    changed[offset] = (changed[offset] ?? 0) ^ 0x40;
    await writeFile(path, changed);
    const noticed: unknown[] = [];
    await readAll(scratch.dir, (truncation) => noticed.push(truncation)).catch((error: unknown) => noticed.push(error));
    expect(noticed, `byte ${offset}`).toHaveLength(1);
  }
});

test("bytes after the end record do not matter to the rows before it", async () => {
  await using scratch = await scratchDir();
  await written(scratch.dir, [[ROW]]);
  await appendFile(join(scratch.dir, PAIRS_FILE), "more");
  expect(await readAll(scratch.dir)).toHaveLength(1);
});

test("a folder without a recording and a file that is none are RECORDING_INVALID", async () => {
  await using scratch = await scratchDir();
  await expect(readAll(scratch.dir)).rejects.toMatchObject({ code: "RECORDING_INVALID" });
  await writeFile(join(scratch.dir, PAIRS_FILE), "not pairs at all");
  await expect(readAll(scratch.dir)).rejects.toMatchObject({ code: "RECORDING_INVALID" });
});
