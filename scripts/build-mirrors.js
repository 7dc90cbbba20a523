// Bundles the services of every mirror (mirrors/<name>/src/<service>/main.ts) into mirrors/<name>/dist, which its
// Dockerfile copies: npm needs the network and often certificates, so nothing is installed inside an image.
// Plain JavaScript, because `npm ci` runs it ("prepare") under whatever Node the machine has.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const mirrorsRoot = join(dirname(fileURLToPath(import.meta.url)), "..", "mirrors");

// gRPC packages read their .proto files at run time, two folders above the bundle that contains them.
const PROTO_SOURCES = [
  { package: "grpc-health-check", folder: "proto" },
  { package: "@grpc/reflection", folder: "build/proto/grpc", to: "grpc" },
];

const esbuild = await loadEsbuild();
if (esbuild !== undefined)
  for (const mirror of foldersOf(mirrorsRoot)) await buildMirror(esbuild, join(mirrorsRoot, mirror));

/** Absent when only production dependencies were asked for (`npm ci --omit=dev`); that must not fail the install. */
async function loadEsbuild() {
  try {
    return await import("esbuild");
  } catch (error) {
    if (error?.code !== "ERR_MODULE_NOT_FOUND") throw error;
    console.error(
      "build-mirrors: esbuild is not installed, so the mirrors' services are not bundled; run `npm ci` for that",
    );
    return undefined;
  }
}

async function buildMirror({ build }, root) {
  const services = foldersOf(join(root, "src")).filter((name) => existsSync(join(root, "src", name, "main.ts")));
  if (services.length === 0) return;
  const dist = join(root, "dist");
  rmSync(dist, { recursive: true, force: true });
  await build({
    entryPoints: services.map((name) => ({ in: join(root, "src", name, "main.ts"), out: `${name}/main` })),
    outdir: join(dist, "services"),
    outExtension: { ".js": ".cjs" },
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    minifySyntax: true,
    legalComments: "none",
    // Optional native speed-up of pg; the pure JavaScript client is the one we use.
    external: ["pg-native"],
    logLevel: "warning",
  });
  copyProtos(root, dist);
}

function copyProtos(root, dist) {
  if (!existsSync(join(root, "proto"))) return;
  const protoDist = join(dist, "proto");
  mkdirSync(protoDist, { recursive: true });
  cpSync(join(root, "proto"), protoDist, { recursive: true });
  for (const source of PROTO_SOURCES) {
    const from = join(dirname(require.resolve(`${source.package}/package.json`)), source.folder);
    cpSync(from, join(protoDist, source.to ?? ""), { recursive: true });
  }
}

function foldersOf(path) {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}
