import { expect, test } from "vitest";
import { z } from "zod";
import { gateWorld, type ServedGate } from "./gate-world.ts";

type Loose = ReturnType<typeof JSON.parse>;
const CHANGE = { kind: "resources", resources: [{ path: "service/worker/replicas", to: 3 }] };

/** Whether an answer is one that the document describes, with the form that it describes. */
function checkDescribed(
  document: Loose,
  request: readonly [string, string],
  answer: Awaited<ReturnType<ServedGate["ask"]>>,
): void {
  const [method, path] = request;
  const operation = document.paths[path]?.[method.toLowerCase()];
  expect(operation, `${method} ${path} is described`).toBeDefined();
  const response = operation.responses[answer.status];
  expect(response, `${method} ${path} may answer ${answer.status}`).toBeDefined();
  const [[type, content] = []] = Object.entries<Loose>(response.content ?? {});
  if (type === undefined) return;
  expect(answer.headers.get("content-type")).toBe(type);
  expect(z.fromJSONSchema(content.schema).safeParse(answer.json).error).toBeUndefined();
}

test("every answer of the gate is one that its OpenAPI document describes", async () => {
  await using world = await gateWorld();
  await using gate = await world.serve();
  const { json: document } = await gate.ask("/openapi.json");
  expect(document.openapi).toBe("3.1.0");
  const plan = world.plan(1);
  const promotion = { plan: plan.sha256, environment: "production/eu-west", change: CHANGE };
  const headers = { "idempotency-key": "a" };
  const post = async (path: string, body: unknown, as?: string, described = path): Promise<Loose> => {
    const answer = await gate.ask(path, { body, headers, ...(as === undefined ? {} : { as }) });
    checkDescribed(document, ["POST", described], answer);
    return answer.json;
  };
  const get = async (path: string, described: string, as = "any"): Promise<void> =>
    checkDescribed(document, ["GET", described], await gate.ask(path, { as }));
  await post("/v1/verdicts", world.submission(plan), "ci");
  await post("/v1/verdicts", world.submission(plan), "ci");
  await post("/v1/verdicts", { ...world.submission(plan), plan: "x" }, "ci");
  await post("/v1/verdicts", "{", "ci");
  await post("/v1/verdicts", {}, "nobody");
  await post("/v1/approvals", { bundle: world.approval("ada", plan) }, "ci");
  await post("/v1/drills", { bundle: world.drill() }, "ci");
  await post("/v1/promotions/check", promotion, "ci");
  const { id, token } = await post("/v1/promotions", promotion, "deployer");
  await post("/v1/promotions", { ...promotion, plan: "0".repeat(64) }, "deployer");
  await post("/v1/tokens/use", { token, change: CHANGE }, "deployer");
  await post("/v1/tokens/use", { token, change: CHANGE }, "deployer");
  const order = world.order(true);
  await post("/v1/kill-switch", { bundle: order }, "operator");
  await post("/v1/kill-switch", { bundle: order }, "operator");
  await post("/v1/kill-switch", { bundle: "x" }, "operator");
  await get(`/v1/verdicts/${plan.sha256}`, "/v1/verdicts/{digest}");
  await get("/v1/verdicts/x", "/v1/verdicts/{digest}");
  await get(`/v1/decisions/${id}`, "/v1/decisions/{id}");
  await get("/v1/decisions/999", "/v1/decisions/{id}");
  for (const path of ["/readyz", "/healthz", "/metrics", "/openapi.json"]) await get(path, path);
});

test("the document names what every route needs of its caller, and no route twice", async () => {
  await using world = await gateWorld();
  await using gate = await world.serve();
  const { json: document } = await gate.ask("/openapi.json");
  const operations = Object.values<Loose>(document.paths).flatMap((item) => Object.values<Loose>(item));
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const open = Object.entries<Loose>(document.paths).filter(([, item]) =>
    Object.values<Loose>(item).some((one) => one["x-permission"] === "open"),
  );
  expect(open.map(([path]) => path).sort()).toEqual(["/healthz", "/openapi.json", "/readyz"]);
});

test("the document describes what this gate serves, and says that another configuration serves more", async () => {
  await using world = await gateWorld();
  await using bare = await world.serve({ parts: {} });
  const senders = [{ name: "pipeline", environments: ["production/*"], secret: "whsec_" }];
  await using configured = await world.serve({ parts: { senders } });
  const of = async (gate: ServedGate): Promise<Loose> => (await gate.ask("/openapi.json")).json;
  const [less, more] = [await of(bare), await of(configured)];
  expect(less.info.description).toContain("only where its configuration names them");
  const paths = Object.keys(less.paths);
  expect(Object.keys(more.paths).filter((path) => !paths.includes(path))).toEqual(["/v1/hooks/standard/{sender}"]);
});
