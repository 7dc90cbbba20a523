/** One TCP socket that waits for connections. */
export interface Listener {
  /** Dotted IPv4, or lower-case hexadecimal IPv6 without shortening. */
  readonly address: string;
  readonly port: number;
}

/** The state LISTEN in the kernel's tables (`include/net/tcp_states.h`). */
const LISTEN = "0A";
const ALL_IPV6 = "0".repeat(32);
/** ::ffff:0:0/96 in the kernel's notation: an IPv4 address in a socket of the other family. */
const MAPPED_IPV4 = /^0{16}0000ffff([0-9a-f]{8})$/;

/**
 * The listening sockets in the text of `/proc/net/tcp` or `/proc/net/tcp6` (format: proc_net_tcp in the kernel's
 * documentation). The kernel prints addresses as words of this machine's byte order: little-endian is assumed, as on
 * x86-64 and arm64. Lines that do not look like sockets are passed over.
 */
export function parseListeners(table: string): readonly Listener[] {
  return table.split("\n").flatMap((line) => {
    const match = /^\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) /.exec(line);
    const [, address, port, state] = match ?? [];
    if (address === undefined || port === undefined || state !== LISTEN) return [];
    return [{ address: readable(address), port: Number.parseInt(port, 16) }];
  });
}

/**
 * Ports a container on a bridge can reach: a bridge leads to every address of the machine but the loopback ones.
 * Ascending, each once.
 */
export function portsOpenToContainers(listeners: readonly Listener[]): readonly number[] {
  const ports = listeners.filter(({ address }) => !isLoopback(address)).map(({ port }) => port);
  return [...new Set(ports)].sort((a, b) => a - b);
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === `${ALL_IPV6.slice(1)}1`;
}

function readable(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words
    .map((word) => (word.match(/../g) ?? []).reverse().join(""))
    .join("")
    .toLowerCase();
  const ipv4 = bytes.length === 8 ? bytes : MAPPED_IPV4.exec(bytes)?.[1];
  if (ipv4 === undefined) return bytes;
  return (ipv4.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).join(".");
}
