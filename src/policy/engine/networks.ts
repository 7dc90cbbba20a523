import { matches } from "../../plan/resource-pattern.ts";

/** An address as a number of so many bits. */
interface Address {
  readonly value: bigint;
  readonly bits: 32 | 128;
}

/**
 * Whether a host may be reached: an address must lie in one of the networks, a name must match one of the patterns. What
 * only looks like a name and is an address to a resolver (`0x7f.1`, `2130706433`, `[::ffff:10.0.0.1]`) is held against
 * the networks.
 * @param host - as a URL or a host field has it; upper case and a final dot make no difference
 * @param networks - CIDR, IPv4 or IPv6
 */
export function mayReach(
  host: string,
  allowed: { readonly names: readonly string[]; readonly networks: readonly string[] },
): boolean {
  const plain = canonicalHost(host);
  if (plain === undefined) return false;
  const address = addressOf(plain);
  return address === undefined
    ? allowed.names.some((pattern) => matches(pattern, plain))
    : allowed.networks.some((network) => contains(network, address));
}

/** The form in which a URL parser has a host; undefined for what is none. */
function canonicalHost(host: string): string | undefined {
  const bare = host.startsWith("[") || !host.includes(":") ? host : `[${host}]`;
  const url = `http://${bare}/`;
  if (host === "" || host.length > 253 || /[/?#@\\%]/.test(host) || !URL.canParse(url)) return undefined;
  const { hostname } = new URL(url);
  return hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
}

function addressOf(text: string): Address | undefined {
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) return { value: fromParts(text.split(".").map(Number), 8n), bits: 32 };
  if (!text.includes(":")) return undefined;
  const [head = "", tail] = text.split("::");
  const before = words(head);
  const after = words(tail ?? "");
  const gap = tail === undefined ? [] : Array<number>(8 - before.length - after.length).fill(0);
  const value = fromParts([...before, ...gap, ...after], 16n);
  // An IPv4 address in the clothes of IPv6 reaches the IPv4 host.
  return value >> 32n === 0xffffn ? { value: value & 0xffff_ffffn, bits: 32 } : { value, bits: 128 };
}

/** Groups of an IPv6 address as a URL parser writes them: hexadecimal, without a dotted end. */
function words(text: string): readonly number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}

function fromParts(parts: readonly number[], width: bigint): bigint {
  return parts.reduce((value, part) => (value << width) | BigInt(part), 0n);
}

function contains(network: string, address: Address): boolean {
  const [text = "", length = ""] = network.split("/");
  const canonical = canonicalHost(text);
  const base = canonical === undefined ? undefined : addressOf(canonical);
  if (base === undefined || base.bits !== address.bits) return false;
  const written = BigInt(length);
  // `::ffff:10.0.0.0/104` is a network of IPv4: its first 96 bits are the mapping's.
  const prefix = text.includes(":") && base.bits === 32 ? written - 96n : written;
  if (prefix < 0n) return false;
  const shift = BigInt(base.bits) - prefix;
  return base.value >> shift === address.value >> shift;
}
