import { expect, test } from "vitest";
import type { ServiceSpec } from "../../../src/mirror/mirror-spec.ts";
import {
  containerOptions,
  healthArgv,
  plainVolumeName,
  type ResolvedImage,
} from "../../../src/mirror/twins/container-options.ts";
import type { Engine } from "../../../src/mirror/twins/engine.ts";
import { LABEL, ownerOfLabels, ownershipLabels } from "../../../src/mirror/twins/labels.ts";
import type { TwinContext } from "../../../src/mirror/twins/run-context.ts";
import { addressBook, subnetAt } from "../../../src/mirror/twins/subnets.ts";
import { cache, db, echo, miniMirror } from "../../docker/fixtures/mini/mini-mirror.ts";
import { manualClock } from "../../support/manual-clock.ts";

const image: ResolvedImage = {
  imageId: "sha256:1",
  baseImageId: "sha256:1",
  volumes: ["/data"],
  command: [],
  environment: {},
};

function twinOf(role: "control" | "shadow"): TwinContext {
  const subnet = subnetAt(role === "control" ? 1 : 2);
  const ownership = ownershipLabels({ runId: "r1", owner: { pid: 4, startTicks: 5, bootId: "b" } });
  const base = { clock: manualClock(), random: () => 0, spec: miniMirror(), runId: "r1", isolation: "strict" } as const;
  const engine = {} as Engine;
  const rest = { readyTimeoutMs: 1, addressOnFront: () => "", network: `canary-r1-${role}`, pinned: { cpuset: "0" } };
  return { ...base, engine, ownership, role, subnet, addresses: addressBook(subnet), ...rest };
}

const optionsOf = (service: ServiceSpec, role: "control" | "shadow" = "shadow", over: Partial<ResolvedImage> = {}) =>
  containerOptions(twinOf(role), {
    service,
    image: { ...image, ...over },
    slot: 1,
    address: "10.213.2.10",
    stubHosts: ["payments.example:10.213.2.2"],
  });

test("a container is on one network only, publishes nothing and can be swept", () => {
  const options = optionsOf(echo);
  expect(Object.keys(options.NetworkingConfig?.EndpointsConfig ?? {})).toEqual(["canary-r1-shadow"]);
  expect(options.HostConfig?.NetworkMode).toBe("canary-r1-shadow");
  expect(options.HostConfig).not.toHaveProperty("PortBindings");
  expect(ownerOfLabels(options.Labels ?? {})).toEqual({ pid: 4, startTicks: 5, bootId: "b" });
  expect(options.Healthcheck).toEqual({ Test: ["NONE"] });
});

test("labels of the Compose file cannot replace ours", () => {
  const options = optionsOf({ ...echo, labels: { [LABEL.run]: "someone else's", team: "web" } });
  expect(options.Labels).toMatchObject({ [LABEL.run]: "r1", team: "web" });
});

test("every volume is named and labelled: declared, anonymous and prepared ones", () => {
  for (const [service, over] of [
    [db, { preparedDataDir: "/var/lib/canary/pgdata" }],
    [cache, {}],
  ] as const) {
    const volumes = (optionsOf(service, "shadow", over).HostConfig?.Mounts ?? []).filter(
      ({ Type }) => Type === "volume",
    );
    expect(volumes.length).toBeGreaterThan(0);
    for (const { Source, VolumeOptions } of volumes) {
      expect(Source).toMatch(/^canary-r1-shadow-vol-/);
      expect(ownerOfLabels(VolumeOptions?.Labels ?? {})).toBeDefined();
    }
  }
});

test("a declared mount covers the image's own volume", () => {
  const options = optionsOf({ ...cache, mounts: [{ kind: "tmpfs", target: "/data", sizeBytes: 1024 }] });
  expect(options.HostConfig?.Mounts).toEqual([]);
  expect(options.HostConfig?.Tmpfs).toEqual({ "/data": "size=1024" });
});

test("both twins' volumes have the same plain names", () => {
  const plain = (role: "control" | "shadow"): readonly string[] =>
    (optionsOf(db, role, { preparedDataDir: "/p" }).HostConfig?.Mounts ?? [])
      .filter(({ Type }) => Type === "volume")
      .map(({ Source }) => plainVolumeName("r1", role, Source));
  expect(plain("control")).toEqual(["db-data", "anonymous", "prepared"]);
  expect(plain("shadow")).toEqual(plain("control"));
});

test.each([
  [
    ["CMD", "redis-cli", "ping"],
    ["redis-cli", "ping"],
  ],
  [
    ["CMD-SHELL", "curl -f localhost || exit 1"],
    ["/bin/sh", "-c", "curl -f localhost || exit 1"],
  ],
  [["NONE"], undefined],
])("the health check %j runs as %j", (declared, argv) => {
  expect(healthArgv({ test: declared, intervalMs: 1, timeoutMs: 1, retries: 1, startPeriodMs: 0 })).toEqual(argv);
});
