import { BlockList } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { mayReach } from "../../../src/policy/engine/networks.ts";

const PRIVATE = { names: ["*.internal", "tickets.example"], networks: ["10.0.0.0/8", "fd00::/8"] };

test.each([
  ["tickets.example", true],
  ["TICKETS.example.", true],
  ["a.internal", true],
  ["tickets.example.evil.example", false],
  ["internal", false],
  ["10.1.2.3", true],
  ["11.1.2.3", false],
  ["fd12::1", true],
  ["[fd12::1]", true],
  ["fe80::1", false],
  ["::ffff:10.1.2.3", true],
  ["::ffff:169.254.169.254", false],
])("%s: %s", (host, allowed) => {
  expect(mayReach(host, PRIVATE)).toBe(allowed);
});

test.each(["2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "169.254.169.254."])(
  "%s is the address of the metadata service, not a name",
  (host) => {
    expect(mayReach(host, { names: ["**"], networks: ["10.0.0.0/8"] })).toBe(false);
    expect(mayReach(host, { names: [], networks: ["169.254.0.0/16"] })).toBe(true);
  },
);

test.each(["", " ", "a b", "a/b", "user@a", "a?b", "a#b", "a\\b", "[::1", "1.2.3.4.5.6:x", "%31", "a".repeat(254)])(
  "%j is no host, whatever is allowed",
  (host) => {
    expect(mayReach(host, { names: ["**"], networks: ["0.0.0.0/0", "::/0"] })).toBe(false);
  },
);

test("an address lies in a network exactly when the runtime's own list of networks says so", () => {
  const v4 = fc.record({ address: fc.ipV4(), network: fc.ipV4(), prefix: fc.integer({ min: 0, max: 32 }) });
  const v6 = fc.record({ address: fc.ipV6(), network: fc.ipV6(), prefix: fc.integer({ min: 0, max: 128 }) });
  const near = fc.boolean();
  const compare =
    (family: "ipv4" | "ipv6") => (given: { address: string; network: string; prefix: number }, isNear: boolean) => {
      const network = isNear ? given.address : given.network;
      const list = new BlockList();
      list.addSubnet(network, given.prefix, family);
      const said = mayReach(given.address, { names: [], networks: [`${network}/${given.prefix}`] });
      expect(said).toBe(list.check(given.address, family));
    };
  fc.assert(fc.property(v4, near, compare("ipv4")), { numRuns: 1000 });
  fc.assert(fc.property(v6, near, compare("ipv6")), { numRuns: 1000 });
});
