import { describe, expect, test } from "vitest";
import type { Difference, Surroundings } from "../../src/mirror/fingerprint.ts";
import { changedInside } from "../../src/mirror/state/inside-containers.ts";
import { fileDifferences, newErrorPatterns } from "../../src/mirror/state/surroundings-difference.ts";
import type { ActionStep } from "../../src/plan/action.ts";
import { mayHide, quietNoise, writable } from "../../src/replay/proof/quiet-noise.ts";

const at = (files: Readonly<Record<string, string>>, more: Partial<Surroundings> = {}): Surroundings => ({
  files,
  ...more,
});

/** Effects that are left of the step from `before` to `after` when the control is as given. */
function effects(given: {
  readonly before: Surroundings;
  readonly after: Surroundings;
  readonly control?: Surroundings;
  readonly controlNow?: Surroundings;
  readonly touched?: readonly string[];
}): readonly string[] {
  const { before, after, control = before, controlNow = control, touched = [] } = given;
  const baseline = { control, shadow: before };
  const isNoise = quietNoise({ baseline, before, after, controlNow, touched: new Set(touched) });
  const found: readonly Difference[] = [
    ...fileDifferences(before, after),
    ...changedInside(before, after),
    ...newErrorPatterns(before, after),
  ];
  return found.filter((one) => !isNoise(one)).map(({ kind, path }) => `${kind} ${path}`);
}

const [RUNS, RUNS_ANEW] = [{ processes: { db: "1" } }, { processes: { db: "2" } }];

describe("a file that the control changes by itself", () => {
  const path = "file/api/data/app.db";
  const baseline = { control: at({ [path]: "a" }), shadow: at({ [path]: "a" }) };
  const hides = (after: string, step: ActionStep, touched: readonly string[] = []) =>
    mayHide(
      { path, kind: "changed", before: "a", after },
      { baseline, controlNow: at({ [path]: "heartbeat" }), touched: new Set(touched) },
      writable(step),
    );
  const exec = (service: string): ActionStep => ({
    uses: "exec",
    with: { service, argv: ["wipe"], expectExitCode: 0 },
  });
  const scaling: ActionStep = { uses: "scale", with: { service: "api", replicas: 2 } };

  test("may hide what the plan wrote there, where its step writes files of that service, or was seen to change it", () => {
    expect(hides("wiped", exec("api"))).toBe(true);
    expect(hides("wiped", scaling, [path])).toBe(true);
  });

  test("hides nothing of a step that reaches no file there, or where both twins hold the same again", () => {
    expect(hides("wiped", scaling)).toBe(false);
    expect(hides("wiped", exec("db"))).toBe(false);
    expect(hides("heartbeat", exec("api"))).toBe(false);
  });

  test("is reached by a step that writes one file only under its name", () => {
    const file = (name: string): ActionStep => ({
      uses: "flag",
      with: { service: "api", path: name, flag: "f", state: "ENABLED" },
    });
    expect(hides("wiped", file("/data/app.db"))).toBe(true);
    expect(hides("wiped", file("/data/flags.json"))).toBe(false);
  });
});

