import { z } from "zod";

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Ms = z.number().min(0);
const Named = z.strictObject({ name: z.string(), sha256: Sha256 });

const DifferenceSchema = z.strictObject({
  path: z.string(),
  kind: z.enum(["added", "removed", "changed"]),
  before: z.string().optional(),
  after: z.string().optional(),
});
const MeasuredSchema = z.strictObject({ holds: z.boolean(), said: z.string() });

/** How the shadow was made ready for the next cell. */
const ResetSchema = z.strictObject({
  /** `none`: it already was; `restarted`: only services that had not got well; `snapshot`: stores restored; `raised-anew`: everything. */
  way: z.enum(["none", "restarted", "snapshot", "raised-anew"]),
  tookMs: Ms,
  /** Services that were restarted because their connections did not survive. */
  restarted: z.array(z.string()),
});

const CellSchema = z.strictObject({
  /** Number of the plan's actions that were begun. */
  prefix: z.number().int().min(0),
  /** Id of its column. */
  column: z.string(),
  /** `clean`, `not-restored` (something is left), `finding` (restored, but), `error` (nothing is known). */
  result: z.enum(["clean", "not-restored", "finding", "error"]),
  reason: z.string(),
  notes: z.array(z.string()),
  differences: z.array(DifferenceSchema),
  /** Measured by traffic or from inside the container. */
  fault: z.strictObject({ landed: MeasuredSchema, lifted: MeasuredSchema }).optional(),
  /** Which way back was taken, and so proven or not; absent where nothing was begun, or the cell could not be played. */
  wayBack: z
    .strictObject({
      /** `planned`, `failure` or `abort`, as a run would have it; `resumed`: finished for a harness that died. */
      why: z.enum(["planned", "failure", "abort", "resumed"]),
      /** `undos` of the actions, last one first; `steps` of the plan's own `onFailure` or `onAbort`; `stop`: left as it stood. */
      how: z.enum(["undos", "steps", "stop"]),
    })
    .optional(),
  health: z.array(z.strictObject({ name: z.string(), service: z.string(), healthy: z.boolean(), said: z.string() })),
  actMs: Ms,
  undoMs: Ms,
  /** From the end of the undo until everything was well. */
  recoverMs: Ms,
  /** The whole cell without its reset. */
  tookMs: Ms,
  reset: ResetSchema,
});

/** Schema of `drill.json` (canary.drill/v1); docs/drill.md says what the words mean. */
export const DrillReportSchema = z.strictObject({
  schema: z.literal("canary.drill/v1"),
  harnessVersion: z.string(),
  runId: z.string(),
  startedEpochMs: z.number(),
  tookMs: Ms,
  environment: z.string(),
  scenario: Named,
  mirror: Named,
  plan: Named.extend({
    intent: z.string(),
    agent: z.string(),
    actions: z.array(z.strictObject({ id: z.string(), what: z.string() })),
  }),
  /** In order; `kind` is `fault` for those that strike one. */
  columns: z.array(z.strictObject({ id: z.string(), kind: z.string(), title: z.string(), what: z.string() })),
  cells: z.array(CellSchema),
  /** `not-restored` if any cell is, else `findings` if any is a finding or an error, else `clean`. */
  outcome: z.enum(["clean", "not-restored", "findings"]),
  /** What passed each link's proxy during the whole drill. */
  links: z.array(
    z.strictObject({ name: z.string(), connections: z.number(), bytesUp: z.number(), bytesDown: z.number() }),
  ),
  /** How the twins were raised. */
  twins: z.strictObject({ engine: z.string(), isolation: z.string(), raiseMs: Ms }),
  fidelity: z.array(z.string()),
});

export type DrillReport = z.infer<typeof DrillReportSchema>;
export type DrillReportCell = DrillReport["cells"][number];
export type DrillReset = z.infer<typeof ResetSchema>;

/** What a drill tells those who watch it. */
export type DrillEvent =
  | { readonly kind: "phase"; readonly message: string }
  | { readonly kind: "note"; readonly message: string }
  | {
      readonly kind: "cell";
      readonly cell: DrillReportCell;
      readonly title: string;
      readonly number: number;
      readonly of: number;
    }
  | { readonly kind: "done"; readonly report: DrillReport; readonly folder: string };

/** Receives events in order; must not throw and must return quickly. */
export type DrillObserver = (event: DrillEvent) => void;
