import fc from "fast-check";
import { expect, test } from "vitest";
import { addressBook, freeSubnets, subnetAt } from "../../../src/mirror/twins/subnets.ts";

const thirdNumber = (cidr: string): number => Number(cidr.split(".")[2]);

test("three networks are chosen from where the search begins, past those that are taken", () => {
  const taken = ["10.213.4.0/24", "10.213.6.128/25", "172.17.0.0/16"];
  const chosen = freeSubnets({ count: 3, taken, startAt: 4 }).map(({ cidr }) => cidr);
  expect(chosen).toEqual(["10.213.5.0/24", "10.213.7.0/24", "10.213.8.0/24"]);
});

test("the search goes round, and a wider network takes all that lie in it", () => {
  const chosen = freeSubnets({ count: 2, taken: ["10.213.128.0/17"], startAt: 255 }).map(({ cidr }) => cidr);
  expect(chosen).toEqual(["10.213.0.0/24", "10.213.1.0/24"]);
});

test("an exhausted pool says so, with what to do", () => {
  expect(() => freeSubnets({ count: 1, taken: ["10.0.0.0/8"], startAt: 0 })).toThrow(
    expect.objectContaining({ code: "MIRROR_UNAVAILABLE", hint: expect.stringContaining("canary doctor --fix") }),
  );
});

test("whatever is taken, what is chosen is distinct, free and as many as asked for, or refused", () => {
  const octet = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(
      fc.uniqueArray(octet, { maxLength: 256 }),
      octet,
      fc.integer({ min: 1, max: 4 }),
      (used, startAt, count) => {
        const taken = used.map((index) => subnetAt(index).cidr);
        if (256 - used.length < count) {
          expect(() => freeSubnets({ count, taken, startAt })).toThrow();
          return;
        }
        const chosen = freeSubnets({ count, taken, startAt }).map(({ cidr }) => thirdNumber(cidr));
        expect(new Set(chosen).size).toBe(count);
        expect(chosen.filter((index) => used.includes(index))).toEqual([]);
      },
    ),
  );
});

test("what is not an IPv4 range is overlapped by nothing", () => {
  expect(freeSubnets({ count: 1, taken: ["fe80::1/64", ""], startAt: 9 }).map(({ cidr }) => cidr)).toEqual([
    "10.213.9.0/24",
  ]);
});

test("an address is handed out once until it is given back", () => {
  const book = addressBook(subnetAt(7));
  const all = Array.from({ length: 241 }, () => book.take());
  expect(new Set(all).size).toBe(241);
  expect(() => book.take()).toThrow(expect.objectContaining({ code: "MIRROR_UNAVAILABLE" }));
  book.giveBack("10.213.7.77");
  expect(book.take()).toBe("10.213.7.77");
  expect(all).not.toContain(subnetAt(7).ingress);
});

test("an address that was just given back is the last to be handed out again", () => {
  const book = addressBook(subnetAt(7));
  const first = book.take();
  book.giveBack(first);
  const next = Array.from({ length: 241 }, () => book.take());
  expect(next.indexOf(first)).toBe(240);
});
