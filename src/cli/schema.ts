import { Argument, Command } from "commander";
import { printOwnJson } from "./options.ts";

const DOCUMENTS = [
  "plan",
  "scenario",
  "x-canary",
  "profile",
  "drill",
  "runbook",
  "trust",
  "policy",
  "policy-cases",
  "gate",
  "passkeys",
  "sign-on-people",
] as const;
type DocumentName = (typeof DOCUMENTS)[number];

/** `canary schema`: the documents' schemas for editors, from the very schemas that read them. */
export function schemaCommand(): Command {
  return new Command("schema")
    .description("Print the JSON Schema (2020-12) of a document, for editors.")
    .addArgument(new Argument("<document>", "which document").choices(DOCUMENTS))
    .option("--json", "accepted everywhere; the schema is JSON anyway")
    .addHelpText("after", "\nExample:\n  canary schema scenario > canary-scenario.schema.json")
    .action(async (document: DocumentName) => {
      const [
        { z },
        { PlanSchema },
        { ScenarioSchema },
        { XCanarySchema },
        { ProfileSchema },
        { DrillReportSchema },
        runbook,
        trust,
        { PolicyDataSchema },
        { CasesSchema },
        { GateConfigSchema },
        { PasskeysSchema },
        { SignOnPeopleSchema },
      ] = await Promise.all([
        import("zod"),
        import("../plan/plan.ts"),
        import("../run/scenario.ts"),
        import("../mirror/compose/x-canary.ts"),
        import("../judge/profile.ts"),
        import("../report/drill/drill-report.ts"),
        import("../runbook/runbook.ts"),
        import("../attest/trust-file.ts"),
        import("../policy/engine/policy-data.ts"),
        import("../policy/engine/cases.ts"),
        import("../gate/gate-config.ts"),
        import("../gate/approvals-page/passkeys.ts"),
        import("../gate/single-sign-on/sign-on-terms.ts"),
      ]);
      const schemas = {
        plan: PlanSchema,
        scenario: ScenarioSchema,
        "x-canary": XCanarySchema,
        profile: ProfileSchema,
        drill: DrillReportSchema,
        runbook: runbook.RunbookSchema,
        trust: trust.TrustSchema,
        policy: PolicyDataSchema,
        "policy-cases": CasesSchema,
        gate: GateConfigSchema,
        passkeys: PasskeysSchema,
        "sign-on-people": SignOnPeopleSchema,
      } satisfies Readonly<Record<DocumentName, unknown>>;
      printOwnJson(z.toJSONSchema(schemas[document], { io: "input" }));
    });
}
