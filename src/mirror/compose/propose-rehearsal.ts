/** What the first plan and scenario for somebody's own stack are about. */
export interface FirstRehearsal {
  /** Project name: lower-case letters, digits and dashes. */
  readonly name: string;
  /** File names beside the scenario. */
  readonly composeFile: string;
  readonly planFile: string;
  /** Service that the plan changes, and how. */
  readonly service: string;
  readonly change: "scale" | "variable";
  /** Path that the traffic asks of the entry. */
  readonly path: string;
}

const VARIABLE = "CANARY_FIRST_REHEARSAL";

/** A plan (canary.plan/v1) that is harmless and undoes itself. */
export function planText({ name, service, change }: FirstRehearsal): string {
  const quoted = JSON.stringify(service);
  const { tier, intent, action } = change === "scale" ? scaling(service, quoted) : variable(service, quoted);
  return [
    "schema: canary.plan/v1",
    `name: ${name}-first`,
    "# Who proposes this. An agent writes its own identity, model and prompt digest here.",
    "agent:",
    "  id: by-hand",
    '  version: "1"',
    '  model: { provider: none, name: by-hand, version: "1" }',
    `target: { environment: staging/${name} }`,
    `tier: ${tier}`,
    "confidence: 0.9",
    `intent: ${JSON.stringify(intent)}`,
    "evidence:",
    '  - { kind: note, summary: "a first rehearsal, to see the path from plan to verdict" }',
    "actions:",
    ...action.map((line) => `  ${line}`),
    "expects:",
    '  - { slo: latency, delta: { to: "+40%" } }',
    "rollback: { withinSeconds: 60 }",
    "",
  ].join("\n");
}

/** The scenario (canary.scenario/v1) that rehearses it. */
export function scenarioText({ name, composeFile, planFile, service, change, path }: FirstRehearsal): string {
  return [
    "schema: canary.scenario/v1",
    `name: ${name}-first`,
    `description: A first rehearsal of ${name}, proposed by canary init`,
    `mirror: ${JSON.stringify(composeFile)}`,
    `plan: ${JSON.stringify(planFile)}`,
    "# The environment that verdicts of this scenario are valid for: production, staging or development.",
    `environment: { id: staging/${name}, class: staging }`,
    "traffic:",
    "  ratePerSecond: 40",
    "  mix:",
    `    - { route: ${path === "/" ? "home" : "health"}, weight: 1, http: { path: ${JSON.stringify(path)} } }`,
    "# What is judged on both twins: the difference that a plan may make. A plan's promise can only narrow it.",
    "slos:",
    '  - { name: latency, measure: { kind: latency, quantile: 0.75 }, limit: { to: "+50%" } }',
    '  - { name: errors, measure: { kind: errors }, limit: { to: "+1pp" } }',
    '  - { name: served, measure: { kind: served }, limit: { from: "-5%" } }',
    "# Resources that a plan may change; nothing else.",
    `mayChange: [${JSON.stringify(resource(service, change))}]`,
    "judge: { blockSeconds: 5, baselineSecondsMax: 600, settleSeconds: 10, observeSecondsMax: 600 }",
    "",
  ].join("\n");
}

function resource(service: string, change: FirstRehearsal["change"]): string {
  return change === "scale" ? `service/${service}/replicas` : `service/${service}/env/${VARIABLE}`;
}

function scaling(service: string, quoted: string) {
  return {
    tier: 2,
    intent: `See what a second replica of ${service} does, and that it can be taken away again`,
    action: [
      "- id: second-replica",
      `  what: ${JSON.stringify(`Scale ${service} from 1 to 2`)}`,
      '  why: "The smallest change that shows the path"',
      "  uses: scale",
      `  with: { service: ${quoted}, replicas: 2 }`,
      `  requires: [${JSON.stringify(`containers:scale@${service}`)}]`,
      `  changes: [${JSON.stringify(resource(service, "scale"))}]`,
      `  rollback: { uses: scale, with: { service: ${quoted}, replicas: 1 } }`,
    ],
  };
}

function variable(service: string, quoted: string) {
  return {
    tier: 3,
    intent: `See what a restart of ${service} with one more variable does, and that it can be undone`,
    action: [
      "- id: one-variable",
      `  what: ${JSON.stringify(`Set ${VARIABLE} of ${service}, which nothing reads`)}`,
      '  why: "The smallest change that shows the path"',
      "  uses: update",
      `  with: { service: ${quoted}, environment: { ${VARIABLE}: "1" } }`,
      `  requires: [${JSON.stringify(`containers:update@${service}`)}]`,
      `  changes: [${JSON.stringify(resource(service, "variable"))}]`,
      `  rollback: { uses: update, with: { service: ${quoted}, environment: { ${VARIABLE}: null } } }`,
      "  timeoutSeconds: 60",
    ],
  };
}
