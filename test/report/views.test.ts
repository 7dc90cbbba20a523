import { Writable } from "node:stream";
import { expect, test } from "vitest";
import type { RunEvent } from "../../src/report/run-event.ts";
import { createLiveView } from "../../src/report/terminal/live-view.ts";
import { wantsColor } from "../../src/report/terminal/paint.ts";
import { createPlainView } from "../../src/report/terminal/plain-view.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";
import { eventsOf, type TimedEvent, VERDICT_KINDS, watchedPlanOf } from "../support/run-event-script.ts";
import { buildRunReport } from "../support/run-report-builder.ts";

/** A stream that keeps what was written; `isTTY` false, so that no terminal mode is switched. */
class Screen extends Writable {
  readonly columns = 90;
  readonly rows = 40;
  readonly writes: string[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes.push(chunk.toString());
    done();
  }

  get text(): string {
    return this.writes.join("");
  }
}

function play(view: (event: RunEvent) => void, clock: ManualClock, events: readonly TimedEvent[]): void {
  for (const { atMs, event } of events) {
    clock.advance(Math.max(0, atMs - clock.monotonicMs()));
    view(event);
  }
}

const HOSTILE = "x\u001b[2J\u001b]0;title\u0007\n::error::forged ##[group] \u202e";

for (const kind of VERDICT_KINDS) {
  test(`tells a run that ends in ${kind} line by line, without one line per pulse`, async () => {
    const report = buildRunReport({ verdict: kind });
    const screen = new Screen();
    const clock = manualClock();
    {
      using view = createPlainView({ stream: screen, clock, plan: watchedPlanOf(report), githubActions: false });
      play(view, clock, eventsOf(report));
    }
    await expect(screen.text).toMatchFileSnapshot(`golden/plain-${kind}.txt`);
    expect(screen.text.split("\n").length).toBeLessThan(75);
  });
}

test("says once a minute that it lives while nothing is decided", () => {
  const report = buildRunReport({ verdict: "hold" });
  const screen = new Screen();
  const clock = manualClock();
  using view = createPlainView({ stream: screen, clock, plan: watchedPlanOf(report), githubActions: false });
  const observing = eventsOf(report).filter(({ event, atMs }) => event.kind === "pulse" && atMs < 250_000);
  play(view, clock, [{ atMs: 0, event: { kind: "phase", phase: "observe", atEpochMs: 0 } }, ...observing]);
  expect(screen.text.match(/still in observe/g)?.length).toBe(4);
});

test("on GitHub, text of a plan cannot forge a command and the verdict is annotated", () => {
  const report = buildRunReport({ verdict: "reject", reasons: [{ code: "ACTION_FAILED", message: HOSTILE }] });
  const screen = new Screen();
  const clock = manualClock();
  {
    const plan = { ...watchedPlanOf(report), intent: HOSTILE };
    using view = createPlainView({ stream: screen, clock, plan, githubActions: true });
    view({ kind: "note", message: HOSTILE });
    view({ kind: "verdict", verdict: report.verdict, reportDir: "reports/x" });
  }
  const commands = screen.text.split("\n").filter((line) => line.trimStart().startsWith("::"));
  expect(commands).toEqual([expect.stringMatching(/^::error title=canary reject/)]);
  expect(screen.text.replace(commands[0] ?? "", "")).not.toContain("##[");
});

test("nothing that a plan or a program says reaches a terminal as an escape sequence", () => {
  const report = buildRunReport({ verdict: "reject", reasons: [{ code: "ACTION_FAILED", message: HOSTILE }] });
  const screen = new Screen();
  const clock = manualClock();
  {
    using view = createPlainView({ stream: screen, clock, plan: watchedPlanOf(report), githubActions: false });
    view({ kind: "step", proof: "load", actionId: HOSTILE, state: "failed", message: HOSTILE });
    view({ kind: "slos", slos: report.slos.map((slo) => ({ ...slo, name: HOSTILE, note: HOSTILE })) });
    view({ kind: "verdict", verdict: report.verdict, reportDir: HOSTILE });
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested
  expect(screen.text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

test("draws at most five times a second however many events arrive, and moves the countdown without any", async () => {
  const report = buildRunReport({ verdict: "promote" });
  const screen = new Screen();
  const clock = manualClock();
  using view = createLiveView({ stream: screen, clock, plan: watchedPlanOf(report), color: false });
  const events = eventsOf(report).filter(({ atMs }) => atMs < 60_000);
  for (const { event } of events) view(event);
  expect(screen.writes.length).toBe(1);
  for (let i = 0; i < 5; i++) {
    clock.advance(200);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(screen.writes.length).toBeLessThanOrEqual(6);
  expect(screen.text).toContain("left of 2:00");
});

test("leaves the final block and no timer behind when disposed", () => {
  const report = buildRunReport({ verdict: "promote" });
  const screen = new Screen();
  const clock = manualClock();
  {
    using view = createLiveView({ stream: screen, clock, plan: watchedPlanOf(report), color: false });
    for (const { event } of eventsOf(report)) view(event);
  }
  expect(clock.sleeping).toBe(0);
  const last = screen.writes.at(-1) ?? "";
  expect(last).toContain("PROMOTE  scale-batch-workers");
  expect(last).toContain("canary verdict verify reports/");
});

test("leaves the last picture where a run ended without an answer", () => {
  const report = buildRunReport({ verdict: "promote" });
  const screen = new Screen();
  {
    const plan = watchedPlanOf(report);
    using view = createLiveView({ stream: screen, clock: manualClock(), plan, color: false });
    view({ kind: "phase", phase: "raise", atEpochMs: 0 });
  }
  expect(screen.text).toContain("▸ raise twins");
  expect(screen.text).not.toContain("PROMOTE");
});

test("colours a terminal, but never against NO_COLOR", () => {
  expect(wantsColor({ isTTY: true }, {})).toBe(true);
  expect(wantsColor({ isTTY: true }, { NO_COLOR: "1" })).toBe(false);
  expect(wantsColor({ isTTY: true }, { NO_COLOR: "1", FORCE_COLOR: "1" })).toBe(false);
  expect(wantsColor({ isTTY: true }, { NO_COLOR: "" })).toBe(true);
  expect(wantsColor({}, {})).toBe(false);
  expect(wantsColor({}, { FORCE_COLOR: "1" })).toBe(true);
  expect(wantsColor({ isTTY: true }, { TERM: "dumb" })).toBe(false);
});
