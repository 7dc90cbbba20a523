import fc from "fast-check";
import { Counter, Histogram, Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { bucketKey } from "../../src/measure/metric-keys.ts";
import { readMetric } from "../../src/measure/prometheus-reading.ts";
import { parsePrometheusText } from "../../src/measure/prometheus-text.ts";
import { measureKey } from "../../src/measure/slo.ts";

describe("the text format", () => {
  test("is read with comments, labels, escapes, stamps and odd numbers", () => {
    const text = [
      "# HELP jobs_total Jobs.",
      "# TYPE jobs_total counter",
      'jobs_total{kind="a\\"b\\\\c\\nd",empty="",} 3.5e2 1700000000000',
      "up 1",
      "  idle_ratio   .5  ",
      "bad_ratio NaN",
      'lat_bucket{le="+Inf"} +Inf',
      'lat_count{a="x # y"} 2 # {trace="abc"} 0.5',
      "# EOF",
      "",
    ].join("\n");
    expect(parsePrometheusText(text)).toEqual({
      kind: "samples",
      samples: [
        { name: "jobs_total", labels: { kind: 'a"b\\c\nd', empty: "" }, value: 350 },
        { name: "up", labels: {}, value: 1 },
        { name: "idle_ratio", labels: {}, value: 0.5 },
        { name: "bad_ratio", labels: {}, value: Number.NaN },
        { name: "lat_bucket", labels: { le: "+Inf" }, value: Number.POSITIVE_INFINITY },
        { name: "lat_count", labels: { a: "x # y" }, value: 2 },
      ],
    });
  });

  test.each([
    ["up", 1],
    ["up one", 1],
    ["up 1\nup{a=1} 2", 2],
    ['up{a="1} 2', 1],
    ['up{a="1",a="2"} 2', 1],
    ["<html>502</html>", 1],
    ["up 0x10", 1],
  ])("%j is malformed at line %d", (text, line) => {
    expect(parsePrometheusText(text)).toMatchObject({ kind: "malformed", line });
  });

  test("never throws, whatever the bytes", () => {
    fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => void parsePrometheusText(text)));
  });

  test("longer than one process would write is refused", () => {
    expect(parsePrometheusText("x".repeat(9 * 1024 * 1024))).toMatchObject({ kind: "malformed" });
  });

  test("of any label value comes back as it was", () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const escaped = value.replace(/\\/g, "\\\\").replace(/\n/g, "\\n").replace(/"/g, '\\"');
        fc.pre(!/[\r\u2028\u2029]/.test(value));
        expect(parsePrometheusText(`up{a="${escaped}"} 1`)).toMatchObject({ samples: [{ labels: { a: value } }] });
      }),
    );
  });
});

describe("a measure", () => {
  const counter = { kind: "counter" as const, service: "api", metric: "jobs_total", labels: { kind: "mail" } };

  test("is the sum over replicas of the samples whose labels it names", () => {
    const one = 'jobs_total{kind="mail",queue="a"} 3\njobs_total{kind="mail",queue="b"} 4\njobs_total{kind="sms"} 9';
    const two = 'jobs_total{kind="mail"} 10';
    expect(readMetric(counter, [one, two])).toEqual([{ key: measureKey(counter), value: 17 }]);
  });

  test.each([
    ["no replica answered", []],
    ["nothing matches", ['jobs_total{kind="sms"} 9']],
    ["one replica's text is broken", ['jobs_total{kind="mail"} 3', "<html>"]],
    ["the value is no number", ['jobs_total{kind="mail"} NaN']],
  ])("has no reading when %s", (_, texts) => expect(readMetric(counter, texts)).toEqual([]));

  test("reads what prom-client writes", async () => {
    const registry = new Registry();
    const jobs = new Counter({ name: "jobs_total", help: "Jobs\ndone.", labelNames: ["kind"], registers: [registry] });
    const seconds = new Histogram({ name: "seconds", help: "h", buckets: [0.1, 1], registers: [registry] });
    jobs.inc({ kind: "mail" }, 5);
    for (const value of [0.05, 0.5, 5]) seconds.observe(value);
    const text = await registry.metrics();
    expect(readMetric(counter, [text])).toEqual([{ key: measureKey(counter), value: 5 }]);
    const histogram = { kind: "histogram" as const, service: "api", metric: "seconds", labels: {}, quantile: 0.5 };
    expect(readMetric(histogram, [text, text])).toEqual([
      { key: bucketKey(histogram, 0.1), value: 2 },
      { key: bucketKey(histogram, 1), value: 4 },
      { key: bucketKey(histogram, Number.POSITIVE_INFINITY), value: 6 },
    ]);
  });
});
