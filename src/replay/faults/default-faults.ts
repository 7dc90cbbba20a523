import type { MirrorSpec } from "../../mirror/mirror-spec.ts";
import type { DependencyLink } from "../../mirror/twin-faults.ts";
import type { Fault } from "./fault-spec.ts";

/**
 * The faults of a drill whose scenario names none: what most often happens to the first store, to the way that the entry
 * point takes to it, to the entry point itself and to a third party. Which of several is "the first" is the file's order.
 */
export function defaultFaults(spec: MirrorSpec, links: readonly DependencyLink[]): readonly Fault[] {
  const entry = spec.entry.http?.service ?? spec.entry.grpc?.service;
  const [store] = spec.state;
  const other = spec.state.find((one) => one.service !== store?.service) ?? store;
  const way = links.find((link) => link.from === entry && link.to === store?.service);
  const otherWay = links.find((link) => link.from === entry && link.to !== store?.service) ?? way;
  const [stub] = spec.stubs;
  return [
    ...(store === undefined
      ? []
      : ([
          { kind: "kill", service: store.service },
          { kind: "pause", service: store.service },
        ] as const)),
    ...(other === undefined ? [] : ([{ kind: "disconnect", service: other.service }] as const)),
    ...(way === undefined ? [] : ([{ kind: "slow", ...way, latencyMs: 200, jitterMs: 0 }] as const)),
    ...(otherWay === undefined ? [] : ([{ kind: "cut", ...otherWay }] as const)),
    ...(entry === undefined ? [] : ([{ kind: "cpu", service: entry, cpus: 0.2 }] as const)),
    ...(stub === undefined ? [] : ([{ kind: "stub", host: stub.host, answer: 503 }] as const)),
  ];
}

/** What a drill asks for that this mirror does not have, in sentences; empty when everything can be broken. */
export function faultProblems(
  faults: readonly Fault[],
  spec: MirrorSpec,
  links: readonly DependencyLink[],
): readonly string[] {
  return faults.flatMap((fault) => {
    if ("service" in fault) {
      if (!spec.services.some(({ name }) => name === fault.service)) return [`there is no service ${fault.service}`];
      return spec.background.includes(fault.service)
        ? [`${fault.service} is listed under \`background\` and stands still during a drill: nothing can befall it`]
        : [];
    }
    if (fault.kind === "stub")
      return spec.stubs.some(({ host }) => host === fault.host) ? [] : [`there is no stub for ${fault.host}`];
    const found = linksOf(fault, links);
    if (found.length === 1) return [];
    const known = links.map((link) => `${link.from}>${link.to}:${link.port}`).join(", ");
    return found.length === 0
      ? [`${fault.from} has no dependency on ${fault.to}; known are: ${known || "none"}`]
      : [`${fault.from} reaches ${fault.to} on several ports; say which with \`port\`: ${known}`];
  });
}

/** The links that a fault on a dependency means. */
export function linksOf(
  fault: Extract<Fault, { from: string }>,
  links: readonly DependencyLink[],
): readonly DependencyLink[] {
  return links.filter(
    (link) =>
      link.from === fault.from && link.to === fault.to && (fault.port === undefined || link.port === fault.port),
  );
}
