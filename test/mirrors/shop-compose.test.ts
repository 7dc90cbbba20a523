import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

const root = "mirrors/shop";

// Only what these tests look at; the whole file is read by src/mirror's own parser.
const ComposeFile = z.object({
  services: z.record(
    z.string(),
    z.object({
      command: z.array(z.string()).optional(),
      volumes: z.array(z.string()).optional(),
      healthcheck: z.object({ test: z.array(z.string()) }),
      deploy: z.object({ resources: z.object({ limits: z.object({ cpus: z.string(), memory: z.string() }) }) }),
    }),
  ),
  volumes: z.record(z.string(), z.null()),
  "x-canary": z.object({
    entry: z.object({ http: z.string(), grpc: z.string() }),
    state: z.array(z.object({ service: z.string() })),
    metrics: z.array(z.object({ service: z.string(), port: z.number(), path: z.string() })),
    stubs: z.array(z.object({ host: z.string(), handlers: z.string() })),
    background: z.array(z.string()),
  }),
});

const compose = ComposeFile.parse(parse(readFileSync(`${root}/compose.yaml`, "utf8")));
const canary = compose["x-canary"];

test("every service that x-canary names exists", () => {
  const named = [
    ...[canary.entry.http, canary.entry.grpc].map((entry) => entry.split(":")[0]),
    ...[...canary.state, ...canary.metrics].map(({ service }) => service),
    ...canary.background,
  ];
  expect(named.filter((name) => name === undefined || !(name in compose.services))).toEqual([]);
});

test("every bundle that a service starts has its source, and every file that is mounted exists", () => {
  const commands = Object.values(compose.services).flatMap((service) => [
    ...(service.command ?? []),
    ...service.healthcheck.test,
  ]);
  const bundles = commands.filter((word) => word.startsWith("services/"));
  expect(bundles.length).toBeGreaterThanOrEqual(6);
  const sources = bundles.map((bundle) => bundle.replace("services/", "src/").replace(".cjs", ".ts"));
  const mounts = Object.values(compose.services)
    .flatMap((service) => service.volumes ?? [])
    .map((volume) => volume.split(":")[0] ?? "");
  const files = [
    ...sources,
    ...mounts.filter((mount) => mount.startsWith("./")),
    ...canary.stubs.map(({ handlers }) => handlers),
  ];
  expect(files.filter((file) => !existsSync(`${root}/${file}`))).toEqual([]);
  expect(mounts.filter((mount) => !mount.startsWith("./") && !(mount in compose.volumes))).toEqual([]);
});

test("no seed depends on chance or on the clock", () => {
  const seed = readFileSync(`${root}/db/020-seed.sql`, "utf8");
  expect(seed).not.toMatch(/random\(|gen_random|now\(|current_|clock_timestamp/i);
});
