import { CanaryError } from "../../core/errors.ts";
import type { DependencySpec, ServiceSpec } from "../mirror-spec.ts";

type Ordered = Pick<ServiceSpec, "name" | "dependsOn">;

/** What the caller does for one service; each is called at most once per service. */
export interface StartSteps<Service extends Ordered> {
  /** Resolves when its processes run. */
  start(service: Service): Promise<void>;
  /** Resolves when it answers, or has ended well if it is a one-shot. */
  ready(service: Service): Promise<void>;
}

/**
 * Services so that each stands behind everything it depends on; otherwise in the order given.
 * @throws CanaryError MIRROR_INVALID when dependencies form a circle or name a missing service
 */
export function startOrder<Service extends Ordered>(services: readonly Service[]): readonly Service[] {
  const byName = new Map(services.map((service) => [service.name, service]));
  const ordered = new Set<Service>();
  const visit = (service: Service, path: readonly string[]): void => {
    if (ordered.has(service)) return;
    if (path.includes(service.name)) throw invalid(`${[...path, service.name].join(" → ")} is a circle`);
    for (const dependency of service.dependsOn) {
      const target = byName.get(dependency.service);
      if (target !== undefined) visit(target, [...path, service.name]);
      else if (dependency.required) throw invalid(`${service.name} depends on ${dependency.service}, which is missing`);
    }
    ordered.add(service);
  };
  for (const service of services) visit(service, []);
  return [...ordered];
}

/** True when another service waits for this one to end: a migration, a seed. */
export function isOneShot(name: string, services: readonly Ordered[]): boolean {
  return services.some((service) =>
    service.dependsOn.some(
      (dependency) => dependency.service === name && dependency.condition === "service_completed_successfully",
    ),
  );
}

/**
 * Starts every service as soon as its own dependencies allow, without waiting for whole levels.
 * Rejects with the first failure; steps already under way are the caller's to stop.
 */
export async function startInOrder<Service extends Ordered>(
  services: readonly Service[],
  steps: StartSteps<Service>,
): Promise<void> {
  const started = new Map<string, Promise<void>>();
  const ready = new Map<string, Promise<void>>();
  for (const service of startOrder(services)) {
    const waits = service.dependsOn.map((dependency) => waitFor(dependency, started, ready));
    const start = Promise.all(waits).then(() => steps.start(service));
    started.set(service.name, start);
    ready.set(
      service.name,
      start.then(() => steps.ready(service)),
    );
  }
  for (const promise of [...started.values(), ...ready.values()]) promise.catch(() => undefined);
  await Promise.all(ready.values());
}

async function waitFor(
  dependency: DependencySpec,
  started: ReadonlyMap<string, Promise<void>>,
  ready: ReadonlyMap<string, Promise<void>>,
): Promise<void> {
  const reached = dependency.condition === "service_started" ? started : ready;
  await reached.get(dependency.service);
}

function invalid(problem: string): CanaryError {
  return new CanaryError({
    code: "MIRROR_INVALID",
    message: `services cannot be ordered: ${problem}`,
    hint: "Change `depends_on` in the Compose file.",
  });
}
