import { once } from "node:events";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { compareExternal } from "../../src/run/compare-external.ts";
import { joinSides, parseMatrix } from "../../src/run/query-prometheus.ts";
import { instantMs, parseSeries } from "../../src/run/read-series-file.ts";

const ROW = { atMs: 1_763_890_000_000, control: 20.5, experiment: 21 };

describe("rows as people write them", () => {
  test.each([
    ["commas and a heading", "time,control,experiment\n1763890000,20.5,21\n"],
    ["no heading", "1763890000,20.5,21"],
    ["semicolons, quotes and CRLF", '"time";"baseline";"canary"\r\n"1763890000";"20.5";"21"\r\n'],
    ["tabs, other names and another order", "experiment\tcontrol\tts\n21\t20.5\t1763890000000"],
    [
      "a comment and empty lines",
      "# from a dashboard\n\ntimestamp,control,experiment\n2025-11-23T09:26:40Z,20.5,21\n\n",
    ],
    ["JSON rows", '[{"time":1763890000,"control":20.5,"experiment":"21"}]'],
  ])("%s", (_name, text) => {
    expect(parseSeries(text, "rows")).toEqual({ points: [ROW], notes: [] });
  });

  test("two columns are values without time, JSON lists as well", () => {
    const rows = [
      { control: 1, experiment: 2 },
      { control: 3, experiment: 4 },
    ];
    expect(parseSeries("1,2\n3,4", "rows").points).toEqual(rows);
    expect(parseSeries('{"control":[1,3],"experiment":[2,4]}', "rows").points).toEqual(rows);
    const told = '{"phase":["before","after"],"time":[1000,2000],"control":[1,3],"experiment":[2,4]}';
    expect(parseSeries(told, "rows").points).toMatchObject([
      { phase: "before", control: 1 },
      { phase: "after", control: 3 },
    ]);
    expect(parseSeries(told, "rows").points.map(({ atMs }) => atMs)).toEqual([1_000_000, 2_000_000]);
  });

  test("phases are told in several words; any other word is neither", () => {
    const text = "control,experiment,phase\n1,2,pre\n1,2,AFTER\n1,2,settling\n";
    expect(parseSeries(text, "rows").points.map((row) => row.phase)).toEqual(["before", "after", "other"]);
  });

  test("an empty cell and NaN are missing, not zero; infinities are values", () => {
    const { points } = parseSeries("control,experiment\n,NaN\nnan,+Inf\n-inf,Infinity\n1e999,", "rows");
    expect(points.map((row) => row.control)).toEqual([Number.NaN, Number.NaN, -Infinity, Infinity]);
    expect(points.map((row) => row.experiment)).toEqual([Number.NaN, Infinity, Infinity, Number.NaN]);
    expect(parseSeries('[{"control":null,"experiment":1}]', "rows").points[0]?.control).toBeNaN();
  });

  test.each([
    ["control,experiment\n1,2\n\n# a word\nn/a,3\n", 'line 5, column control: "n/a"'],
    ["control;experiment\n1;2\n1;20,5\n", 'line 3, column experiment: "20,5"'],
    ["time,control,experiment\nyesterday,1,2\n", 'no time in line 2: "yesterday"'],
    ['[{"control":1,"experiment":2},{"control":1,"experiment":"2 ms"}]', 'row 2, column experiment: "2 ms"'],
    ['{"control":[1,true],"experiment":[2,4]}', "row 2, column control: true"],
    ["time,control,experiment\n", "not one row"],
    ["[]", "not one row"],
    ["control,experiment\n,NaN\nNaN,\n", "not one number"],
    ['time,control,experiment\n2026-11-23T10:15:00Z,"20,5","41,9"\n', "a quote in line 2 that is not closed before"],
    ["time,control,experiment\n2026-11-23T10:15:00Z,20,5,41,9\n", "5 cells in line 2, but 3 in its heading"],
    ["time,control,experiment\n1,20,21\n2,20\n", "2 cells in line 3, but 3 in its heading"],
    ["20,21\n# one more\n20,21,22\n", "3 cells in line 3, but 2 in its first row"],
    ['control,experiment\n"20""5",21\n', "no number in line 2, column control"],
    ["time,baseline,control,canary\n1,20,30,31\n", '2 columns that may be the control: "baseline", "control"'],
    ["date;time;control;canary\n2026-11-23;10:15;20;21\n", '2 columns that may be the time: "date", "time"'],
    ['[{"control":20,"canary":21,"shadow":30}]', '2 columns that may be the experiment: "canary", "shadow"'],
    ['[{"control":20,"canary":21},{"stable":20,"canary":21}]', 'the control: "control", "stable"'],
    ['{"control":[20],"experiment":[21],"baseline":[30]}', 'the control: "control", "baseline"'],
    ['[{"control":20,"control":30,"experiment":31}]', 'the key "control" twice'],
    ["control,experiment,phase\n1,2,before\n1,2,aftr\n", 'no row of phase "after", but of: "before", "aftr"'],
  ])("a file %j is unreadable, and where is said", (text, words) => {
    expect(() => parseSeries(text, "rows")).toThrow(
      expect.objectContaining({ code: "RECORDING_INVALID", message: expect.stringContaining(words) }),
    );
  });

  test("times without a zone are UTC whatever the machine's zone, and that is said", () => {
    const written = ["2025-11-23 09:26:40", "2025-11-23T09:26:40", "2025-11-23T10:26:40+01", "2025-11-23 09:26:40 UTC"];
    const zone = process.env["TZ"];
    process.env["TZ"] = "America/New_York";
    const read = written.map((text) => parseSeries(`time,control,experiment\n${text},20.5,21`, "rows"));
    if (zone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = zone;
    expect(read.map(({ points }) => points)).toEqual(Array(4).fill([ROW]));
    const note = ["times without a zone were read as UTC"];
    expect(read.map(({ notes }) => notes)).toEqual([note, note, [], []]);
  });

  test.each([
    ["an empty file", ""],
    ["words", "hello there\n"],
    ["one column", "control\n1\n2\n"],
    ["columns of which none is the experiment", "time,control,latency\n1,2,3"],
    ["JSON that ends early", '[{"control":1'],
    ["JSON of another shape", '{"data":[1,2]}'],
    ["lists that are not as long", '{"control":[1],"experiment":[1,2]}'],
    ["phases that are not as many", '{"control":[1,2],"experiment":[1,2],"phase":["before"]}'],
    ["a phase for all rows at once", '{"control":[1,2],"experiment":[1,2],"phase":"after"}'],
    ["too many rows", "1,2\n".repeat(LIMITS.seriesPointsMax + 1)],
  ])("%s is refused with what is wanted", (_name, text) => {
    expect(() => parseSeries(text, "rows")).toThrow(expect.objectContaining({ code: "RECORDING_INVALID" }));
  });

  test("instants are ISO 8601, seconds or milliseconds, and nothing else", () => {
    expect([instantMs("2025-11-23T09:26:40Z"), instantMs(1763890000), instantMs("1763890000000")]).toEqual(
      Array(3).fill(1_763_890_000_000),
    );
    for (const text of ["", "yesterday", "10:15", "2025-13-45T00:00:00Z"]) expect(instantMs(text)).toBeNaN();
  });
});

/** What a server answers for one series, one value a step, and what it says beside it. */
function matrix(values: readonly (readonly [number, string])[], beside: object = {}): string {
  const data = { resultType: "matrix", result: [{ metric: {}, values }] };
  return JSON.stringify({ status: "success", data, ...beside });
}

describe("answers of Prometheus", () => {
  test("both sides are joined by their instants, and what one side lacks is missing", () => {
    const control = parseMatrix(
      matrix([
        [10, "1"],
        [25, "NaN"],
        [40, "3"],
      ]),
      "control",
    );
    const experiment = parseMatrix(
      matrix([
        [10, "+Inf"],
        [40, "6"],
        [55, "7"],
      ]),
      "experiment",
    );
    expect(joinSides(control, experiment)).toEqual([
      { atMs: 10_000, control: 1, experiment: Number.POSITIVE_INFINITY },
      { atMs: 25_000, control: Number.NaN, experiment: Number.NaN },
      { atMs: 40_000, control: 3, experiment: 6 },
      { atMs: 55_000, control: Number.NaN, experiment: 7 },
    ]);
  });

  test.each([
    ["no series", '{"status":"success","data":{"resultType":"matrix","result":[]}}', "holds no series"],
    [
      "two series",
      '{"status":"success","data":{"resultType":"matrix","result":[{"values":[]},{"values":[]}]}}',
      "holds 2 series",
    ],
    ["an instant query", '{"status":"success","data":{"resultType":"vector","result":[]}}', "no matrix"],
    ["a series of nothing", matrix([]), "a series without values"],
    ["a word", matrix([[10, "fast"]]), "holds no number at 10 s"],
    ["an error", '{"status":"error","errorType":"bad_data","error":"parse error at 3"}', "parse error at 3"],
    ["a login page", "<html>", "is not JSON"],
  ])("%s is refused in its own words", (_name, text, words) => {
    expect(() => parseMatrix(text, "the answer")).toThrow(
      expect.objectContaining({ code: "RECORDING_INVALID", message: expect.stringContaining(words) }),
    );
  });
});

describe("an answer that may not be whole", () => {
  test.each([
    [{ warnings: ["store s1 is down"] }, 'the server warns "store s1 is down"'],
    [{ warnings: ["down\u001b[2J\nINSIDE"] }, 'the server warns "down INSIDE"'],
    [{ warnings: [`${"x".repeat(199)}yz`] }, `the server warns "${"x".repeat(199)}…"`],
    [{ warnings: ["a", "b", "c", "d", "e"] }, 'the server warns "a", "b", "c" and 2 warnings more'],
    [{ isPartial: true }, "the server warns that it is partial"],
  ])("is refused with the server's warning in plain words: %j", (beside, words) => {
    expect(() => parseMatrix(matrix([[10, "1"]], beside), "the answer")).toThrow(
      expect.objectContaining({ code: "RECORDING_INVALID", message: `the answer may not be whole: ${words}` }),
    );
  });

  test.each([
    { warnings: [] },
    { warnings: null, isPartial: false },
    { infos: ["PromQL info: metric might not be a counter"] },
    { warnings: ["PromQL info: metric might not be a counter"] },
  ])("is not meant by remarks on the query: %j", (beside) => {
    expect(parseMatrix(matrix([[10, "1"]], beside), "the answer").get(10_000)).toBe(1);
  });
});

describe("a server", () => {
  let server: Server;
  let url: string;
  const asked: URL[] = [];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  beforeEach(async () => {
    asked.length = 0;
    answer = (request, response) => {
      const query = new URL(request.url ?? "", url).searchParams;
      const start = Number(query.get("start"));
      const slow = query.get("query") === "new" ? 1.5 : 1;
      const values = Array.from({ length: 161 }, (_, i) => {
        const value = 20 + (i % 7) / 10 + (i < 80 ? 0 : (slow - 1) * 20);
        return [start + 15 * i, String(value)] as const;
      });
      response.end(matrix(values));
    };
    server = createServer((request, response) => {
      asked.push(new URL(request.url ?? "", "http://127.0.0.1"));
      answer(request, response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  });
  afterEach(async () => {
    server.close();
    await once(server, "close");
  });

  const ask = (more: Partial<{ url: string; from: string; to: string; stepSeconds: string }> = {}) =>
    compareExternal({
      source: { kind: "prometheus", url, control: "old", experiment: "new", ...STRETCH, ...more },
      slo: "latency<=+10%",
      set: [],
      actedAt: "2026-11-23T10:20:00Z",
    });
  const STRETCH = { from: "2026-11-23T10:00:00Z", to: "2026-11-23T10:40:00Z", stepSeconds: "15" };

  test("is asked two range queries and nothing else, below the path it was given", async () => {
    const comparison = await ask({ url: `${url}/prometheus/` });
    expect(comparison).toMatchObject({ answer: "outside", baseline: "before" });
    expect(asked.map(({ pathname }) => pathname)).toEqual(Array(2).fill("/prometheus/api/v1/query_range"));
    expect(asked.map(({ searchParams }) => searchParams.get("query")).toSorted()).toEqual(["new", "old"]);
    expect(asked[0]?.searchParams.get("step")).toBe("15");
    expect(asked[0]?.searchParams.get("start")).toBe(String(Date.UTC(2026, 10, 23, 10) / 1000));
  });

  test("that sends us elsewhere is not followed", async () => {
    answer = (_request, response) => {
      response.writeHead(302, { location: `${url}/elsewhere` }).end();
    };
    await expect(ask()).rejects.toMatchObject({ code: "RECORDING_INVALID" });
    expect(asked.every(({ pathname }) => pathname === "/api/v1/query_range")).toBe(true);
  });

  test("that breaks off its answer is no answer", async () => {
    answer = (_request, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write('{"status":');
      response.socket?.destroy();
    };
    await expect(ask()).rejects.toMatchObject({ code: "RECORDING_INVALID" });
  });

  test("that answers without end is cut off", async () => {
    const piece = "x".repeat(8 * 1024 * 1024);
    answer = (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(piece));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    };
    await expect(ask()).rejects.toMatchObject({ message: expect.stringContaining("answers more than") });
  });

  test("that is not there is named", async () => {
    await expect(ask({ url: "http://127.0.0.1:1" })).rejects.toMatchObject({
      code: "RECORDING_INVALID",
      message: expect.stringContaining("http://127.0.0.1:1 does not answer"),
    });
  });

  test.each([
    [{ url: "ftp://127.0.0.1" }],
    [{ url: "nonsense" }],
    [{ url: "http://user:secret@127.0.0.1" }],
    [{ from: "yesterday" }],
    [{ from: STRETCH.to, to: STRETCH.from }],
    [{ stepSeconds: "0" }],
  ])("asked with %j is a mistake in the command, said without its secrets", async (more) => {
    const error = await ask(more).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "USAGE" });
    expect(JSON.stringify(error) + String(error)).not.toContain("secret");
    expect(asked).toEqual([]);
  });
});

describe("a file", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "canary-series-"));
  });
  afterEach(() => rm(dir, { recursive: true }));

  test("that is too long is not read", async () => {
    const file = join(dir, "long.csv");
    const handle = await open(file, "w");
    await handle.truncate(LIMITS.seriesBytesMax + 1);
    await handle.close();
    await expect(compareExternal({ source: { kind: "file", file }, slo: "a<=+1%", set: [] })).rejects.toMatchObject({
      code: "RECORDING_INVALID",
      message: expect.stringContaining("too long"),
    });
  });

  test("of saved answers is compared like the server's", async () => {
    const [control, experiment] = [join(dir, "control.json"), join(dir, "experiment.json")];
    await writeFile(control, matrix(Array.from({ length: 120 }, (_, i) => [15 * i, String(10 + (i % 5) / 10)])));
    await writeFile(experiment, matrix(Array.from({ length: 120 }, (_, i) => [15 * i, String(10 + (i % 4) / 10)])));
    const source = { kind: "answers", control, experiment } as const;
    const question = { source, slo: "latency<=+10%", set: ["settleSeconds=0"], actedAt: "900" };
    const comparison = await compareExternal(question);
    expect(comparison).toMatchObject({ answer: "inside", measured: { blocks: { before: 60, after: 60 } } });
    const partial = matrix([[15, "10"]], { warnings: ["store s1 is down"] });
    await writeFile(experiment, partial);
    await expect(compareExternal(question)).rejects.toMatchObject({ code: "RECORDING_INVALID" });
  });

  test.each([
    ["errors<=+0.1pp", "pp", 0.001],
    ["errors<=+0", "pp", 0],
    ["errors-per-second<=+3", "", 3],
    ["app<=+3", "", 3],
  ])("is held against %s in that unit, whatever letters its name ends with", async (slo, unit, hi) => {
    const file = join(dir, "rows.csv");
    await writeFile(file, "control,experiment\n1,2\n2,3\n");
    const comparison = await compareExternal({ source: { kind: "file", file }, slo, set: [], bias: "0" });
    expect(comparison).toMatchObject({ unit, limit: { hi } });
  });

  test.each([
    [{ actedAt: "900" }, "--acted-at needs rows with a time"],
    [{ actedAt: "900", rows: "time,control,experiment,phase\n1,1,2,after\n" }, "beside a column phase"],
    [{ bias: "0.1pp" }, "not on the scale"],
    [{ bias: "some" }, "can not be read"],
    [{ set: ["alpha=1"] }, "does not accept"],
    [{ slo: "latency" }, "is no limit"],
    [{ slo: "latency<=ten" }, "can not be read"],
    [{ slo: "errors<=+0.1" }, "--slo errors: error rates are compared in percentage points"],
    [{ slo: "checkout-errors=-0.1..+0.1" }, "error rates are compared in percentage points"],
    [{ slo: "error-rate>=-0.1" }, "error rates are compared in percentage points"],
    [{ slo: "errors<=+0.1pp", bias: "0.05" }, "not on the scale"],
    [{ slo: "latency<=+10", bias: "0.05pp" }, "not on the scale"],
  ] as const)("asked with %j is a mistake in the command", async (asked, words) => {
    const { rows = "control,experiment\n1,2\n2,3\n", ...more } = { rows: undefined, ...asked };
    const file = join(dir, "rows.csv");
    await writeFile(file, rows);
    const question = { source: { kind: "file", file } as const, slo: "a<=+10%", set: [], ...more };
    await expect(compareExternal(question)).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining(words),
    });
  });
});
