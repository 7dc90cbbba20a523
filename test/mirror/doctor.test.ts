import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BASE_IMAGES } from "../../src/mirror/doctor/check-engine.ts";
import { NODE_VERSION_MIN } from "../../src/mirror/doctor/check-machine.ts";
import { diagnose } from "../../src/mirror/doctor/diagnose.ts";
import { CHECKS, type Check, type Finding } from "../../src/mirror/doctor/finding.ts";
import { exited, HEALTHY_INFO, type SimulatedMachine, simulatedHost } from "./simulated-host.ts";

const GIB = 1024 ** 3;
const signal = new AbortController().signal;
const silent = { kind: "silent", why: "no socket" } as const;
const debianFiles = { "/etc/os-release": "ID=debian\n", "/proc/net/tcp": "", "/proc/net/tcp6": "" };

async function diagnosed(changes: Partial<SimulatedMachine>): Promise<readonly Finding[]> {
  return await diagnose({ host: simulatedHost(BASE_IMAGES, changes).host, signal });
}

/** On a machine that is healthy but for `given`, the finding of `check` is as expected and its sentence says `saying`. */
async function check(
  given: Partial<SimulatedMachine>,
  expected: { check: Check; status: Finding["status"]; saying?: string; hinting?: string; fixable?: boolean },
): Promise<void> {
  const finding = (await diagnosed(given)).find((candidate) => candidate.check === expected.check);
  expect(finding).toMatchObject({ status: expected.status, fixable: expected.fixable ?? false });
  expect(finding?.message).toContain(expected.saying ?? "");
  expect(finding?.hint ?? "").toContain(expected.hinting ?? "");
}

const withInfo = (changes: Partial<typeof HEALTHY_INFO>): Partial<SimulatedMachine> => ({
  engine: { kind: "answers", info: { ...HEALTHY_INFO, ...changes }, imageNames: BASE_IMAGES },
});

test("a healthy machine passes every check, in the order of the list", async () => {
  const findings = await diagnosed({});
  expect(findings.map((finding) => finding.check)).toEqual(CHECKS.filter((name) => name !== "leftovers"));
  expect(findings.filter((finding) => finding.status !== "ok")).toEqual([]);
});

test("every finding that is not ok says what to do", async () => {
  const worst = await diagnosed({
    engine: silent,
    dockerHost: "tcp://127.0.0.1:1",
    coreCount: 1,
    availableMemoryBytes: 1,
    freeDiskBytes: 1,
    nodeVersion: "v20.0.0",
    files: {},
    commands: {},
  });
  expect(worst.every((finding) => finding.status !== "ok")).toBe(true);
  expect(worst.filter((finding) => (finding.hint ?? "") === "")).toEqual([]);
});

test("the diagnosis stops when it is aborted", async () => {
  const aborted = diagnose({ host: simulatedHost(BASE_IMAGES).host, signal: AbortSignal.abort(new Error("enough")) });
  await expect(aborted).rejects.toThrow("enough");
});

test("no engine on Debian as root can be fixed, and the images with it", async () => {
  await check({ engine: silent }, { check: "engine", status: "fail", saying: "no container engine", fixable: true });
  await check({ engine: silent }, { check: "images", status: "fail", saying: "unknown", fixable: true });
});

test("no engine cannot be fixed by an ordinary user, elsewhere than Debian and Ubuntu, or on a Mac", async () => {
  const fedora = { ...debianFiles, "/etc/os-release": "ID=fedora\n" };
  for (const given of [{ userId: 1000 }, { files: fedora }, { platform: "darwin" }]) {
    await check({ engine: silent, ...given }, { check: "engine", status: "fail", hinting: "Install", fixable: false });
  }
});

test("an engine that is installed but stopped can be started by root on any Linux", async () => {
  const stopped = { engine: silent, files: {}, commands: { dockerd: exited(0) } };
  await check(stopped, { check: "engine", status: "fail", saying: "does not run", fixable: true });
});

test("the pid file of a killed daemon is recognised, also when the number was given to another program or a zombie", async () => {
  const left = { ...debianFiles, "/var/run/docker.pid": "4007" };
  const statuses = [undefined, "Name:\tbash\nState:\tS (sleeping)\n", "Name:\tdockerd\nState:\tZ (zombie)\n"];
  for (const status of statuses) {
    const files = status === undefined ? left : { ...left, "/proc/4007/status": status };
    await check({ engine: silent, files }, { check: "engine", status: "fail", saying: "4007", fixable: true });
  }
});

test("a daemon that lives and does not answer is not started again", async () => {
  const files = {
    ...debianFiles,
    "/var/run/docker.pid": "4007",
    "/proc/4007/status": "Name:\tdockerd\nState:\tS (sleeping)\n",
  };
  await check(
    { engine: silent, files },
    { check: "engine", status: "fail", saying: "does not answer", fixable: false },
  );
});

test("a silent engine named by DOCKER_HOST is left to the person who named it", async () => {
  await check(
    { engine: silent, dockerHost: "tcp://127.0.0.1:1" },
    { check: "engine", status: "fail", saying: "DOCKER_HOST" },
  );
});

