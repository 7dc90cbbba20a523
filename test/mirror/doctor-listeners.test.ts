import fc from "fast-check";
import { expect, test } from "vitest";
import { parseListeners, portsOpenToContainers } from "../../src/mirror/doctor/listeners.ts";

const REST = "00000000:00000000 00:00000000 00000000     0        0 1076 1 000000000de0c8a6 100 0 0 10 0";
const row = (local: string, state: string, remote = "00000000:0000"): string =>
  `   0: ${local} ${remote} ${state} ${REST}\n`;
const ZERO = "0".repeat(32);
const row6 = (local: string): string => row(local, "0A", `${ZERO}:0000`);

test("a socket that listens on all addresses is read from the kernel's table", () => {
  expect(parseListeners(`  sl  local_address rem_address   st\n${row("00000000:07E8", "0A")}`)).toEqual([
    { address: "0.0.0.0", port: 2024 },
  ]);
});

test("connections are not listeners", () => {
  expect(parseListeners(row("020200C0:B65C", "06", "507100CB:0050") + row("020200C0:B65C", "01"))).toEqual([]);
});

test("addresses are read in this machine's byte order, mapped ones as the IPv4 addresses they are", () => {
  expect(parseListeners(row("020200C0:0050", "0A"))[0]?.address).toBe("192.0.2.2");
  expect(parseListeners(row6("0000000000000000FFFF00000100007F:0050"))[0]?.address).toBe("127.0.0.1");
  expect(parseListeners(row6("00000000000000000000000001000000:0050"))[0]?.address).toBe(`${"0".repeat(31)}1`);
});

test("loopback listeners of either family are out of a container's reach, all others within", () => {
  const loopback =
    row("0100007F:1538", "0A") +
    row6("00000000000000000000000001000000:1538") +
    row6("0000000000000000FFFF00000100007F:1538");
  expect(portsOpenToContainers(parseListeners(loopback))).toEqual([]);
  const open = row("00000000:0016", "0A") + row("020200C0:0050", "0A") + row6(`${ZERO}:0016`);
  expect(portsOpenToContainers(parseListeners(open))).toEqual([22, 80]);
});

test("every open port is reported once and in order, however the table is shuffled", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 65535 })), (ports) => {
      const table = ports
        .map((port) => row(`00000000:${port.toString(16).toUpperCase().padStart(4, "0")}`, "0A"))
        .join("");
      expect(portsOpenToContainers(parseListeners(table))).toEqual([...new Set(ports)].sort((a, b) => a - b));
    }),
  );
});

test("text that is no table has no listeners", () => {
  fc.assert(fc.property(fc.string(), (text) => void expect(parseListeners(text)).toEqual([])));
});
