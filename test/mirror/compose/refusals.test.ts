import { expect, test } from "vitest";
import { composeWith, problemsIn } from "./compose-document.ts";

/** `app` starts on line 4 of the document, `top` on line 4 when there is no `app`. */
function check(document: string, place: string, reason: string): void {
  const problems = problemsIn(document);
  expect(problems).toEqual([expect.stringContaining(reason)]);
  expect(problems[0]).toMatch(new RegExp(`^compose\\.yaml:${place} `));
}

test.each([
  ["privileged: true", "4:5", "reaches into this machine"],
  ["network_mode: host", "4:5", "leave the twin's own network"],
  ["network_mode: 'container:x'", "4:5", "leave the twin's own network"],
  ["pid: host", "4:5", "shares processes"],
  ["ipc: host", "4:5", "shares memory"],
  ["uts: host", "4:5", "shares the host name"],
  ["userns_mode: host", "4:5", "user isolation"],
  ["cgroup_parent: x", "4:5", "resource isolation"],
  ["devices:\n      - /dev/kvm:/dev/kvm", "4:5", "opens devices"],
  ["gpus: all", "4:5", "opens devices"],
  ["container_name: app", "4:5", "two twins"],
  ["volumes_from: [other]", "4:5", "shares volumes by container"],
  ["extends: { service: other }", "4:5", "not supported"],
  ["runtime: runsc", "4:5", "not supported"],
  ["dns: 8.8.8.8", "4:5", "name servers outside"],
  ["init: true\n    privilege: true", "5:5", "is not a key that a mirror understands"],
  ["cap_add: [CHOWN, SYS_ADMIN]", "4:22", "harmless are"],
  ["cap_add:\n      - CAP_NET_ADMIN", "5:9", "harmless are"],
  ["cap_add: [ALL]", "4:15", "harmless are"],
  ["security_opt: [seccomp:unconfined]", "4:20", "weakens the isolation"],
  ["security_opt: ['no-new-privileges:false']", "4:20", "weakens the isolation"],
  ["sysctls: { kernel.panic: 1 }", "4:16", "whole machine"],
  ["extra_hosts: ['host:host-gateway']", "4:5", "leads to this machine"],
  ["extra_hosts: [nothing]", "4:5", "not a host name and an IP address"],
  ["labels: { dev.canary.run: mine }", "4:5", "reserved"],
  ["labels: ['com.docker.compose.project=x']", "4:5", "reserved"],
  ["volumes: ['/etc:/etc:ro']", "4:15", "outside the mirror's folder"],
  ["volumes: ['../other:/x']", "4:15", "outside the mirror's folder"],
  ["volumes: ['./a/../../other:/x']", "4:15", "outside the mirror's folder"],
  ["volumes: ['~/x:/x']", "4:15", "home folder"],
  ["volumes: ['/var/run/docker.sock:/var/run/docker.sock']", "4:15", "container engine itself"],
  ["volumes: [{ type: bind, source: /, target: /host }]", "4:15", "outside the mirror's folder"],
  [
    "volumes: [{ type: bind, source: ./x, target: /x, bind: { propagation: shared } }]",
    "4:62",
    "mounts of the container",
  ],
  ["volumes: [{ type: npipe, source: x, target: /x }]", "4:17", "not volume, bind or tmpfs"],
  ["volumes: ['data:/data']", "4:15", "not declared"],
  ["volumes: ['data:/data:rx']", "4:15", "not a mount"],
  ["volumes: ['/a', '/a/']", "2:3", "mounts two things at /a"],
  ["env_file: ../secrets.env", "4:15", "outside the mirror's folder"],
  ["env_file: missing.env", "4:15", "does not exist"],
  ["secrets: [token]", "4:15", "not declared"],
  ["networks: [other]", "4:5", "not declared"],
  ["networks: { default: { ipv4_address: 10.0.0.2 } }", "4:28", "chosen per twin"],
  ["depends_on: [db]", "4:5", "is not a service of this file"],
  ["depends_on: [app]", "4:5", "circle: app -> app"],
  ["ports: ['80:nope']", "4:13", "is not a port"],
  ["ports: ['0']", "4:13", "is not a port"],
  ["ports: ['1-65535']", "4:13", "is not a port"],
  ["expose: ['8080:80']", "4:14", "is not a container port"],
  ["command: 'say \"hello'", "4:5", "does not end"],
  ["mem_limit: lots", "4:5", "is not a size"],
  ["mem_limit: 1k", "4:5", "at least 4m"],
  ["cpus: 0", "4:5", "is not a number from"],
  ["scale: 1000", "4:5", "is not a whole number from"],
  ["scale: 2\n    deploy: { replicas: 3 }", "4:5", "contradicts"],
  ["deploy: { mode: global }", "4:15", "must be replicated"],
  ["deploy: { resources: { reservations: { devices: [{ capabilities: [gpu] }] } } }", "4:44", "opens devices"],
  ["stop_grace_period: soon", "4:5", "is not a duration"],
  ["stop_grace_period: 25h", "4:5", "is not a duration"],
  ["healthcheck: { interval: 1s }", "4:5", "needs a test"],
  ["healthcheck: { test: [pg_isready] }", "4:20", "CMD"],
  ["environment: { 'A B': c }", "4:20", "without spaces"],
  ["environment: ['A B=c']", "4:5", "without spaces"],
  ["build: https://example.com/x.git", "4:5", "fetched from elsewhere"],
  ["build: { context: .. }", "4:14", "outside the mirror's folder"],
  ["build: { dockerfile: ../Dockerfile }", "4:14", "outside the mirror's folder"],
  ["build: { context: ., ssh: [default] }", "4:26", "keys of this machine"],
  ["build: { context: ., network: host }", "4:26", "reaches into this machine"],
  ["user: $USER_ID", "4:5", "variable USER_ID is not set"],
  ["user: ${USER_ID:?say who}", "4:5", "required: say who"],
  ["command: echo $1", "4:5", "write $$ for $"],
])("a service with `%s` is refused at its line", (line, place, reason) => {
  check(composeWith({ app: `    ${line}` }), place, reason);
});

