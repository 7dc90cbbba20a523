import fc from "fast-check";
import { expect, test } from "vitest";
import { cgroupPathsOf, usageMeter } from "../../../src/mirror/twins/usage-meter.ts";

const signal = new AbortController().signal;

test("CPU never falls and nothing used is forgotten, while containers are used, restarted, replaced and read", async () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant("use" as const), container: fc.nat(3), seconds: fc.integer({ min: 0, max: 50 }) }),
      fc.record({
        kind: fc.constantFrom("restart" as const, "replace" as const, "stop" as const),
        container: fc.nat(3),
      }),
    ),
    { maxLength: 40 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const counters = new Map<string, number>();
      const ids = [0, 1, 2, 3].map((index) => `c${index}`);
      const meter = usageMeter(["app"], async (id) => {
        const cpuSeconds = counters.get(id);
        return cpuSeconds === undefined ? undefined : { cpuSeconds, memoryBytes: 10 };
      });
      for (const id of ids) {
        counters.set(id, 0);
        meter.add("app", id);
      }
      let total = 0;
      for (const [index, step] of all.entries()) {
        const id = ids[step.container] ?? "";
        // A reading precedes each restart here; what is used between the last reading and a crash nobody can know.
        if (step.kind === "use") {
          counters.set(id, (counters.get(id) ?? 0) + step.seconds);
          total += step.seconds;
        } else if (step.kind === "restart") counters.set(id, 0);
        else if (step.kind === "stop") counters.delete(id);
        else {
          await meter.retire(id, signal);
          counters.delete(id);
          ids[step.container] = `c${index + 100}`;
          counters.set(`c${index + 100}`, 0);
          meter.add("app", `c${index + 100}`);
        }
        const [usage] = await meter.read(signal);
        expect(usage?.cpuSeconds).toBe(total);
      }
    }),
  );
});

test("a service without a container is reported with what it used before", async () => {
  const meter = usageMeter(["app", "idle"], async () => ({ cpuSeconds: 3, memoryBytes: 5 }));
  meter.add("app", "c1");
  await meter.retire("c1", signal);
  expect(await meter.read(signal)).toEqual([
    { service: "app", cpuSeconds: 3, memoryBytes: 0 },
    { service: "idle", cpuSeconds: 0, memoryBytes: 0 },
  ]);
});

test("control groups are found in both versions", () => {
  const v1 = "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n0::/x\n";
  expect(cgroupPathsOf(v1, "v1")).toEqual({
    kind: "v1",
    cpu: "/sys/fs/cgroup/cpuacct/docker/abc",
    memory: "/sys/fs/cgroup/memory/docker/abc",
  });
  expect(cgroupPathsOf("0::/system.slice/docker-abc.scope\n", "v2")).toEqual({
    kind: "v2",
    group: "/sys/fs/cgroup/system.slice/docker-abc.scope",
  });
  expect(cgroupPathsOf("", "v1")).toBeUndefined();
});
