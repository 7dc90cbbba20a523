import { expect, test } from "vitest";
import type { ServiceConfiguration } from "../../../src/mirror/twin.ts";
import { mixed } from "../../../src/mirror/twins/configuration.ts";

const OLD: ServiceConfiguration = {
  service: "api",
  replicas: 2,
  imageId: "sha256:old",
  command: ["run"],
  environment: { POOL: "10", LEVEL: "info" },
  memoryBytes: 100,
  mounts: [],
};

test("replicas that are alike are reported as one of them", () => expect(mixed([OLD, { ...OLD }])).toEqual(OLD));

test("replicas in the middle of an update are reported as neither what they were nor what they shall be", () => {
  const next = {
    ...OLD,
    imageId: "sha256:new",
    environment: { POOL: "20", LEVEL: "info", MODE: "x" },
    memoryBytes: 300,
  };
  expect(mixed([OLD, next])).toEqual({
    ...OLD,
    imageId: "sha256:old | sha256:new",
    environment: { POOL: "10 | 20", LEVEL: "info", MODE: "(unset) | x" },
    memoryBytes: 200,
  });
});

test("a limit that only some replicas have is neither the limit nor none", () => {
  const { memoryBytes: _none, ...unlimited } = OLD;
  expect(mixed([OLD, unlimited]).memoryBytes).toBe(50);
  expect(mixed([unlimited, unlimited])).toEqual(unlimited);
});
