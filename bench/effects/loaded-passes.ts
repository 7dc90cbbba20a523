import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { systemClock } from "../../src/cli/system.ts";
import type { StateAccess } from "../../src/mirror/state/state-access.ts";
import type { TwinPair } from "../../src/mirror/twin.ts";
import { startDriver } from "../../src/replay/driver/start-driver.ts";
import { compareAtBarrier } from "../../src/replay/proof/barrier.ts";
import { learnNoise } from "../../src/replay/proof/noise.ts";
import { fingerprintsOf, startLoad } from "../../src/run/load-session.ts";
import { parseScenario } from "../../src/run/scenario.ts";
import { settledState } from "../../src/run/settled-state.ts";

const SCENARIO = "scenarios/migration-locks-table.yaml";
/** Traffic before each of the two barriers of a pass, ms. */
const FLOWING_MS = 10_000;

const signal = new AbortController().signal;

/**
 * Sends both twins the same traffic and compares them as at the last barrier of a run whose plan does nothing: noise is
 * learned at one barrier, traffic goes on, and at the next whatever is called residue is a false positive.
 */
export async function loadedPasses(options: {
  readonly pair: TwinPair;
  readonly state: StateAccess;
  readonly passes: number;
  readonly line: (what: string, measured: string) => void;
}): Promise<void> {
  const { pair, state, passes, line } = options;
  const scenario = parseScenario(readFileSync(SCENARIO, "utf8"), SCENARIO);
  const recordingDir = await mkdtemp(path.join(tmpdir(), "canary-loaded-"));
  const store = {
    recordingDir,
    saveMetrics: () => undefined,
    saveResponses: () => undefined,
    saveManifest: async () => undefined,
  };
  const effects = { clock: systemClock, startDriver, state, store, observe: () => undefined };
  const reference = await fingerprintsOf({ pair, effects, signal });
  const job = { runId: "bench-loaded", seed: 20261130, scenario, scenarioDir: path.dirname(path.resolve(SCENARIO)) };
  const wrong = new Set<string>();
  const noisy = new Set<string>();
  let [falsePasses, workedOn] = [0, 0];
  {
    await using session = await startLoad({ job, pair, effects, signal });
    for (let pass = 0; pass < passes; pass++) {
      await systemClock.sleep(FLOWING_MS, signal);
      const before = await session.barrier(signal);
      const noise = learnNoise(before.control, before.shadow, reference);
      await systemClock.sleep(FLOWING_MS, signal);
      let looks = 0;
      const { compared } = await session.still(
        async () =>
          await settledState(
            { pair, effects, log: { note: () => looks++ }, signal },
            {
              first: await fingerprintsOf({ pair, effects, signal }),
              compare: ({ control, shadow }) =>
                compareAtBarrier({
                  reference: reference.shadow,
                  controlReference: reference.control,
                  control,
                  shadow,
                  noise,
                  consequences: [],
                }),
            },
          ),
        signal,
      );
      for (const found of compared.noise) noisy.add(found);
      for (const { path: found } of compared.residue) wrong.add(found);
      if (compared.residue.length > 0) falsePasses++;
      if (looks > 0) workedOn++;
    }
  }
  await rm(recordingDir, { recursive: true });
  line(
    `${passes} loaded passes without a plan, ${scenario.traffic.ratePerSecond} requests a second`,
    `${falsePasses} with a false positive${falsePasses === 0 ? "" : ` (${[...wrong].slice(0, 5).join(", ")})`}; in ${workedOn} work was in hand when all froze; noise: ${[...noisy].slice(0, 12).join(", ")}`,
  );
}
