import { networkInterfaces } from "node:os";
import { CanaryError, messageOf } from "../../core/errors.ts";
import { invariant } from "../../core/invariant.ts";
import type { Role } from "../twin.ts";
import { LABEL } from "./labels.ts";
import { type RunContext, resourceName } from "./run-context.ts";
import { freeSubnets, type Subnet } from "./subnets.ts";

/** A network of the run and its address range. */
export interface TwinNetwork {
  readonly name: string;
  readonly subnet: Subnet;
}

/**
 * One network per twin for its services. `front` publishes the ingresses' ports where the twins' own networks cannot,
 * being internal; with two publishing networks it would be the engine's choice which one is used.
 */
export interface RunNetworks {
  readonly front?: TwinNetwork;
  readonly control: TwinNetwork;
  readonly shadow: TwinNetwork;
}

const BRIDGE = "com.docker.network.bridge";
const ATTEMPTS_MAX = 5;

/**
 * Creates the networks of a run in parallel.
 * `strict`: the twins' networks are internal, so the engine drops whatever wants to leave. `standard`: a bridge without
 * masquerading, where packets may leave with a private source and no answer finds back: good against accidents only.
 */
export async function createNetworks(run: RunContext, signal: AbortSignal): Promise<RunNetworks> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await createOnce(run, attempt, signal);
    } catch (cause) {
      // Another run chose the same range between our look and our call.
      if (attempt === ATTEMPTS_MAX || !(cause instanceof CanaryError) || !/pool overlaps/i.test(messageOf(cause.cause)))
        throw cause;
    }
  }
}

async function createOnce(run: RunContext, attempt: number, signal: AbortSignal): Promise<RunNetworks> {
  const taken = await takenRanges(run, signal);
  const startAt = Math.floor(run.random() * 256);
  const kinds =
    run.isolation === "strict" ? (["control", "shadow", "front"] as const) : (["control", "shadow"] as const);
  const subnets = freeSubnets({ count: kinds.length, taken, startAt });
  const suffix = attempt === 1 ? [] : [String(attempt)];
  const [control, shadow, front] = await Promise.all(
    subnets.map((subnet, index) => createNetwork(run, { kind: kinds[index] ?? "front", subnet, suffix }, signal)),
  );
  invariant(control !== undefined && shadow !== undefined, "two networks were asked for");
  return { control, shadow, ...(front === undefined ? {} : { front }) };
}

async function takenRanges(run: RunContext, signal: AbortSignal): Promise<readonly string[]> {
  const networks = await run.engine.read("listing networks", signal, (docker) => docker.listNetworks());
  const ofEngine = networks.flatMap((network) => network.IPAM?.Config ?? []).map((range) => range.Subnet ?? "");
  const ofHost = Object.values(networkInterfaces()).flatMap((all) => all?.map((address) => address.cidr ?? "") ?? []);
  return [...ofEngine, ...ofHost];
}

async function createNetwork(
  run: RunContext,
  wanted: { readonly kind: "front" | Role; readonly subnet: Subnet; readonly suffix: readonly string[] },
  signal: AbortSignal,
): Promise<TwinNetwork> {
  const name = resourceName(run.runId, wanted.kind, ...wanted.suffix);
  const isFront = wanted.kind === "front";
  await run.engine.change(`creating network ${name}`, signal, (docker) =>
    docker.createNetwork({
      Name: name,
      CheckDuplicate: true,
      Driver: "bridge",
      Internal: !isFront && run.isolation === "strict",
      IPAM: { Config: [{ Subnet: wanted.subnet.cidr, Gateway: wanted.subnet.gateway }] },
      Options: {
        [`${BRIDGE}.enable_ip_masquerade`]: "false",
        [`${BRIDGE}.host_binding_ipv4`]: "127.0.0.1",
        // The two ingresses have nothing to say to each other.
        ...(isFront ? { [`${BRIDGE}.enable_icc`]: "false" } : {}),
      },
      Labels: { ...run.ownership, ...(isFront ? {} : { [LABEL.role]: wanted.kind }) },
    }),
  );
  return { name, subnet: wanted.subnet };
}