describe("on the quiet twin", () => {
  test("a file that changes is an effect, and one that changes on the untouched control as well is noise", () => {
    const [before, after] = [at({ "file/api/log": "a" }), at({ "file/api/log": "b" })];
    expect(effects({ before, after })).toEqual(["changed file/api/log"]);
    expect(effects({ before, after, controlNow: at({ "file/api/log": "c" }) })).toEqual([]);
  });

  test("a program that is left running is an effect, unless the untouched control runs it by now too", () => {
    const running = (programs: Readonly<Record<string, string>>): Surroundings => ({
      programs: { "process/api/node": "1", ...programs },
    });
    const before = running({});
    const after = running({ "process/api/nc": "1" });
    expect(effects({ before, after })).toEqual(["added process/api/nc"]);
    expect(effects({ before, after, controlNow: after })).toEqual([]);
    expect(effects({ before, after: running({ "process/api/node": "2" }) })).toEqual(["changed process/api/node"]);
    expect(effects({ before, after: running({ "process/db/postgres": "1" }) })).toEqual([]);
  });

  test("another image runs other programs, and that goes without saying, but for what an action left there", () => {
    const [before, after] = [
      { programs: { "process/api/node": "1" }, processes: { api: "1" } },
      { programs: { "process/api/java": "1" }, processes: { api: "2" } },
    ];
    expect(effects({ before, after })).toEqual([]);
    expect(effects({ before, after, touched: ["process/api/java"] })).toEqual(["added process/api/java"]);
  });

  test("nobody but the engine writes its own files, whatever else started again", () => {
    const path = "file/api/etc/hosts";
    const before = { ofEngine: { [path]: "a" }, ...RUNS };
    expect(effects({ before, after: { ofEngine: { [path]: "b" }, ...RUNS_ANEW } })).toEqual([`changed ${path}`]);
    expect(effects({ before, after: { ofEngine: {} } })).toEqual([]);
  });

  test("one file that changes by itself excuses no other of its family", () => {
    const before = at({ "file/api/conf-1": "a", "file/api/conf-2": "a" });
    const after = at({ "file/api/conf-1": "b", "file/api/conf-2": "b" });
    const controlNow = at({ "file/api/conf-1": "x", "file/api/conf-2": "a" });
    expect(effects({ before, after, controlNow })).toEqual(["changed file/api/conf-2"]);
  });

  test("files that come and go by themselves are known by their family", () => {
    const [before, after] = [at({}), at({ "file/api/tmp/job-17": "a", "file/api/tmp/left": "a" })];
    expect(effects({ before, after, controlNow: at({ "file/api/tmp/job-4": "b" }) })).toEqual([
      "added file/api/tmp/left",
    ]);
  });

  test("a file that differs between the twins from the start is compared with its own past", () => {
    const [before, control] = [at({ "file/api/seed": "a" }), at({ "file/api/seed": "b" })];
    expect(effects({ before, control, after: before })).toEqual([]);
    expect(effects({ before, control, after: at({ "file/api/seed": "c" }) })).toEqual(["changed file/api/seed"]);
  });

  test("what a process writes when it starts is noise where it has started again, and only there", () => {
    const file = "file/db/run/lock";
    const before = at({ [file]: "a" }, { ...RUNS, sinceStart: [file] });
    const rewritten = at({ [file]: "b" }, { ...RUNS_ANEW, sinceStart: [file] });
    expect(effects({ before, after: rewritten })).toEqual([]);
    expect(effects({ before, after: { ...rewritten, ...RUNS } })).toEqual([`changed ${file}`]);
    expect(effects({ before, after: { ...rewritten, sinceStart: [] } })).toEqual([`changed ${file}`]);
    expect(effects({ before, after: rewritten, touched: [file] })).toEqual([`changed ${file}`]);
  });

  test("a restart excuses no file that no start has ever written", () => {
    const after = at({ "file/db/etc/conf": "a" }, { ...RUNS_ANEW, sinceStart: ["file/db/etc/conf"] });
    expect(effects({ before: at({}, RUNS), after })).toEqual(["added file/db/etc/conf"]);
  });

  test("a folder that both twins share with this machine is never noise", () => {
    const [before, after] = [at({ "bind/data/x": "a" }), at({ "bind/data/x": "b" })];
    expect(effects({ before, after, controlNow: after })).toEqual(["changed bind/data/x"]);
  });

  test("new trouble in the output is an effect unless the control tells of the same", () => {
    const [before, after] = [
      at({}, { errors: { "log/api/old": "old" } }),
      at({}, { errors: { "log/api/new": "new" } }),
    ];
    expect(effects({ before, after })).toEqual(["added log/api/new"]);
    expect(effects({ before, after, controlNow: at({}, { errors: { "log/api/new": "new" } }) })).toEqual([]);
  });
});

describe("files of an image", () => {
  test("that are written back as they were are the same again, though the container holds a copy of its own", () => {
    const copied = at({ "file/api/etc/x": "as it was" }, { inImage: { "file/api/etc/x": "as it was" } });
    expect(fileDifferences(at({}), copied)).toEqual([]);
  });

  test("are told with what the image has, whether they were changed or removed", () => {
    const changed = at(
      { "file/api/x": "b", "file/api/y": "gone" },
      { inImage: { "file/api/x": "a", "file/api/y": "a" } },
    );
    expect(fileDifferences(at({}), changed)).toEqual([
      { path: "file/api/x", kind: "changed", before: "a", after: "b" },
      { path: "file/api/y", kind: "removed", before: "a" },
    ]);
    expect(fileDifferences(changed, at({}))).toEqual([
      { path: "file/api/x", kind: "changed", before: "b", after: "a" },
      { path: "file/api/y", kind: "added", after: "a" },
    ]);
  });
});
