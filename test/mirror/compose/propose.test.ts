import { expect, test } from "vitest";
import { proposeMirror } from "../../../src/mirror/compose/propose.ts";
import { parsePlan } from "../../../src/plan/plan.ts";
import { admit } from "../../../src/policy/admit.ts";
import { checkTogether, parseScenario } from "../../../src/run/scenario.ts";
import { ASKING } from "../../support/shipped-policy.ts";
import { parse } from "./compose-document.ts";

const TWO_SERVICES = [
  "services:",
  "  web:",
  "    image: ghcr.example/team/web:3",
  '    ports: ["8000:80", "9443:443"]',
  "    depends_on: [db]",
  "  db:",
  "    image: postgres:16-alpine",
  '    ports: ["5432:5432"]',
  "    environment: { POSTGRES_PASSWORD: secret }",
  "    volumes: [data:/var/lib/postgresql/data]",
  "volumes: { data: }",
  "",
].join("\n");

/** The proposal, after every part of it went through the parser that will read it, and through policy. */
async function proposed(composeText: string, source = "stacks/my_Shop/compose.yaml") {
  const proposal = proposeMirror(composeText, source);
  const spec = parse(composeText + proposal.xCanary);
  const plan = parsePlan(proposal.plan, "plan");
  const scenario = parseScenario(proposal.scenario, "scenario");
  checkTogether(
    scenario,
    plan,
    scenario.traffic.mix.map(({ route }) => route),
  );
  expect(await admit(plan, { ...scenario, knownMirror: spec }, ASKING)).toMatchObject({
    kind: "admitted",
    humanNeeded: [],
  });
  expect(spec.services.map(({ name }) => name)).toContain(spec.entry.http?.service);
  return { ...proposal, spec, parsedPlan: plan, parsedScenario: scenario };
}

test("a web service with a database becomes a mirror, a plan and a scenario that all parse", async () => {
  const { spec, parsedPlan, parsedScenario, planFile, scenarioFile } = await proposed(TWO_SERVICES);
  expect(spec.entry).toEqual({ http: { service: "web", port: 80 } });
  expect(spec.state).toMatchObject([{ kind: "postgres", service: "db", password: "secret" }]);
  expect(parsedPlan.actions[0]).toMatchObject({
    step: { uses: "scale", with: { service: "web", replicas: 2 } },
    rollback: { uses: "scale", with: { service: "web", replicas: 1 } },
  });
  expect(parsedScenario).toMatchObject({ name: "my-shop-first", mirror: "compose.yaml", plan: planFile });
  expect([planFile, scenarioFile]).toEqual(["my-shop.plan.yaml", "my-shop.scenario.yaml"]);
});

test("what is proposed for a web service with a database never changes unnoticed", async () => {
  const { xCanary, plan, scenario, notes } = await proposed(TWO_SERVICES);
  const shown = [xCanary, plan, scenario, notes.join("\n")].join("---\n");
  await expect(`${shown}\n`).toMatchFileSnapshot("golden/proposal-two-services.txt");
});

test("the entry is no store and no console, whatever comes first", async () => {
  const { spec, notes } = await proposed(
    [
      "services:",
      "  cache: { image: 'redis:7', ports: ['6379:6379'] }",
      "  queue: { image: 'rabbitmq:3-management', ports: ['15672:15672'] }",
      "  db: { build: ./db, ports: [5432] }",
      "  api: { build: ., ports: [{ target: 3000, published: 3000 }] }",
      "",
    ].join("\n"),
  );
  expect(spec.entry.http).toEqual({ service: "api", port: 3000 });
  expect(spec.state).toEqual([{ kind: "redis", service: "cache", port: 6379 }]);
  expect(notes.join("\n")).toContain("What queue holds is not compared");
});

test("workers are frozen, metrics that the file names are scraped, a health path is asked", async () => {
  const { spec, parsedScenario } = await proposed(
    [
      "name: shop",
      "services:",
      "  api:",
      "    image: api",
      "    ports: ['8080:8080']",
      "    labels: { prometheus.io/scrape: 'true', prometheus.io/port: 9464, prometheus.io/path: /prom }",
      "    healthcheck: { test: ['CMD', 'curl', '-f', 'http://localhost:8080/healthz'] }",
      "  mail-worker: { image: api, environment: { METRICS_PORT: 9100 } }",
      "",
    ].join("\n"),
  );
  expect(spec.background).toEqual(["mail-worker"]);
  expect(spec.metrics).toEqual([
    { service: "api", port: 9464, path: "/prom" },
    { service: "mail-worker", port: 9100, path: "/metrics" },
  ]);
  expect(parsedScenario.traffic.mix).toMatchObject([{ route: "health", http: { path: "/healthz" } }]);
});

test("where every service keeps files, the plan only sets a variable", async () => {
  const { parsedPlan } = await proposed(
    "services:\n  wiki: { image: wiki, ports: [80], volumes: ['data:/data'] }\nvolumes: { data: }\n",
  );
  expect(parsedPlan).toMatchObject({
    tier: 3,
    actions: [
      {
        step: { uses: "update", with: { service: "wiki", environment: { CANARY_FIRST_REHEARSAL: "1" } } },
        rollback: { uses: "update", with: { environment: { CANARY_FIRST_REHEARSAL: null } } },
      },
    ],
  });
});

test("credentials that the file does not hold are guessed, and the guess is told", async () => {
  const { spec, notes } = await proposed(
    "services:\n  web: { image: web, ports: [80] }\n  db: { image: bitnami/postgresql, environment: { POSTGRESQL_PASSWORD: p } }\n",
  );
  expect(spec.state).toMatchObject([{ user: "postgres", password: "p", database: "postgres" }]);
  expect(notes.join("\n")).toContain("credentials of db are guessed");
});

test.each([
  ["is no Compose file", "a: 1\n", /not a Compose file/],
  [
    "is a mirror already",
    "services: { a: { image: a, ports: [80] } }\nx-canary: {}\n",
    /compose\.yaml:2:1 is x-canary already/,
  ],
  ["publishes nothing", "services: { a: { image: a } }\n", /does not show where traffic goes in/],
  [
    "publishes only stores",
    "services: { db: { image: postgres, ports: [5432] } }\n",
    /does not show where traffic goes in/,
  ],
])("nothing is proposed for a file that %s", (_, text, message) => {
  expect(() => proposeMirror(text, "compose.yaml")).toThrow(
    expect.objectContaining({ code: "MIRROR_INVALID", message: expect.stringMatching(message) }),
  );
});
