import fc from "fast-check";
import { expect, test } from "vitest";
import { type CapturedPair, capturePool } from "../../../src/replay/traffic/captured-values.ts";
import type { HttpMessage, Message } from "../../../src/replay/traffic/compile-call.ts";
import { startRendering } from "../../../src/replay/traffic/render-pair.ts";
import { requestRandom } from "../../../src/replay/traffic/request-random.ts";
import { planTraffic } from "../../../src/replay/traffic/traffic-plan.ts";
import { TrafficSpecSchema } from "../../../src/replay/traffic-spec.ts";

const PLAN = planTraffic(
  TrafficSpecSchema.parse({
    ratePerSecond: 10,
    values: { sku: ["a", "b", "c"] },
    mix: [
      {
        route: "buy",
        weight: 1,
        http: { method: "POST", path: "/buy" },
        capture: { order: { json: "/id" }, token: { header: "x-token" } },
      },
      { route: "login", weight: 1, http: { path: "/login" }, capture: { session: { json: "/s" } } },
      {
        route: "status",
        weight: 1,
        http: {
          method: "POST",
          path: "/orders/${order}/${pick:sku}/${int:1:1000}",
          headers: { "x-token": "${token}", "x-session": "${session}" },
          body: { order: "${order}", sku: "${pick:sku}", n: "${seq}" },
        },
      },
      { route: "plain", weight: 1, http: { method: "PUT", path: "/p/${int:1:1000000}", body: "${pick:sku}" } },
    ],
  }),
  [],
);

function rendering(seed: number) {
  const pools = Array.from({ length: PLAN.captures.poolCount }, capturePool);
  const render = startRendering({ captures: PLAN.captures, pools, random: requestRandom(seed) });
  const add = (route: number, pair: CapturedPair): void => {
    for (const pool of PLAN.captures.poolsOfRoute[route] ?? []) pools[pool]?.add(pair);
  };
  return { add, render: (route: number, sequence: number) => render(callOf(route), sequence) };
}

function callOf(route: number) {
  const call = PLAN.mix[route];
  if (call === undefined) throw new Error(`no route ${route}`);
  return call;
}

function http(message: Message | undefined): HttpMessage {
  if (message?.kind !== "http") throw new Error("not an HTTP message");
  return message;
}

const textOf = (message: HttpMessage): string => JSON.stringify(message);

/** What each of many buys and logins gave: present or not, on either twin. */
const GIVEN = fc.array(fc.record({ control: fc.boolean(), shadow: fc.boolean(), login: fc.boolean() }), {
  maxLength: 60,
});

function capturedBy(role: "control" | "shadow", sequence: number, names: readonly string[], present: boolean) {
  return new Map(present ? names.map((name) => [name, `${role}-${name}-${sequence}`]) : []);
}

test("a twin is only ever sent its own values, both from the same earlier request, and only the twin without one is blocked", () => {
  fc.assert(
    fc.property(GIVEN, fc.nat(), (given, seed) => {
      const { add, render } = rendering(seed);
      for (const [sequence, { control, shadow, login }] of given.entries()) {
        const names = login ? ["session"] : ["order", "token"];
        add(login ? 1 : 0, {
          sequence,
          control: capturedBy("control", sequence, names, control),
          shadow: capturedBy("shadow", sequence, names, shadow),
        });
      }
      for (let sequence = 1000; sequence < 1020; sequence++) {
        const pair = render(2, sequence);
        const texts = {
          control: pair.control && textOf(http(pair.control)),
          shadow: pair.shadow && textOf(http(pair.shadow)),
        };
        expect(texts.control ?? "").not.toContain("shadow-");
        expect(texts.shadow ?? "").not.toContain("control-");
        // With the twin's name taken away the two requests are the same bytes: the same earlier requests were used.
        if (texts.control !== undefined && texts.shadow !== undefined) {
          expect(texts.shadow.replaceAll("shadow-", "")).toBe(texts.control.replaceAll("control-", ""));
        }
        const complete = given.every(({ control, shadow }) => control && shadow);
        const bothKinds = given.some(({ login }) => login) && given.some(({ login }) => !login);
        if (complete) expect(pair.control !== undefined && pair.shadow !== undefined).toBe(bothKinds);
      }
    }),
  );
});

test("a twin whose values are missing is blocked and the other one is sent its request", () => {
  const { add, render } = rendering(1);
  add(1, { sequence: 0, control: new Map([["session", "c"]]), shadow: new Map([["session", "s"]]) });
  add(0, {
    sequence: 1,
    control: new Map([
      ["order", "c1"],
      ["token", "ct"],
    ]),
    shadow: new Map(),
  });
  const pair = render(2, 5);
  expect(pair.shadow).toBeUndefined();
  expect(http(pair.control).path).toMatch(/^\/orders\/c1\//);
});

test("values that one answer gave are used together", () => {
  const { add, render } = rendering(1);
  add(1, { sequence: 0, control: new Map([["session", "c"]]), shadow: new Map([["session", "s"]]) });
  for (let sequence = 1; sequence < 50; sequence++) {
    const both = new Map([
      ["order", `o${sequence}`],
      ["token", `t${sequence}`],
    ]);
    add(0, { sequence, control: both, shadow: both });
  }
  for (let sequence = 100; sequence < 150; sequence++) {
    const { path, headers } = http(render(2, sequence).control);
    expect(headers[headers.indexOf("x-token") + 1]).toBe(path.split("/")[2]?.replace("o", "t"));
  }
});

test("requests without captured values are one and the same message for both twins", () => {
  const { render } = rendering(4);
  const pair = render(3, 7);
  expect(pair.control).toBe(pair.shadow);
  expect(render(3, 7)).toEqual(pair);
  expect(render(3, 8)).not.toEqual(pair);
});