test("a socket this user may not use is told apart from an engine that is not there", async () => {
  const given = { engine: silent, userId: 1000, deniedPaths: ["/var/run/docker.sock"] };
  await check(given, { check: "engine", status: "fail", saying: "may not use", hinting: "group" });
});

test("an engine of Windows containers, or one whose description makes no sense, fails", async () => {
  await check(withInfo({ OSType: "windows" }), { check: "engine", status: "fail", saying: "windows" });
  const nonsense = { kind: "answers", info: { ServerVersion: 1 }, imageNames: [] } as const;
  await check({ engine: nonsense }, { check: "engine", status: "fail", saying: "unreadable" });
});

test("the engine's version, storage driver and cgroup version are named", async () => {
  await check({}, { check: "engine", status: "ok", saying: "27.1.0, overlay2, cgroup v2" });
});

test("missing base images are named and can be fixed", async () => {
  const given = { engine: { kind: "answers", info: HEALTHY_INFO, imageNames: BASE_IMAGES.slice(1) } } as const;
  await check(given, { check: "images", status: "fail", saying: BASE_IMAGES[0] ?? "", fixable: true });
});

test("a missing image of somebody's own mirror is not ours to fetch", async () => {
  const { host } = simulatedHost(BASE_IMAGES);
  const findings = await diagnose({ host, signal, images: ["shop/api:3"] });
  expect(findings.find((finding) => finding.check === "images")).toMatchObject({ status: "fail", fixable: false });
});

test("disk, memory and cores pass, warn and fail by their amounts", async () => {
  await check({ freeDiskBytes: 10 * GIB }, { check: "disk", status: "ok" });
  await check({ freeDiskBytes: 9 * GIB }, { check: "disk", status: "warn", saying: "9.0 GiB free in /var/lib/docker" });
  await check({ freeDiskBytes: 1 * GIB }, { check: "disk", status: "fail" });
  await check({ availableMemoryBytes: 3 * GIB }, { check: "memory", status: "warn" });
  await check({ availableMemoryBytes: GIB / 2 }, { check: "memory", status: "fail", saying: "0.5 GiB" });
  await check({ coreCount: 3 }, { check: "cores", status: "warn", saying: "3 cores" });
  await check({ coreCount: 1 }, { check: "cores", status: "fail" });
});

test("an engine in a virtual machine is judged by the memory and cores it has, not by the host's", async () => {
  await check(withInfo({ MemTotal: GIB / 2 }), { check: "memory", status: "fail" });
  await check(withInfo({ NCPU: 2 }), { check: "cores", status: "warn", saying: "2 cores" });
});

test("a disk that cannot be seen is a warning and not a pass", async () => {
  await check({ freeDiskBytes: undefined }, { check: "disk", status: "warn", saying: "cannot be seen" });
});

test("what an engine cannot limit is named", async () => {
  await check(withInfo({ CPUSet: false, CpuCfsQuota: false }), {
    check: "limits",
    status: "warn",
    saying: "processor limits, pinning to cores",
  });
});

test("Node is held to the version that package.json asks for", async () => {
  const text = readFileSync(join(import.meta.dirname, "../../package.json"), "utf8");
  const engines = /"engines": \{\s*"node": ">=([0-9.]+)"/.exec(text)?.[1];
  expect(NODE_VERSION_MIN.startsWith(engines ?? "?")).toBe(true);
  for (const version of ["v24.15.0", "v24.21.0", "v25.0.0"])
    await check({ nodeVersion: version }, { check: "node", status: "ok" });
  for (const version of ["v20.20.2", "v24.14.9", "nonsense"]) {
    await check({ nodeVersion: version }, { check: "node", status: "fail", hinting: "npm ci" });
  }
});

test("the best granted scheduling is found by trying it, and a refused nice that runs all the same is not believed", async () => {
  await check({ commands: { chrt: exited(0) } }, { check: "realtime", status: "ok", saying: "real-time" });
  const nice = { chrt: exited(1), nice: exited(0, { stdout: "-15\n" }) };
  await check({ commands: nice }, { check: "realtime", status: "warn", saying: "only a raised priority" });
  const refused = { chrt: exited(1), nice: exited(0, { stdout: "0\n", stderr: "cannot set niceness" }) };
  await check({ commands: refused }, { check: "realtime", status: "warn", saying: "neither" });
  await check({ commands: {} }, { check: "realtime", status: "warn", saying: "neither" });
});

test("services that twins can reach are listed with the firewall rule that would stop it", async () => {
  const table =
    "  sl  local_address rem_address   st\n   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0\n";
  const files = { ...debianFiles, "/proc/net/tcp": table };
  await check(
    { files },
    { check: "host-services", status: "warn", saying: "TCP 2024", hinting: "--dports 2024 -j REJECT" },
  );
});

test("a machine whose services cannot be listed gets a warning and not a pass", async () => {
  await check({ files: {} }, { check: "host-services", status: "warn", saying: "cannot be listed" });
});
