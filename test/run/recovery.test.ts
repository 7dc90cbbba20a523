import { expect, test } from "vitest";
import type { SloJudgement } from "../../src/judge/verdict.ts";
import type { Window } from "../../src/replay/recording.ts";
import type { Looks } from "../../src/run/looks.ts";
import { measureRecovery } from "../../src/run/plan-phases.ts";
import { startRunLog } from "../../src/run/run-log.ts";
import { look, P50 } from "../judge/support/judged.ts";
import { simulatedJob } from "../support/simulated-job.ts";
import { simulatedStage } from "../support/simulated-stage.ts";

/** Recovery as an SLO sees it whose blocks are this long; answers the names, and how long was looked. */
async function recover(blockMs: number, lost: "nothing" | "everything" = "nothing") {
  const { clock } = simulatedStage(1, []);
  const [judged] = look({}, { slos: [P50] });
  if (judged === undefined) throw new Error("nothing was judged");
  const at = ({ fromMs, toMs }: Window): readonly SloJudgement[] => {
    const after = lost === "everything" ? 0 : Math.floor((toMs - fromMs) / blockMs);
    return [{ ...judged, state: after === 0 ? "open" : "pass", blocks: { ...judged.blocks, blockMs, after } }];
  };
  const axisMs = (): number => clock.monotonicMs();
  const looks: Looks = {
    judge: ({ after }) => at(after),
    next: async ({ fromMs, untilMs, signal }) => {
      await clock.sleep(2000, signal);
      const after = { fromMs, toMs: Math.min(axisMs(), untilMs) };
      return axisMs() > untilMs ? undefined : { slos: at(after), after, isDecided: true, late: [] };
    },
    trails: () => [],
  };
  const signal = new AbortController().signal;
  const job = simulatedJob({ seed: 1, plan: "scale-one", faults: [] });
  const session = { phases: {}, axisMs, mark: () => undefined };
  const context = { job, effects: { clock }, log: startRunLog(clock, () => undefined), signal };
  const names = await measureRecovery(context, session, looks);
  clock.stop();
  return { names, tookMs: clock.monotonicMs() };
}

test("recovery is watched for the least number of blocks of the slowest SLO", async () => {
  const short = await recover(2000);
  expect(short.names).toEqual([]);
  expect(short.tookMs).toBeLessThan(25_000);
  const gauge = await recover(30_000);
  expect(gauge.names).toEqual([]);
  expect(gauge.tookMs).toBeGreaterThan(6 * 30_000);
});

test("an SLO of which not one block has passed has not recovered", async () => {
  expect((await recover(2000, "everything")).names).toEqual(["p50"]);
});
