import type { ServiceSpec } from "../mirror-spec.ts";
import type { Report } from "./problem.ts";
import type { XCanary } from "./x-canary.ts";

/** What the names of a document may refer to. */
export interface KnownNames {
  /** Every service that is raised. */
  readonly services: readonly string[];
  /** Services that have profiles and are left out. */
  readonly leftOut: readonly string[];
}

/** Reports dependencies on services that do not exist and dependencies that go round in a circle. */
export function checkDependencies(services: ReadonlyMap<string, ServiceSpec>, known: KnownNames, report: Report): void {
  for (const { name, dependsOn } of services.values()) {
    const path = ["services", name, "depends_on"];
    for (const { service, required } of dependsOn) {
      if (required) checkService(service, path, known, report);
    }
    const circle = circleThrough(name, services);
    if (circle !== undefined) report(path, `goes round in a circle: ${circle.join(" -> ")}`);
  }
}

/** Reports names in `x-canary` that do not exist, are said twice, or contradict each other. */
export function checkXCanary(written: XCanary, known: KnownNames, report: Report): void {
  for (const kind of ["http", "grpc"] as const) {
    const endpoint = written.entry[kind];
    if (endpoint !== undefined) checkService(endpoint.service, ["x-canary", "entry", kind], known, report);
  }
  for (const key of ["state", "metrics"] as const) {
    const names = written[key].map(({ service }) => service);
    checkList(names, (index) => ["x-canary", key, index, "service"], known, report);
  }
  checkList(written.background, (index) => ["x-canary", "background", index], known, report);
  for (const [index, service] of written.background.entries()) {
    if (!written.state.some((state) => state.service === service)) continue;
    report(["x-canary", "background", index], `"${service}" holds state; frozen, nobody could read it`);
  }
  for (const [index, { service, path }] of written.flags.entries()) {
    checkService(service, ["x-canary", "flags", index, "service"], known, report);
    const first = written.flags.findIndex((other) => other.service === service && other.path === path);
    if (first < index) report(["x-canary", "flags", index], `"${path}" of ${service} is named twice`);
  }
  for (const [index, { from, to }] of written.dependencies.entries()) {
    checkService(from, ["x-canary", "dependencies", index, "from"], known, report);
    checkService(to, ["x-canary", "dependencies", index, "to"], known, report);
  }
  for (const [index, { host }] of written.stubs.entries()) {
    const path = ["x-canary", "stubs", index, "host"];
    if (known.services.includes(host)) report(path, `"${host}" is a service of the mirror`);
    if (written.stubs.findIndex((stub) => stub.host === host) < index) report(path, `"${host}" is named twice`);
  }
}

function checkList(
  names: readonly string[],
  pathOf: (index: number) => readonly PropertyKey[],
  known: KnownNames,
  report: Report,
): void {
  for (const [index, name] of names.entries()) {
    checkService(name, pathOf(index), known, report);
    if (names.indexOf(name) < index) report(pathOf(index), `"${name}" is named twice`);
  }
}

function checkService(name: string, path: readonly PropertyKey[], known: KnownNames, report: Report): void {
  if (known.services.includes(name)) return;
  const leftOut = known.leftOut.includes(name) ? "has profiles and is left out" : "is not a service of this file";
  report(path, `"${name}" ${leftOut}`);
}

/** The shortest way from a service back to itself; `undefined` if there is none. Each circle is told once, by its first name. */
function circleThrough(start: string, services: ReadonlyMap<string, ServiceSpec>): readonly string[] | undefined {
  const ways: (readonly string[])[] = [[start]];
  const seen = new Set<string>();
  for (const way of ways) {
    for (const { service } of services.get(way.at(-1) ?? "")?.dependsOn ?? []) {
      if (service === start) return way.every((name) => name >= start) ? [...way, start] : undefined;
      if (!seen.has(service)) ways.push([...way, service]);
      seen.add(service);
    }
  }
  return undefined;
}
