import { expect, test } from "vitest";
import type { Difference, Fingerprint } from "../../src/mirror/fingerprint.ts";
import { ROLES, type Role } from "../../src/mirror/twin.ts";
import { compareAtBarrier } from "../../src/replay/proof/barrier.ts";
import { learnNoise } from "../../src/replay/proof/noise.ts";
import { settledState } from "../../src/run/settled-state.ts";
import { fingerprintFrom } from "../support/fingerprint-builder.ts";
import { simulatedClock } from "../support/simulated-clock.ts";

const JOBS = "db/db/shop/rows/jobs";
const jobs = (status: string, replicas = "1"): Fingerprint =>
  fingerprintFrom({
    resources: { "service/api/replicas": replicas },
    tables: { [JOBS]: { status: [status] } },
    keys: {},
  });
const before = jobs("none yet");

/** Twins whose shadow is in the first state at first, and one further each time its worker has worked on for a second. */
async function settled(states: readonly Fingerprint[], options: { readonly background?: readonly string[] } = {}) {
  const background = options.background ?? ["worker"];
  const clock = simulatedClock();
  const frozen: Record<Role, boolean> = { control: true, shadow: true };
  let workedMs = 0;
  let sinceMs = 0;
  const stateOf = (role: Role): Fingerprint =>
    role === "control"
      ? jobs("all done")
      : (states[Math.min(Math.floor(workedMs / 1000), states.length - 1)] as Fingerprint);
  const twin = (role: Role) => ({
    role,
    freeze: async () => {
      if (!frozen[role] && role === "shadow") workedMs += clock.monotonicMs() - sinceMs;
      frozen[role] = true;
    },
    thaw: async () => {
      frozen[role] = false;
      sinceMs = clock.monotonicMs();
    },
  });
  const notes: string[] = [];
  const context = {
    pair: { spec: { background, state: [] }, control: twin("control"), shadow: twin("shadow") },
    effects: { clock, state: { fingerprint: async (seen: { readonly role: Role }) => stateOf(seen.role) } },
    log: { note: (line: string) => notes.push(line) },
    signal: new AbortController().signal,
  } as unknown as Parameters<typeof settledState>[0];
  const first = { control: stateOf("control"), shadow: stateOf("shadow") };
  const noise = learnNoise(before, before);
  const compare = (now: Readonly<Record<Role, Fingerprint>>) =>
    compareAtBarrier({ reference: before, control: now.control, shadow: now.shadow, noise, consequences: [] });
  const found = await settledState(context, { first, compare });
  expect(
    ROLES.every((role) => frozen[role]),
    "frozen when it ends",
  ).toBe(true);
  return { residue: found.compared.residue.map(({ path }: Difference) => path), tookMs: clock.monotonicMs(), notes };
}

test("a job in hand when everything froze is no residue: it is done a second later", async () => {
  expect(await settled([jobs("one waits"), jobs("all done")])).toMatchObject({ residue: [], tookMs: 1000 });
});

test("what is still apart after the background has worked for seven seconds stays residue", async () => {
  const { residue, tookMs } = await settled([jobs("one lost")]);
  expect({ residue, tookMs }).toEqual({ residue: [`${JOBS}/(some)/status`], tookMs: 7000 });
});

test("nothing is waited for where nothing differs, nothing works in the background, or no job can mend what differs", async () => {
  expect(await settled([jobs("all done")])).toEqual({ residue: [], tookMs: 0, notes: [] });
  expect(await settled([jobs("one waits"), jobs("all done")], { background: [] })).toMatchObject({
    residue: [`${JOBS}/(some)/status`],
    tookMs: 0,
  });
  expect(await settled([jobs("all done", "3")])).toMatchObject({ residue: ["service/api/replicas"], tookMs: 0 });
});