test.each([
  ["volumes: { data: { external: true } }", "4:20", "outside the mirror"],
  ["volumes: { data: { driver: nfs } }", "4:20", "must be local"],
  ["volumes: { data: { driver_opts: { type: none, o: bind, device: /etc } } }", "4:20", "any path of this machine"],
  ["networks: { default: { external: true } }", "4:24", "outside the mirror"],
  ["networks: { front: { driver: macvlan } }", "4:22", "must be bridge"],
  ["networks: { front: { ipam: {} } }", "4:22", "fixes addresses"],
  ["secrets: { token: { environment: TOKEN, file: ./t } }", "4:21", "comes from outside"],
  ["configs: { c: { external: true, file: ./t } }", "4:17", "outside the mirror"],
  ["include: [other.yaml]", "4:1", "one Compose file"],
  ["servces: {}", "4:1", "is not a key that a mirror understands"],
  ["name: Not A Name", "4:1", "lower-case letters"],
])("a file with `%s` is refused at its line", (line, place, reason) => {
  check(composeWith({ top: line }), place, reason);
});

const canary = (fields: string): string =>
  composeWith({ canary: `x-canary:\n  schema: canary.mirror/v1\n  ${fields}` });
const entry = "entry: { http: 'app:80' }";

test.each([
  ["entry: {}", "6:3", "needs http or grpc"],
  ["entry: { http: app }", "6:12", "is not a service and a port"],
  ["entry: { http: 'app:70000' }", "6:12", "is not a service and a port"],
  ["entry: { http: 'web:80' }", "6:12", '"web" is not a service'],
  [`${entry}\n  state: [{ service: app, kind: mysql }]`, "7:27", "nvalid"],
  [`${entry}\n  state: [{ service: app, kind: postgres }]`, "7:11", "needs a password"],
  [`${entry}\n  state: [{ service: db, kind: redis }]`, "7:13", '"db" is not a service'],
  [`${entry}\n  state: [{ service: app, kind: redis }, { service: app, kind: redis }]`, "7:44", "named twice"],
  [`${entry}\n  state: [{ service: app, kind: redis }]\n  background: [app]`, "8:16", "holds state"],
  [`${entry}\n  metrics: [{ service: nobody }]`, "7:15", '"nobody" is not a service'],
  [`${entry}\n  stubs: [{ host: Pay.example, handlers: x.ts }]`, "7:13", "lower-case host name"],
  [`${entry}\n  stubs: [{ host: app, handlers: x.ts }]`, "7:13", "is a service of the mirror"],
  [`${entry}\n  stubs: [{ host: pay.example, handlers: ../x.ts }]`, "7:32", "outside the mirror's folder"],
  [`${entry}\n  background: [app, app]`, "7:21", "named twice"],
  [`${entry}\n  flags: [{ service: nobody, path: /f.json }]`, "7:13", "not a service"],
  [`${entry}\n  flags: [{ service: app, path: f.json }]`, "7:27", "absolute path"],
  [`${entry}\n  flags: [{ service: app, path: /f }, { service: app, path: /f }]`, "7:39", "named twice"],
  [`${entry}\n  fidelty: []`, "7:3", "is not a key that a mirror understands"],
])("an x-canary with `%s` is refused at its line", (fields, place, reason) => check(canary(fields), place, reason));

