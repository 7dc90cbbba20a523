import { expect, test } from "vitest";
import { haproxyConfig } from "../../../src/mirror/twins/haproxy-config.ts";
import { sessionsByServer } from "../../../src/mirror/twins/ingress.ts";
import { planRoutes } from "../../../src/mirror/twins/ingress-plan.ts";
import { cache, db, echo, miniMirror, service } from "../../docker/fixtures/mini/mini-mirror.ts";

const inventory = service({ name: "inventory", image: echo.image, ports: [50051, 9100] });
const spec = miniMirror({
  services: [echo, inventory, db, cache],
  entry: { http: { service: "echo", port: 8080 }, grpc: { service: "inventory", port: 50051 } },
});

test("the ingress's configuration is what was reviewed", async () => {
  const stubs = { innerAddress: "10.213.8.2", listener: { host: "10.213.9.1", port: 41_234 } };
  const config = haproxyConfig({ routes: planRoutes(spec), frontAddress: "10.213.9.2", stubs });
  await expect(config).toMatchFileSnapshot("golden/ingress.cfg");
});

test("every declared, entry, store and metrics port has one route, in the strictest way anybody needs", () => {
  const routes = planRoutes(spec).map(
    ({ service: name, port, mode, perReplica }) => `${name}:${port} ${mode}${perReplica ? " each" : ""}`,
  );
  expect(routes).toEqual([
    "cache:6379 tcp",
    "db:5432 tcp",
    "echo:8080 http each",
    "inventory:9100 tcp",
    "inventory:50051 grpc",
  ]);
});

test("the order of services does not move a port", () => {
  const reversed = { ...spec, services: spec.services.toReversed() };
  expect(planRoutes(reversed)).toEqual(planRoutes(spec));
});

test("current sessions are read from HAProxy's statistics", () => {
  const csv =
    "# pxname,svname,qcur,qmax,scur,smax\necho_8080,s1,0,0,3,7\necho_8080,s2,0,0,0,4\necho_8080,BACKEND,0,0,3,11\n\n";
  expect([...sessionsByServer(csv)]).toEqual([
    ["echo_8080/s1", 3],
    ["echo_8080/s2", 0],
    ["echo_8080/BACKEND", 3],
  ]);
});
