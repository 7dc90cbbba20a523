import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { prepareTraffic } from "../../../src/replay/driver/prepare-traffic.ts";
import { TrafficSpecSchema } from "../../../src/replay/traffic-spec.ts";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const GRPC = { proto: "inventory.proto", service: "test.inventory.Inventory", method: "Reserve" };

function check(part: object): Promise<unknown> {
  return prepareTraffic(TrafficSpecSchema.parse({ ratePerSecond: 10, ...part }), FOLDER, 1);
}

test("sound traffic is ready before any container exists", async () => {
  const mix = [{ route: "reserve", weight: 1, grpc: { ...GRPC, message: { sku: "a${seq}" } } }];
  await expect(check({ mix })).resolves.toMatchObject({ left: undefined });
});

test.each([
  ["a recording that is not there", { recording: { file: "none.gor", format: "gor" } }, "RECORDING_INVALID"],
  [
    "a service that the proto lacks",
    { mix: [{ route: "r", weight: 1, grpc: { ...GRPC, service: "x.Y" } }] },
    "SCENARIO_INVALID",
  ],
  ["a list that is not there", { mix: [{ route: "r", weight: 1, http: { path: "/${pick:x}" } }] }, "SCENARIO_INVALID"],
])("%s is refused", async (_what, part, code) => {
  await expect(check(part)).rejects.toMatchObject({ code });
});
