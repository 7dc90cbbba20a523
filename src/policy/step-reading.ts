import { looksSecret } from "../core/redact.ts";
import type { ActionStep, StepOf } from "../plan/action.ts";
import { KINDS, onlyAsks, type Reversibility } from "../plan/kinds.ts";
import { destroys, execRefusals, redisOfCommand, sqlOfCommand } from "./exec-rules.ts";
import { gravestRedis, redisFinding } from "./redis-commands.ts";
import { carriesSecret } from "./secret-text.ts";
import type { SqlParser } from "./sql/parse-sql.ts";
import { readSql, type SqlReading, type SqlTexts } from "./sql/read-sql.ts";
import type { SqlFinding } from "./sql/sql-finding.ts";
import type { Deed } from "./tier-table.ts";

/** How a step can be tried without being done. */
export type DryRunOffer =
  /** In a transaction that is rolled back, with the planner's view of each statement. */
  | { readonly kind: "transaction" }
  /** The new content is computed from the present one and not written. */
  | { readonly kind: "computed" }
  /** Held against what the twin runs: the service, the image, the limits. */
  | { readonly kind: "checked" }
  /** Queued at the server, which checks its words, and discarded. */
  | { readonly kind: "queued" }
  /** A request that the plan declares for it. */
  | { readonly kind: "request" }
  /** Nothing is changed, so there is nothing to try. */
  | { readonly kind: "needless" }
  | { readonly kind: "none"; readonly why: string };

/** What a step does, read from its words alone. */
export interface StepReading {
  readonly deed: Deed;
  /** What it does, as the end of a sentence: `deletes every row of orders: there is no WHERE`. */
  readonly because: string;
  readonly reversibility: Reversibility;
  readonly dryRun: DryRunOffer;
  /** Why it may not be carried out at all; sentences without a subject. */
  readonly refusals: readonly string[];
  /** What its author should know, of the same form. */
  readonly remarks: readonly string[];
  /** What an SQL step makes, so that its undo may drop it again. */
  readonly made: readonly string[];
  /** A message has left, so that no snapshot of a store covers it. */
  readonly leavesTheStore: boolean;
  readonly sql?: SqlReading;
}

/** Reads what a step does. @param undoOf - of an undo: what its action makes (`StepReading.made`) */
export function readStep(step: ActionStep, parse: SqlParser, undoOf: readonly string[] = []): StepReading {
  switch (step.uses) {
    case "sql":
      return sqlReading(step.with, parse, undoOf);
    case "exec":
      return execReading(step.with.argv, parse);
    case "redis":
      return redisReading(step);
    case "probe":
      return probeReading(step, parse);
    case "http":
      return httpReading(step);
    case "ticket":
    case "pull-request":
      return proposalReading(step);
    case "update":
      return updateReading(step);
    case "scale":
      return step.with.replicas === 0
        ? plain(step, "removal", `takes ${step.with.service} away (no replica is left)`)
        : plain(step, "scale", `scales ${step.with.service} to ${step.with.replicas}`);
    case "restart":
      return plain(step, "restart", `restarts ${step.with.service}`);
    case "remove":
      return plain(step, "removal", `takes ${step.with.service} away`);
    case "file":
      return plain(step, "file", `changes ${step.with.path} of ${step.with.service}`);
    case "flag":
      return plain(step, "flag", `sets the flag ${step.with.flag}`);
    case "grpc":
      return plain(step, "request", `calls ${step.with.rpcService}/${step.with.method}`);
    case "wait":
    case "query-metrics":
    case "query-logs":
      return plain(step, "read", "only reads or waits");
  }
}

const OFFERS: Partial<Readonly<Record<ActionStep["uses"], DryRunOffer>>> = {
  scale: { kind: "checked" },
  update: { kind: "checked" },
  restart: { kind: "checked" },
  remove: { kind: "checked" },
  file: { kind: "computed" },
  flag: { kind: "computed" },
  grpc: { kind: "none", why: "a call can only be made or not be made" },
  wait: { kind: "needless" },
  probe: { kind: "needless" },
  "query-metrics": { kind: "needless" },
  "query-logs": { kind: "needless" },
  ticket: { kind: "needless" },
  "pull-request": { kind: "needless" },
};

function plain(step: ActionStep, deed: Deed, because: string): StepReading {
  return {
    deed,
    because,
    reversibility: KINDS[step.uses].reversibility,
    dryRun: OFFERS[step.uses] ?? { kind: "none", why: `${step.uses} offers none` },
    refusals: [],
    remarks: [],
    made: [],
    leavesTheStore: false,
  };
}

function sqlReading(texts: SqlTexts, parse: SqlParser, undoOf: readonly string[]): StepReading {
  const sql = readSql(texts, parse, undoOf);
  const { effect, because } = sql.gravest;
  const findings = sql.statements.flatMap((statement) => statement.findings);
  const dryRun: DryRunOffer =
    effect === "read"
      ? { kind: "needless" }
      : texts.transaction === true
        ? { kind: "transaction" }
        : { kind: "none", why: "what can not run in a transaction can not be rolled back" };
  return {
    deed: effect === "forbidden" ? "loss" : effect,
    because,
    reversibility: sqlReversibility(sql.gravest, findings),
    dryRun,
    refusals: sql.refusals,
    remarks: sql.remarks,
    made: sql.made,
    leavesTheStore: findings.some((one) => one.effect === "message"),
    sql,
  };
}

