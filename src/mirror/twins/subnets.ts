import { CanaryError } from "../../core/errors.ts";

/** A /24 of our own: gateway `.1`, ingress `.2`, containers from `.10` to `.250`. */
export interface Subnet {
  readonly cidr: string;
  readonly gateway: string;
  readonly ingress: string;
  /** First three numbers with a dot behind them. */
  readonly prefix: string;
}

/** The private range we choose from: 10.213.0.0/16, 256 networks. */
const POOL_PREFIX = "10.213";
const POOL_SIZE = 256;

/**
 * Picks `count` networks that overlap nothing that exists, scanning the pool circularly from `startAt`.
 * Two runs that start at once begin at different places, so they rarely want the same one.
 * @throws CanaryError MIRROR_UNAVAILABLE when the pool is exhausted
 */
export function freeSubnets(options: {
  readonly count: number;
  readonly taken: readonly string[];
  readonly startAt: number;
}): readonly Subnet[] {
  const taken = options.taken.map(rangeOf).filter((range) => range !== undefined);
  const free: Subnet[] = [];
  for (let step = 0; step < POOL_SIZE && free.length < options.count; step++) {
    const candidate = subnetAt((options.startAt + step) % POOL_SIZE);
    const range = rangeOf(candidate.cidr);
    if (range !== undefined && !taken.some((other) => overlaps(range, other))) free.push(candidate);
  }
  if (free.length === options.count) return free;
  throw new CanaryError({
    code: "MIRROR_UNAVAILABLE",
    message: `no ${options.count} free networks are left in ${POOL_PREFIX}.0.0/16`,
    hint: "Networks of dead runs are removed by `canary doctor --fix`; `docker network ls` shows the others.",
  });
}

/** The n-th network of the pool. */
export function subnetAt(index: number): Subnet {
  const prefix = `${POOL_PREFIX}.${index}.`;
  return { cidr: `${prefix}0/24`, gateway: `${prefix}1`, ingress: `${prefix}2`, prefix };
}

/**
 * Hands out container addresses of one subnet, one after the other; an address is reused only after it was given back, and
 * after all others: an engine may still hold it for a while when its container is gone.
 */
export interface AddressBook {
  take(): string;
  /** Marks an address as taken that another process took. */
  reserve(address: string): void;
  giveBack(address: string): void;
}

const FIRST_HOST = 10;
const HOSTS = 241;

/** @throws CanaryError MIRROR_UNAVAILABLE when all 241 addresses are in use */
export function addressBook(subnet: Subnet): AddressBook {
  const inUse = new Set<string>();
  let taken = 0;
  return {
    take() {
      for (let tried = 0; tried < HOSTS; tried++) {
        const address = `${subnet.prefix}${FIRST_HOST + (taken++ % HOSTS)}`;
        if (inUse.has(address)) continue;
        inUse.add(address);
        return address;
      }
      throw new CanaryError({
        code: "MIRROR_UNAVAILABLE",
        message: "the twin has more than 241 containers",
        hint: "Lower the number of replicas in the Compose file or in the plan.",
      });
    },
    reserve: (address) => void inUse.add(address),
    giveBack: (address) => void inUse.delete(address),
  };
}

interface AddressRange {
  readonly first: number;
  readonly last: number;
}

/** IPv4 only: our pool is IPv4, so nothing else can overlap it. */
function rangeOf(cidr: string): AddressRange | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr);
  if (match === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, bits = 32] = match.slice(1).map(Number);
  const size = 2 ** (32 - bits);
  const address = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  const first = Math.floor(address / size) * size;
  return { first, last: first + size - 1 };
}

function overlaps(left: AddressRange, right: AddressRange): boolean {
  return left.first <= right.last && right.first <= left.last;
}
