import { expect, test } from "vitest";
import type { ServiceSpec } from "../../../src/mirror/mirror-spec.ts";
import { composeWith, parse, problemsIn } from "./compose-document.ts";

type Given = Parameters<typeof parse>[1];

/** The service `app` that these lines (indented by four) give. */
function app(lines: string, parts: { top?: string } & Given = {}): ServiceSpec | undefined {
  const { top, ...given } = parts;
  return parse(composeWith({ app: lines.replace(/^/gm, "    "), ...(top === undefined ? {} : { top }) }), given)
    .services[0];
}

test("a service without settings gets Docker's defaults", () => {
  expect(app("restart: always")).toEqual({
    name: "app",
    image: { kind: "image", reference: "app:1" },
    environment: {},
    ports: [],
    mounts: [],
    dependsOn: [],
    capAdd: [],
    capDrop: [],
    readOnlyRoot: false,
    ulimits: [],
    init: false,
    stopGraceMs: 10_000,
    replicas: 1,
    labels: {},
    extraHosts: [],
    securityOpt: [],
    sysctls: {},
    aliases: [],
  });
});

test.each([
  ["echo hello", ["echo", "hello"]],
  [`"sh -c 'echo \\"a b\\"  c'"`, ["sh", "-c", 'echo "a b"  c']],
  [`'printf "a\\"b" c\\ d'`, ["printf", 'a"b', "c d"]],
  [`["redis-server", "--save", ""]`, ["redis-server", "--save", ""]],
  [`redis-server --save ""`, ["redis-server", "--save", ""]],
])("command %s becomes words as in a shell", (command, words) => {
  expect(app(`command: ${command}`)?.command).toEqual(words);
});

test.each([
  ["8080", [8080]],
  ["'8080:80'", [80]],
  ["'127.0.0.1:8001:8001'", [8001]],
  ["'127.0.0.1::5000'", [5000]],
  ["'[::1]:8080:80'", [80]],
  ["'9090-9091:8080-8081'", [8080, 8081]],
  ["'6060:6060/udp'", []],
  ["'6060:6060/tcp'", [6060]],
  ["{ target: 80, published: '8080', host_ip: 127.0.0.1, protocol: tcp, mode: host }", [80]],
])("port %s is container port %j", (port, expected) => {
  expect(app(`ports: [${port}]`)?.ports).toEqual(expected);
});

test("exposed and published ports are one list without repetition", () => {
  expect(app("ports: ['8080:80']\nexpose: [80, '9100-9101']")?.ports).toEqual([80, 9100, 9101]);
});

test.each([
  ["volumes: ['data:/data:ro']", { kind: "volume", volume: "data", target: "/data", readOnly: true }],
  ["volumes: ['/cache']", { kind: "volume", volume: "anonymous.app.0", target: "/cache", readOnly: false }],
  ["volumes: ['./conf:/conf:ro,z']", { kind: "bind", sourcePath: "/mirror/conf", target: "/conf", readOnly: true }],
  ["volumes: ['.:/all']", { kind: "bind", sourcePath: "/mirror", target: "/all", readOnly: true }],
  [
    "volumes: [{ type: volume, source: data, target: /d, volume: { nocopy: true } }]",
    { kind: "volume", volume: "data", target: "/d", readOnly: false },
  ],
  [
    "volumes: [{ type: bind, source: /mirror/x, target: /x, read_only: true }]",
    { kind: "bind", sourcePath: "/mirror/x", target: "/x", readOnly: true },
  ],
  [
    "volumes: [{ type: tmpfs, target: /t, tmpfs: { size: 1m } }]",
    { kind: "tmpfs", target: "/t", sizeBytes: 1_048_576 },
  ],
  ["tmpfs: /run", { kind: "tmpfs", target: "/run" }],
  ["tmpfs: ['/run:size=64m,mode=1777']", { kind: "tmpfs", target: "/run", sizeBytes: 67_108_864 }],
  ["shm_size: 64mb", { kind: "tmpfs", target: "/dev/shm", sizeBytes: 67_108_864 }],
  ["secrets: [token]", { kind: "bind", sourcePath: "/mirror/token.txt", target: "/run/secrets/token", readOnly: true }],
  [
    "configs: [{ source: settings, target: /etc/app.conf }]",
    { kind: "bind", sourcePath: "/mirror/app.conf", target: "/etc/app.conf", readOnly: true },
  ],
])("%s is mounted as %o", (lines, mount) => {
  const top =
    "volumes: { data: }\nsecrets: { token: { file: ./token.txt } }\nconfigs: { settings: { file: app.conf } }";
  expect(app(lines, { top })?.mounts).toEqual([mount]);
});

