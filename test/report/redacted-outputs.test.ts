import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { junitXml } from "../../src/report/files/junit-xml.ts";
import { reportJson } from "../../src/report/files/report-json.ts";
import { summaryMarkdown } from "../../src/report/files/summary-md.ts";
import { reportPage } from "../../src/report/html/report-page.ts";
import type { RunReport } from "../../src/report/run-report.ts";
import { simulateRun } from "../support/simulated-run.ts";

const SECRET = "ghp_aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789";
const PLANTED = [SECRET, "ada@example.com", "4111 1111 1111 1111", "hunter2-very-secret", "+49 30 12345678"];

async function reportOfGossip(): Promise<RunReport> {
  const [token, mail, card, password, phone] = PLANTED;
  const update = (value: string): object => ({
    uses: "update",
    with: { service: "api", environment: { DB_PASSWORD: value } },
  });
  const { end } = await simulateRun({
    seed: 5,
    laidOverPlan: {
      intent: `${mail} wrote with ${token}`,
      evidence: [{ kind: "ticket", summary: `call ${phone}, paid with ${card}` }],
      actions: [
        {
          id: "settings",
          what: `do what ${mail} said`,
          why: `password=${password}`,
          requires: ["containers:update@shop"],
          changes: ["service/api/env/DB_PASSWORD"],
          ...update(password ?? ""),
          rollback: update("before"),
        },
      ],
    },
    mayChange: ["service/**"],
  });
  if (end.kind === "error") throw end.error;
  return end.report;
}

test("neither secrets nor personal data of a plan reach any report", async () => {
  const report = await reportOfGossip();
  const outputs = [
    reportJson(report),
    summaryMarkdown(report),
    junitXml(report, { holdAs: "skipped" }),
    await reportPage(report),
  ];
  for (const output of outputs) expect(PLANTED.filter((planted) => output.includes(planted))).toEqual([]);
  expect(outputs[0]).toContain("[email] wrote with [masked]");
});

test("nor do they reach a terminal or a machine by an error", () => {
  const args = ["bin/canary.js", "plan", "check", `${PLANTED[1]}-${SECRET}.yaml`, "--json"];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(PLANTED.filter((planted) => `${stdout}${stderr}`.includes(planted))).toEqual([]);
  expect(JSON.parse(stdout)).toMatchObject({ kind: "error", code: "PLAN_INVALID" });
});