function sqlReversibility({ effect }: SqlFinding, findings: readonly SqlFinding[]): Reversibility {
  if (findings.some((one) => one.irreversible === true || one.effect === "loss")) return "irreversible";
  return ["read", "maintenance", "rebuild"].includes(effect) ? "idempotent" : "compensable";
}

/** A program can do anything; where the statement it brings can be read, that counts too. */
function execReading(argv: readonly string[], parse: SqlParser): StepReading {
  const refusals = execRefusals(argv);
  const program: StepReading = {
    deed: "program",
    because: `runs ${argv[0] ?? ""}, which can do anything`,
    reversibility: KINDS.exec.reversibility,
    dryRun: { kind: "none", why: "a program can only be run or not be run" },
    refusals,
    remarks: [],
    made: [],
    leavesTheStore: false,
  };
  const destroyed = destroys(argv);
  if (destroyed !== undefined) return { ...program, deed: "loss", because: destroyed, reversibility: "irreversible" };
  const statements = sqlOfCommand(argv);
  if (statements.length > 0) {
    const { gravest, refusals: unread } = readSql({ statements }, parse);
    const isLoss = gravest.effect === "loss" || gravest.effect === "forbidden";
    return { ...program, refusals: [...refusals, ...unread], ...(isLoss ? lost(gravest.because) : {}) };
  }
  const command = redisOfCommand(argv);
  if (command.length === 0) return program;
  const { effect, because } = redisFinding(command);
  return {
    ...program,
    refusals: effect === "forbidden" ? [...refusals, because] : refusals,
    ...(effect === "loss" ? lost(because) : {}),
  };
}

function lost(because: string): Pick<StepReading, "deed" | "because" | "reversibility"> {
  return { deed: "loss", because, reversibility: "irreversible" };
}

function redisReading({ with: { commands, restore } }: StepOf<"redis">): StepReading {
  const findings = commands.map(redisFinding);
  const { effect, because } = gravestRedis(findings);
  const message = findings.some((one) => one.irreversible === true);
  const written = restore !== undefined && effect === "read";
  return {
    deed: written ? "keys" : effect === "forbidden" ? "loss" : effect,
    because: written ? "puts keys back" : because,
    reversibility: effect === "loss" || message ? "irreversible" : effect === "read" ? "idempotent" : "reversible",
    dryRun: effect === "read" ? { kind: "needless" } : { kind: "queued" },
    refusals: findings.filter((one) => one.effect === "forbidden").map((one) => one.because),
    remarks: [],
    made: [],
    leavesTheStore: message,
  };
}

/** A probe asks again and again, and in both proofs: its query may only read. */
function probeReading(step: StepOf<"probe">, parse: SqlParser): StepReading {
  const reading = plain(step, "read", "only asks");
  if (!("sql" in step.with)) {
    const { path } = step.with;
    return onlyAsks({ method: "GET", path }) ? reading : plain(step, "request", `asks for ${path} again and again`);
  }
  const { refusals } = readSql({ statements: [], landed: step.with.sql }, parse);
  return { ...reading, refusals: refusals.map((refusal) => refusal.replace("has a landed query", "has a query")) };
}

function httpReading(step: StepOf<"http">): StepReading {
  const { method, path, dryRun } = step.with;
  if (onlyAsks(step.with))
    return { ...plain(step, "read", `asks for ${path}`), reversibility: "idempotent", dryRun: { kind: "needless" } };
  return {
    ...plain(step, "request", `sends ${method} ${path}`),
    dryRun:
      dryRun === undefined ? { kind: "none", why: "the plan declares no request that tries it" } : { kind: "request" },
  };
}

/** What leaves for people to read must not carry a secret; added lines of a diff like everything else. */
function proposalReading(step: StepOf<"ticket"> | StepOf<"pull-request">): StepReading {
  const reading = plain(step, "proposal", step.uses === "ticket" ? "opens a ticket" : "proposes a change");
  const texts = { ...step.with } as Readonly<Record<string, string>>;
  const secret = ["title", "body", "diff"].filter((name) => carriesSecret(texts[name] ?? ""));
  return {
    ...reading,
    refusals: secret.map((name) => `has what looks like a secret in its ${name}: people and machines would keep it`),
  };
}

function updateReading(step: StepOf<"update">): StepReading {
  const { service, environment = {}, image } = step.with;
  const secrets = Object.keys(environment).filter(looksSecret);
  if (secrets.length > 0) return plain(step, "access", `changes the credential ${secrets.join(", ")} of ${service}`);
  if (image !== undefined) return plain(step, "image", `changes the image of ${service}`);
  return plain(step, "configuration", `changes how ${service} is configured`);
}