test("a writable bind mount becomes read-only, and the verdict will say so", () => {
  const spec = parse(composeWith({ app: "    volumes: ['./data:/data']" }));
  expect(spec.services[0]?.mounts).toEqual([
    { kind: "bind", sourcePath: "/mirror/data", target: "/data", readOnly: true },
  ]);
  expect(spec.fidelity).toEqual(["app:/data is mounted read-only, the file lets it be written"]);
});

test("several networks become one, and the verdict will say so", () => {
  const spec = parse(
    composeWith({ app: "    networks: { front: { aliases: [www] }, back: }", top: "networks: { front: , back: }" }),
  );
  expect(spec.services[0]?.aliases).toEqual(["www"]);
  expect(spec.fidelity).toEqual(["all services share one network; the file separates them"]);
});

test("environment wins over env files, later files over earlier ones", () => {
  const files = {
    "/mirror/a.env": "A=1\nB=from-a # note\nexport C='it''s'\nD=\"two\\nlines $B\"\nE\n#F=1\n\nG=${B:-x}/y\nH=a#b\n",
    "/mirror/b.env": "B=from-b\r\nX=\r\n",
  };
  const service = app(
    "env_file: [a.env, { path: b.env }, { path: none.env, required: false }]\nenvironment: [A=2, OUTER]",
    {
      files: { ...files, "/mirror/a.env": files["/mirror/a.env"].replace("'it''s'", "'it is $B'") },
      environment: { OUTER: "from outside", E: "e" },
    },
  );
  expect(service?.environment).toEqual({
    A: "2",
    B: "from-b",
    C: "it is $B",
    D: "two\nlines from-a",
    E: "e",
    G: "from-a/y",
    H: "a#b",
    OUTER: "from outside",
    X: "",
  });
});

test("what is wrong in an env file is told with its line", () => {
  const problems = problemsIn(composeWith({ app: "    env_file: a.env" }), {
    files: { "/mirror/a.env": "A=1\nnot a line\nB=$NOPE\n" },
  });
  expect(problems).toEqual([
    expect.stringContaining("a.env:2 is not NAME=value"),
    expect.stringContaining("a.env:3 variable NOPE is not set"),
  ]);
});

test("environment values may be numbers, booleans and empty", () => {
  expect(app("environment: { A: 1, B: true, C: 1.5, D: , E: '' }")?.environment).toEqual({
    A: "1",
    B: "true",
    C: "1.5",
    E: "",
  });
});

