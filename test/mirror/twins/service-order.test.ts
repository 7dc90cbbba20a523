import fc from "fast-check";
import { expect, test } from "vitest";
import type { DependencySpec } from "../../../src/mirror/mirror-spec.ts";
import { isOneShot, startInOrder, startOrder } from "../../../src/mirror/twins/service-order.ts";

interface Node {
  readonly name: string;
  readonly dependsOn: readonly DependencySpec[];
}

const CONDITIONS = ["service_started", "service_healthy", "service_completed_successfully"] as const;

/** Services s0…sn whose dependencies point to lower numbers only, in shuffled order. */
const graphs = fc
  .integer({ min: 1, max: 12 })
  .chain((size) =>
    fc.tuple(
      fc.array(fc.tuple(fc.nat(11), fc.nat(11), fc.constantFrom(...CONDITIONS)), { maxLength: 30 }),
      fc.shuffledSubarray(
        Array.from({ length: size }, (_, index) => index),
        { minLength: size, maxLength: size },
      ),
    ),
  )
  .map(([edges, order]) =>
    order.map(
      (index): Node => ({
        name: `s${index}`,
        dependsOn: edges
          .filter(([from, to]) => from === index && to < index)
          .map(([, to, condition]) => ({ service: `s${to}`, condition, required: true })),
      }),
    ),
  );

test("every service stands behind what it depends on, and none is lost", () => {
  fc.assert(
    fc.property(graphs, (services) => {
      const names = startOrder(services).map(({ name }) => name);
      expect([...names].sort()).toEqual(services.map(({ name }) => name).sort());
      for (const { name, dependsOn } of services)
        for (const { service } of dependsOn) expect(names.indexOf(service)).toBeLessThan(names.indexOf(name));
    }),
  );
});

test("nothing starts before what it depends on has started or is ready, as the condition says", async () => {
  await fc.assert(
    fc.asyncProperty(graphs, fc.scheduler(), async (services, scheduler) => {
      const started = new Set<string>();
      const ready = new Set<string>();
      const running = startInOrder(services, {
        start: scheduler.scheduleFunction(async ({ name, dependsOn }: Node) => {
          for (const { service, condition } of dependsOn)
            expect((condition === "service_started" ? started : ready).has(service), `${name} after ${service}`).toBe(
              true,
            );
          expect(started.has(name), `${name} once`).toBe(false);
          started.add(name);
        }),
        ready: scheduler.scheduleFunction(async ({ name }: Node) => void ready.add(name)),
      });
      await scheduler.waitFor(running);
      expect(ready.size).toBe(services.length);
    }),
  );
});

test("the first failure is reported, and what waits for it never starts", async () => {
  const started: string[] = [];
  const failing = startInOrder(
    [
      { name: "db", dependsOn: [] },
      { name: "api", dependsOn: [{ service: "db", condition: "service_healthy", required: true }] },
    ],
    {
      start: async ({ name }) => void started.push(name),
      ready: async () => {
        throw new Error("db is not healthy");
      },
    },
  );
  await expect(failing).rejects.toThrow("db is not healthy");
  expect(started).toEqual(["db"]);
});

test("a circle is named", () => {
  const on = (service: string): readonly DependencySpec[] => [
    { service, condition: "service_started", required: true },
  ];
  const circle = [
    { name: "a", dependsOn: on("b") },
    { name: "b", dependsOn: on("c") },
    { name: "c", dependsOn: on("a") },
  ];
  expect(() => startOrder(circle)).toThrow(
    expect.objectContaining({ code: "MIRROR_INVALID", message: expect.stringContaining("a → b → c → a") }),
  );
});

test("a missing service is an error unless it is not required", () => {
  const needs = (required: boolean) => [
    { name: "a", dependsOn: [{ service: "gone", condition: "service_started", required }] as const },
  ];
  expect(() => startOrder(needs(true))).toThrow(/gone, which is missing/);
  expect(startOrder(needs(false))).toHaveLength(1);
});

test("a one-shot is what somebody waits for to complete", () => {
  const services: readonly Node[] = [
    { name: "migrate", dependsOn: [] },
    { name: "api", dependsOn: [{ service: "migrate", condition: "service_completed_successfully", required: true }] },
  ];
  expect([isOneShot("migrate", services), isOneShot("api", services)]).toEqual([true, false]);
});
