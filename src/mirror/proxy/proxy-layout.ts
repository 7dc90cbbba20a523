import type { MirrorSpec, ServicePort } from "../mirror-spec.ts";
import type { DependencyLink } from "../twin-faults.ts";
import { isOneShot } from "../twins/service-order.ts";

/** Name of a link in messages, reports and the proxy's protocol. */
export function linkName(link: DependencyLink): string {
  return `${link.from}>${link.to}:${link.port}`;
}

/** Whether two links are the same one. */
export function sameLink(a: DependencyLink, b: DependencyLink): boolean {
  return linkName(a) === linkName(b);
}

/**
 * The dependencies of a mirror: those that `x-canary: dependencies:` declares, else every port of what a service
 * `depends_on` (a store's own port where it is one), sorted by name.
 */
export function dependenciesOf(spec: MirrorSpec): readonly DependencyLink[] {
  const declared = spec.dependencies ?? [];
  if (declared.length > 0) return sorted(declared);
  return sorted(
    spec.services.flatMap(({ name, dependsOn }) =>
      dependsOn
        .filter(({ service }) => !isOneShot(service, spec.services))
        .flatMap(({ service }) => portsOf(spec, service).map(({ port }) => ({ from: name, to: service, port }))),
    ),
  );
}

/**
 * Shares links out among as few proxies as there can be: a proxy has one address and tells callers apart by theirs, so
 * that one caller's two dependencies on the same port need two proxies. All links to one dependency share its proxy.
 */
export function layOut(links: readonly DependencyLink[]): readonly (readonly DependencyLink[])[] {
  const proxies: DependencyLink[][] = [];
  for (const to of [...new Set(links.map((link) => link.to))].sort()) {
    const own = links.filter((link) => link.to === to);
    const clashes = (other: DependencyLink): boolean =>
      own.some((link) => link.from === other.from && link.port === other.port);
    const free = proxies.find((proxy) => !proxy.some(clashes));
    if (free === undefined) proxies.push([...own]);
    else free.push(...own);
  }
  return proxies;
}

function portsOf(spec: MirrorSpec, service: string): readonly ServicePort[] {
  const stores = spec.state.filter((store) => store.service === service);
  if (stores.length > 0) return stores;
  const ports = spec.services.find((one) => one.name === service)?.ports ?? [];
  return ports.map((port) => ({ service, port }));
}

function sorted(links: readonly DependencyLink[]): readonly DependencyLink[] {
  const byName = new Map(links.map(({ from, to, port }) => [linkName({ from, to, port }), { from, to, port }]));
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, link]) => link);
}
