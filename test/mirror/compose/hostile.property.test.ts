import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parse as parseYaml, stringify } from "yaml";
import { CanaryError } from "../../../src/core/errors.ts";
import { proposeMirror } from "../../../src/mirror/compose/propose.ts";
import { parse } from "./compose-document.ts";

const SHOP = readFileSync("mirrors/shop/compose.yaml", "utf8");

/** One service that uses every key that is read, so that junk can stand in the place of each. */
const EVERYTHING = `
services:
  app:
    build: { context: ., dockerfile: D, args: { A: 1 }, target: t }
    command: run it
    entrypoint: [a]
    environment: { A: b }
    env_file: [{ path: a.env, required: false }]
    ports: [80, { target: 81 }]
    expose: [82]
    volumes: [d:/d, { type: bind, source: ., target: /b }, { type: tmpfs, target: /t, tmpfs: { size: 1m } }]
    tmpfs: [/r]
    shm_size: 1m
    networks: { default: { aliases: [x] } }
    depends_on: { db: { condition: service_started } }
    healthcheck: { test: [CMD, a], interval: 1s }
    cap_add: [CHOWN]
    cap_drop: [ALL]
    security_opt: ['no-new-privileges:true']
    ulimits: { nofile: { soft: 1, hard: 2 } }
    sysctls: { net.a: 1 }
    deploy: { replicas: 1, resources: { limits: { cpus: 1, memory: 64m } } }
    labels: [a=b]
    extra_hosts: ['a:127.0.0.1']
    secrets: [s, { source: s, target: other }]
    configs: [c]
    stop_grace_period: 1s
    user: me
  db: { image: db }
volumes: { d: { driver: local } }
networks: { default: { driver: bridge } }
secrets: { s: { file: f } }
configs: { c: { file: f } }
x-canary:
  schema: canary.mirror/v1
  entry: { http: 'app:80', grpc: 'app:81' }
  state: [{ service: db, kind: postgres, password: p }]
  metrics: [{ service: app, port: 80 }]
  stubs: [{ host: h, handlers: h.ts }]
  background: [app]
  fidelity: [f]
`;

/** Every path into a tree, lists included. */
function pathsOf(value: unknown, path: readonly (string | number)[] = []): readonly (readonly (string | number)[])[] {
  if (typeof value !== "object" || value === null) return [path];
  const below = Object.entries(value).flatMap(([key, item]) =>
    pathsOf(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return [path, ...below];
}

function replaced(value: unknown, path: readonly (string | number)[], junk: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return junk;
  if (Array.isArray(value)) return value.map((item, index) => (index === key ? replaced(item, rest, junk) : item));
  const fields = Object.entries(value ?? {});
  return Object.fromEntries(fields.map(([name, item]) => [name, name === key ? replaced(item, rest, junk) : item]));
}

/** Accepted, or refused with a code and a reason; anything else is our bug. */
function isAnswered(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    return error instanceof CanaryError && error.code === "MIRROR_INVALID" && error.hint !== "";
  }
}

test("the document that uses every key is itself accepted", () => {
  expect(parse(EVERYTHING).services).toHaveLength(2);
});

test("junk in the place of any value is answered with reasons, never with a crash", () => {
  const tree: unknown = parseYaml(EVERYTHING);
  const junk = fc.oneof(
    fc.constantFrom<unknown>(null, "", "$", "${", "a:b:c:d", ":", "-1", 1e308, -1, 1.5, true, [], {}, [[]], [null], {
      a: null,
    }),
    fc.jsonValue({ maxDepth: 2 }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...pathsOf(tree)), junk, (path, value) => {
      const text = stringify(replaced(tree, path, value));
      expect(isAnswered(() => parse(text))).toBe(true);
      expect(isAnswered(() => proposeMirror(text.replace("x-canary:", "x-other:"), "c.yaml"))).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("a file that was cut anywhere is answered with reasons", () => {
  fc.assert(
    fc.property(fc.nat(SHOP.length - 1), (length) => {
      expect(isAnswered(() => parse(SHOP.slice(0, length)))).toBe(true);
    }),
    { numRuns: 200 },
  );
});
