import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

/** The command as its user would type it, from the root of the project. */
function canary(...args: readonly string[]): {
  readonly exitCode: number | null;
  readonly out: string;
  readonly err: string;
} {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["bin/canary.js", ...args], { encoding: "utf8" });
  return { exitCode: status, out: stdout, err: stderr };
}

test("canary power says without a profile what the rate alone rules out, and what would do", () => {
  const { exitCode, out } = canary("power", "scenarios/tune-pool-at-night.yaml", "--no-profile");
  expect(out).toContain("no calibration profile, as asked");
  expect(out).toMatch(
    /checkout-latency: .*30 requests beyond the quantile after the plan .*send about \d+ requests a second/,
  );
  expect(exitCode).toBe(10);
});

test("canary power --json prints one document that a machine can act on", () => {
  const { exitCode, out } = canary("power", "scenarios/scale-batch-workers.yaml", "--no-profile", "--json");
  const document = JSON.parse(out);
  expect(document).toMatchObject({ kind: "power", exitCode: 0 });
  expect(document.forecasts.map(({ name }: { name: string }) => name)).toContain("checkout-latency");
  expect(exitCode).toBe(0);
});

test("canary power forecasts the rounds of a switchback, and never says yes of what nobody measured", () => {
  const { exitCode, out } = canary("power", "scenarios/scale-in-rounds.yaml", "--no-profile");
  const rows = ["jobs-done", "checkout-latency", "overall-latency", "errors"];
  for (const name of rows) expect(out).toMatch(new RegExp(`^${name} .* by the rules, noise unknown$`, "m"));
  expect(exitCode).toBe(0);
});

test("canary calibrate refuses a bare mirror and sizes that make no sense before anything is raised", () => {
  const bare = canary("calibrate", "mirrors/shop/compose.yaml");
  expect({ exitCode: bare.exitCode, err: bare.err }).toMatchObject({
    exitCode: 2,
    err: expect.stringMatching(/scenario/),
  });
  const sizes = canary("calibrate", "scenarios/scale-batch-workers.yaml", "--rounds", "1");
  expect({ exitCode: sizes.exitCode, err: sizes.err }).toMatchObject({
    exitCode: 2,
    err: expect.stringMatching(/2 to 200/),
  });
});
