import fc from "fast-check";
import { expect, test } from "vitest";
import { packFile, unpackFile } from "../../../src/mirror/twins/one-file-archive.ts";

test("a file comes out of its archive as it went in, whatever its name and size", () => {
  const attributes = fc.record({
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.integer({ min: 0, max: 0o7777777 }),
    gid: fc.integer({ min: 0, max: 0o7777777 }),
  });
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 300 }),
      fc.uint8Array({ maxLength: 2000 }),
      attributes,
      (name, bytes, given) => {
        const file = unpackFile(packFile(name, Buffer.from(bytes), given));
        expect(file).toEqual({ kind: "file", bytes: Buffer.from(bytes), attributes: given });
      },
    ),
  );
});

test("an archive that was cut off holds no file", () => {
  const whole = packFile("a.json", Buffer.alloc(700, "x"), { mode: 0o644, uid: 0, gid: 0 });
  expect(unpackFile(whole.subarray(0, 1000))).toBeUndefined();
  expect(unpackFile(Buffer.alloc(1024))).toBeUndefined();
});

test.each([
  ["2", "link"],
  ["5", "other"],
])("entries of type %s are told apart", (type, kind) => {
  const archive = packFile("name", Buffer.alloc(0), { mode: 0o777, uid: 1, gid: 2 });
  archive.write(type, 156);
  expect(unpackFile(archive)?.kind).toBe(kind);
});
