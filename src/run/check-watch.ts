import { CanaryError } from "../core/errors.ts";
import type { Measure } from "../measure/slo.ts";
import type { MirrorSpec } from "../mirror/mirror-spec.ts";
import type { HealthProbe } from "../plan/health-probe.ts";
import type { Scenario } from "./scenario.ts";

/**
 * Holds triggers and safeguards against the traffic and the mirror: what nobody sends and what is not there could only
 * ever be a miss, and that is better known before anything is raised.
 * @throws CanaryError SCENARIO_INVALID with every contradiction
 */
export function checkWatch(
  scenario: Pick<Scenario, "name" | "triggers" | "safeguards">,
  routes: readonly string[],
  spec: Pick<MirrorSpec, "services" | "state" | "entry" | "metrics">,
): void {
  const problems = [
    ...scenario.triggers.flatMap((trigger) => {
      const about = `trigger ${trigger.name}`;
      if ("probe" in trigger) return probeProblems(about, trigger.probe, spec);
      if ("metric" in trigger) return metricProblems(about, trigger.metric, routes, spec);
      return "burn" in trigger ? routeProblems(about, trigger.burn.route, routes) : [];
    }),
    ...scenario.safeguards.flatMap(({ name, probe }) => probeProblems(`safeguard ${name}`, probe, spec)),
  ];
  if (problems.length === 0) return;
  throw new CanaryError({
    code: "SCENARIO_INVALID",
    message: `${scenario.name} watches what is not there`,
    hint: problems.join("\n"),
  });
}

function routeProblems(about: string, route: string | undefined, routes: readonly string[]): readonly string[] {
  if (route === undefined || routes.includes(route)) return [];
  return [`${about} looks at route "${route}", but the traffic only has: ${routes.join(", ")}`];
}

function metricProblems(
  about: string,
  measure: Measure,
  routes: readonly string[],
  spec: Pick<MirrorSpec, "services">,
): readonly string[] {
  if ("service" in measure) return serviceProblems(about, measure.service, spec);
  return routeProblems(about, measure.route, routes);
}

function probeProblems(
  about: string,
  probe: HealthProbe,
  spec: Pick<MirrorSpec, "services" | "state" | "entry" | "metrics">,
): readonly string[] {
  if ("up" in probe) return serviceProblems(about, probe.up.service, spec);
  if ("sql" in probe) {
    const { service } = probe.sql;
    const isStore = spec.state.some((store) => store.kind === "postgres" && store.service === service);
    return isStore ? [] : [`${about} asks SQL of ${service}, which is no postgres store under x-canary: state`];
  }
  const { service, port } = "http" in probe ? probe.http : probe.grpc;
  const unknown = serviceProblems(about, service, spec);
  if (unknown.length > 0) return unknown;
  const { http, grpc } = spec.entry;
  const ports = [
    ...spec.services.filter(({ name }) => name === service).flatMap((of) => of.ports),
    ...[http, grpc, ...spec.metrics].flatMap((at) => (at?.service === service ? [at.port] : [])),
  ];
  return ports.includes(port)
    ? []
    : [`${about} asks ${service}:${port}, a port that the Compose file does not declare`];
}

function serviceProblems(about: string, service: string, spec: Pick<MirrorSpec, "services">): readonly string[] {
  if (spec.services.some(({ name }) => name === service)) return [];
  return [`${about} asks ${service}, which is no service of the mirror`];
}
