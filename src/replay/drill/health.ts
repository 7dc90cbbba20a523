import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { MirrorSpec } from "../../mirror/mirror-spec.ts";
import type { Twin } from "../../mirror/twin.ts";
import type { FaultSwitches } from "../../mirror/twin-faults.ts";
import type { DrillSpec, HealthProbe } from "../faults/fault-spec.ts";

/** What one probe said. A probe that could not be asked is not healthy. */
export interface HealthAnswer {
  readonly name: string;
  /** Service that is restarted when it does not get well by itself. */
  readonly service: string;
  readonly healthy: boolean;
  readonly said: string;
}

/** What asking for health needs. */
export interface HealthTools {
  readonly shadow: Twin;
  readonly faults: FaultSwitches;
  readonly mirror: MirrorSpec;
  readonly spec: Pick<DrillSpec, "health" | "recoverSeconds">;
  readonly clock: Clock;
}

const PROBE_TIMEOUT_MS = 5_000;
const POLL_MS = 200;

/** Asks every probe once: those of the scenario, else the services' own health checks. */
export async function askHealth(tools: HealthTools, signal: AbortSignal): Promise<readonly HealthAnswer[]> {
  const { health } = tools.spec;
  if (health !== undefined) return await Promise.all(health.map((probe) => askHttp(tools.shadow, probe, signal)));
  const standing = tools.mirror.services.filter(
    ({ name, healthcheck }) => healthcheck !== undefined && !tools.mirror.background.includes(name),
  );
  const answers = await Promise.all(
    standing.map(async ({ name }): Promise<readonly HealthAnswer[]> => {
      const answer = await tools.faults.health(name, signal);
      return answer === undefined ? [] : [{ name, service: name, ...answer }];
    }),
  );
  return answers.flat();
}

/** Asks until all is well or the time for recovering is up; the last answers count. */
export async function waitUntilWell(
  tools: HealthTools,
  signal: AbortSignal,
): Promise<{ readonly answers: readonly HealthAnswer[]; readonly tookMs: number }> {
  const startedMs = tools.clock.monotonicMs();
  for (;;) {
    const answers = await askHealth(tools, signal);
    const tookMs = tools.clock.monotonicMs() - startedMs;
    if (answers.every(({ healthy }) => healthy) || tookMs > tools.spec.recoverSeconds * 1000)
      return { answers, tookMs };
    await tools.clock.sleep(POLL_MS, signal);
  }
}

async function askHttp(twin: Twin, { name, http }: HealthProbe, signal: AbortSignal): Promise<HealthAnswer> {
  const { host, port } = twin.address(http);
  const answer = (healthy: boolean, said: string): HealthAnswer => ({ name, service: http.service, healthy, said });
  try {
    const response = await fetch(`http://${host}:${port}${http.path}`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]),
    });
    await response.body?.cancel();
    return answer(response.status === http.expectStatus, `status ${response.status}`);
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    return answer(false, messageOf(thrown));
  }
}
