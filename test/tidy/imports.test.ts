import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** The table of DESIGN.md 1, in order: a folder may import itself and those before it. */
const ORDER = [
  "core",
  "plan",
  "policy",
  "runbook",
  "mirror",
  "replay",
  "measure",
  "judge",
  "attest",
  "ledger",
  "report",
  "run",
  "gate",
  "cli",
] as const;
/** Pure rooms take values and return values; they may name the types of rooms with effects, never their values. */
const PURE = new Set(["core", "plan", "policy", "measure", "judge"]);
const EFFECTS = new Set(["mirror", "replay", "ledger", "report", "run", "gate", "cli"]);
/** Each third-party package has one home; replacing it is a change in one folder. */
const HOME: Readonly<Record<string, readonly string[]>> = {
  testcontainers: ["mirror"],
  msw: ["mirror"],
  "tar-stream": ["mirror"],
  pg: ["mirror", "ledger"],
  redis: ["mirror"],
  undici: ["replay"],
  diff: ["replay"],
  rfc6902: ["replay"],
  "@openfeature/flagd-core": ["replay"],
  "@grpc/grpc-js": ["replay"],
  "@grpc/proto-loader": ["replay"],
  echarts: ["report"],
  "log-update": ["report"],
  "prom-client": ["report", "gate"],
  standardwebhooks: ["report", "gate"],
  commander: ["cli"],
  yaml: ["core"],
  "libpg-query": ["policy"],
  "@cedar-policy/cedar-wasm": ["policy"],
  canonicalize: ["attest"],
  "@simplewebauthn/server": ["gate"],
  "openid-client": ["gate"],
};

interface Import {
  readonly file: string;
  readonly folder: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

const imports = globSync("src/*/**/*.ts").flatMap((file): readonly Import[] =>
  [
    ...readFileSync(file, "utf8").matchAll(/^(?:import|export)( type)? [^;]*?from "([^"]+)"|\bimport\("([^"]+)"\)/gm),
  ].map(([, type, fromStatic, fromDynamic]) => ({
    file,
    folder: file.split("/")[1] ?? "",
    target: fromStatic ?? fromDynamic ?? "",
    typeOnly: type !== undefined,
  })),
);
const between = imports.flatMap((entry) => {
  const target = /^(?:\.\.\/)+([a-z]+)\//.exec(entry.target)?.[1];
  return target === undefined || !(ORDER as readonly string[]).includes(target) ? [] : [{ ...entry, room: target }];
});

test("the source has imports to look at", () => expect(imports.length).toBeGreaterThan(100));

test("every folder imports only itself and the folders before it", () => {
  const rank = (folder: string): number => (ORDER as readonly string[]).indexOf(folder);
  const offences = between.filter(({ folder, room }) => rank(room) > rank(folder));
  expect(offences.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
});

test("every folder of src has its place in the order", () => {
  const folders = new Set(globSync("src/*/**/*.ts").map((file) => file.split("/")[1]));
  expect([...folders].filter((folder) => !(ORDER as readonly (string | undefined)[]).includes(folder))).toEqual([]);
});

test("neither run nor gate knows the other", () => {
  const offences = between.filter(({ folder, room }) => folder === "gate" && room === "run");
  expect(offences.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
});

/** Loads a module of WebAssembly again, which only the loader of modules can. */
const LOADS_A_MODULE = "src/policy/sql/grammar-instance.ts imports node:module";

test("pure folders take only types from folders with effects, and no node module but crypto", () => {
  const offences = [
    ...between.filter(({ folder, room, typeOnly }) => PURE.has(folder) && EFFECTS.has(room) && !typeOnly),
    ...imports.filter(
      ({ file, folder, target }) =>
        PURE.has(folder) &&
        target.startsWith("node:") &&
        target !== "node:crypto" &&
        `${file} imports ${target}` !== LOADS_A_MODULE,
    ),
  ];
  expect(offences.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
});

test("every third-party package stays in its home folder", () => {
  const offences = imports.filter(({ folder, target }) => {
    const homes = HOME[target.startsWith("@") ? target.split("/").slice(0, 2).join("/") : (target.split("/")[0] ?? "")];
    return homes !== undefined && !homes.includes(folder);
  });
  expect(offences.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
});