test("dependencies, health check, limits and the rest are read in every form", () => {
  const text = [
    "services:",
    "  app:",
    "    build: { context: ./app, dockerfile: Dev.Dockerfile, target: dev, args: [VERSION=1, OUTER] }",
    "    depends_on: { db: { condition: service_healthy, restart: true }, gone: { required: false } }",
    "    healthcheck: { test: curl -f localhost, interval: 1m30s, timeout: 500ms, retries: 5, start_period: 2s }",
    "    deploy: { replicas: 2, resources: { limits: { cpus: '0.5', memory: 64M, pids: 50 }, reservations: { memory: 1M } } }",
    "    ulimits: { nofile: 1024, nproc: { soft: 10, hard: 20 } }",
    "    cap_add: [CAP_NET_BIND_SERVICE]",
    "    cap_drop: [all]",
    "    security_opt: ['no-new-privileges:true']",
    "    extra_hosts: ['a.example:127.0.0.1', 'b.example=[::1]']",
    "    sysctls: { net.core.somaxconn: 1024 }",
    "    labels: [team=shop]",
    "    user: 1000",
    "    working_dir: /srv",
    "    stop_signal: SIGINT",
    "    stop_grace_period: 1m",
    "    x-anything: { goes: here }",
    "  db: { image: db, healthcheck: { disable: true }, ipc: private }",
    "  debug: { image: tools, profiles: [debug], privileged: true }",
    "x-canary: { schema: canary.mirror/v1, entry: { grpc: 'app:80' } }",
  ].join("\n");
  const spec = parse(text, { environment: { OUTER: "o" } });
  expect(spec.services.map(({ name }) => name)).toEqual(["app", "db"]);
  expect(spec.services[0]).toMatchObject({
    image: {
      kind: "build",
      contextDir: "/mirror/app",
      dockerfile: "Dev.Dockerfile",
      target: "dev",
      args: { VERSION: "1", OUTER: "o" },
    },
    dependsOn: [{ service: "db", condition: "service_healthy", required: true }],
    healthcheck: {
      test: ["CMD-SHELL", "curl -f localhost"],
      intervalMs: 90_000,
      timeoutMs: 500,
      retries: 5,
      startPeriodMs: 2000,
    },
    replicas: 2,
    cpus: 0.5,
    memoryBytes: 67_108_864,
    pidsMax: 50,
    ulimits: [
      { name: "nofile", soft: 1024, hard: 1024 },
      { name: "nproc", soft: 10, hard: 20 },
    ],
    capAdd: ["NET_BIND_SERVICE"],
    capDrop: ["ALL"],
    securityOpt: ["no-new-privileges:true"],
    extraHosts: ["a.example:127.0.0.1", "b.example:::1"],
    sysctls: { "net.core.somaxconn": "1024" },
    labels: { team: "shop" },
    user: "1000",
    workingDir: "/srv",
    stopSignal: "SIGINT",
    stopGraceMs: 60_000,
  });
  expect(spec.services[1]).not.toHaveProperty("healthcheck");
});

test("x-canary takes what it does not say from the services", () => {
  const text = [
    "name: my-shop",
    "services:",
    "  api: { image: api, ports: ['8080:80', '8081:81'] }",
    "  worker: { image: api, expose: [9100] }",
    "  db: { image: postgres, environment: { POSTGRES_USER: u, POSTGRES_PASSWORD: p } }",
    "  open: { image: postgres, environment: { POSTGRES_HOST_AUTH_METHOD: trust, POSTGRES_DB: d } }",
    "  cache: { image: redis }",
    "x-canary:",
    "  schema: canary.mirror/v1",
    "  entry: { http: 'api:80' }",
    "  state: [{ service: db, kind: postgres }, { service: open, kind: postgres }, { service: cache, kind: redis }]",
    "  metrics: [{ service: api }, { service: worker, path: /m }]",
    "  stubs: [{ host: pay.example, handlers: stubs/pay.ts }]",
    "  flags: [{ service: api, path: /flags/shop.json }]",
    "  background: [worker]",
    "  fidelity: [small]",
  ].join("\n");
  const { services: _, ...rest } = parse(text);
  expect(rest).toEqual({
    name: "my-shop",
    baseDir: "/mirror",
    entry: { http: { service: "api", port: 80 } },
    state: [
      { kind: "postgres", service: "db", port: 5432, user: "u", password: "p", database: "u" },
      { kind: "postgres", service: "open", port: 5432, user: "postgres", password: "", database: "d" },
      { kind: "redis", service: "cache", port: 6379 },
    ],
    metrics: [
      { service: "api", port: 80, path: "/metrics" },
      { service: "worker", port: 9100, path: "/m" },
    ],
    stubs: [{ host: "pay.example", handlersPath: "/mirror/stubs/pay.ts" }],
    flags: [{ service: "api", path: "/flags/shop.json" }],
    background: ["worker"],
    fidelity: ["small"],
  });
});

test("anchors and merge keys are followed", () => {
  const text = [
    "x-base: &base { image: app:1, environment: { A: '1' } }",
    "services: { app: { <<: *base, init: true } }",
    "x-canary: { schema: canary.mirror/v1, entry: { http: 'app:80' } }",
  ].join("\n");
  expect(parse(text).services[0]).toMatchObject({ environment: { A: "1" }, init: true });
});