test("a Compose file without x-canary names the command that proposes one", () => {
  check(composeWith({ canary: "" }), "1:1", "`canary init compose.yaml` proposes one");
});

test("all problems of a file are told at once, in the order of its lines", () => {
  const problems = problemsIn(
    [
      "services:",
      "  app:",
      "    image: app:1",
      "    privileged: true",
      "    volumes: ['/:/host']",
      "  db:",
      "    imagee: db:1",
      "    depends_on: [cache]",
      "volumes: { data: { external: true } }",
      "x-canary: { schema: canary.mirror/v2, entry: { http: 'app:80' } }",
    ].join("\n"),
  );
  expect(problems.map((problem) => problem.split(":")[1])).toEqual(["4", "7", "9", "10"]);
});

test("a service with one bad key still tells what is wrong with its others", () => {
  const problems = problemsIn(
    composeWith({
      app: "    command: 'a \"b'\n    volumes: ['/:/host']\n    environment: 5\n    user: [x]\n    healthcheck: 7",
    }),
  );
  expect(problems).toEqual([
    expect.stringContaining("compose.yaml:4:5 services.app.command: has a quote or an escape that does not end"),
    expect.stringContaining('compose.yaml:5:15 services.app.volumes[0]: "/" lies outside'),
    expect.stringContaining("compose.yaml:6:5 services.app.environment: "),
    expect.stringContaining("compose.yaml:7:5 services.app.user: must be a text or a number"),
    expect.stringContaining("compose.yaml:8:5 services.app.healthcheck: must be a mapping"),
  ]);
});

test("a circle of dependencies is told once, with its way", () => {
  const services = ["a", "b", "c"].map((name, index, all) => {
    return `  ${name}: { image: x, depends_on: [${all[(index + 1) % all.length]}] }`;
  });
  const problems = problemsIn(
    ["services:", ...services, "x-canary: { schema: canary.mirror/v1, entry: { http: 'a:80' } }"].join("\n"),
  );
  expect(problems).toEqual([
    expect.stringContaining("compose.yaml:2:18 services.a.depends_on: goes round in a circle: a -> b -> c -> a"),
  ]);
});

test("more services than a machine can twin are refused", () => {
  const services = Array.from({ length: 41 }, (_, index) => `  s${index}: { image: x }`);
  const document = ["services:", ...services, "x-canary: { schema: canary.mirror/v1, entry: { http: 's0:80' } }"].join(
    "\n",
  );
  expect(problemsIn(document)).toEqual([expect.stringContaining("has 41 services")]);
});

test.each([
  ["truncated YAML", "services: { app: { image: x", /compose\.yaml:1:\d+ /],
  [
    "a key said twice",
    "services:\n  app: { image: x }\n  app: { image: y }\n",
    /compose\.yaml:3:\d+ Map keys must be unique/,
  ],
  ["a document that is a list", "- a\n- b\n", /is missing; this is not a Compose file/],
  ["an empty document", "", /is missing; this is not a Compose file/],
  ["tabs for indentation", "services:\n\tapp: {}\n", /compose\.yaml:2:1 /],
])("%s is refused with its place", (_, text, expected) => {
  expect(problemsIn(text).join("\n")).toMatch(expected);
});

test("an alias bomb is refused before it is expanded", () => {
  const levels = Array.from({ length: 9 }, (_, level) => `x-${level + 1}: &a${level + 1} [${`*a${level},`.repeat(9)}]`);
  const text = ["x-0: &a0 [lol]", ...levels, composeWith({})].join("\n");
  expect(problemsIn(text)).toEqual([expect.stringContaining("50")]);
});

test("a huge document is refused by its size", () => {
  expect(problemsIn(`${composeWith({})}# ${"x".repeat(1024 * 1024)}`)).toEqual([
    expect.stringContaining("1048576 bytes"),
  ]);
});
