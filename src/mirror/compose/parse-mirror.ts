import { basename } from "node:path";
import { type DocumentSource, readDocument } from "../../core/document.ts";
import { LIMITS } from "../../core/limits.ts";
import type { MirrorSpec, ServiceSpec } from "../mirror-spec.ts";
import { checkDependencies, checkXCanary, type KnownNames } from "./check-references.ts";
import { ComposeSchema, type WrittenCompose } from "./compose-schema.ts";
import { isMapping, NameSchema } from "./compose-value.ts";
import { type InterpolationScope, interpolateTree } from "./interpolate.ts";
import type { MirrorScope } from "./mirror-scope.ts";
import { type Problem, parseAt, problemsError, type Report } from "./problem.ts";
import { resolveService } from "./resolve-service.ts";
import { ServiceSchema, type WrittenService } from "./service-schema.ts";
import { resolveXCanary, XCanarySchema } from "./x-canary.ts";

/** What `parseMirror` needs from outside. `inspectPath` and `onVariable` are for the caller that has a file system. */
export interface ParseMirrorOptions extends Pick<MirrorScope, "baseDir" | "readEnvFile"> {
  /** Variables for interpolation. */
  readonly environment: Readonly<Record<string, string>>;
  readonly inspectPath?: MirrorScope["inspectPath"];
  readonly onVariable?: InterpolationScope["onVariable"];
}

/**
 * Reads a Compose file with `x-canary`: the subset of docs/mirrors.md, variables replaced, services with profiles left out.
 * Nothing is read but the text and, through `readEnvFile`, its env files.
 * @param source - where the text came from, for messages only
 * @throws CanaryError MIRROR_INVALID listing every problem with its line and path
 */
export function parseMirror(text: string, source: string, options: ParseMirrorOptions): Omit<MirrorSpec, "sha256"> {
  const documentSource: DocumentSource = {
    source,
    what: "a mirror (Compose file with x-canary)",
    code: "MIRROR_INVALID",
  };
  const document = readDocument(text, documentSource);
  const problems: Problem[] = [];
  const report: Report = (path, message) => void problems.push({ path, message });
  const scope: MirrorScope = {
    baseDir: options.baseDir,
    variables: options.environment,
    readEnvFile: options.readEnvFile,
    inspectPath: options.inspectPath ?? (() => undefined),
    onVariable: options.onVariable ?? (() => undefined),
    report,
  };
  const spec = interpret(document.value, source, scope);
  if (problems.length > 0 || spec === undefined) throw problemsError(problems, document, documentSource);
  return spec;
}

function interpret(root: unknown, source: string, scope: MirrorScope): Omit<MirrorSpec, "sha256"> | undefined {
  if (!isMapping(root) || !isMapping(root["services"])) {
    scope.report(["services"], "is missing; this is not a Compose file");
    return undefined;
  }
  const { raised, known } = chooseServices(root["services"], scope.report);
  const tree = interpolateTree({ ...root, services: raised }, scope, scope.report);
  if (!isMapping(tree) || !isMapping(tree["services"])) return undefined;
  const { services: writtenServices, "x-canary": writtenCanary, ...rest } = tree;
  const compose = parseAt(ComposeSchema, rest, [], scope.report);
  const parsed = parseServices(writtenServices, scope.report);
  const services = resolveServices(parsed, compose, scope);
  checkDependencies(services, known, scope.report);
  if (writtenCanary === undefined || writtenCanary === null) {
    scope.report(["x-canary"], `is missing; \`canary init ${source}\` proposes one`);
    return undefined;
  }
  const canary = parseAt(XCanarySchema, writtenCanary, ["x-canary"], scope.report);
  if (canary === undefined || compose === undefined) return undefined;
  checkXCanary(canary, known, scope.report);
  const resolved = resolveXCanary(canary, services, scope);
  return {
    name: compose.name ?? nameOfFolder(scope.baseDir),
    baseDir: scope.baseDir,
    services: [...services.values()].map((service) => withoutLeftOut(service, known)),
    ...resolved,
    fidelity: [...resolved.fidelity, ...derivedFidelity(parsed, compose)],
  };
}

/** Services with profiles are only started on demand in Compose, so a twin does not have them. */
function chooseServices(
  services: Readonly<Record<string, unknown>>,
  report: Report,
): { raised: Readonly<Record<string, unknown>>; known: KnownNames } {
  const entries = Object.entries(services).filter(([name]) => !name.startsWith("x-"));
  const hasProfiles = (written: unknown): boolean =>
    isMapping(written) && Array.isArray(written["profiles"]) && written["profiles"].length > 0;
  const raised = entries.filter(([, written]) => !hasProfiles(written));
  const leftOut = entries.filter(([, written]) => hasProfiles(written)).map(([name]) => name);
  if (raised.length === 0) report(["services"], "has no service without profiles");
  if (raised.length > LIMITS.mirrorServicesMax) {
    report(
      ["services"],
      `has ${raised.length} services; two twins share one machine, at most ${LIMITS.mirrorServicesMax}`,
    );
  }
  return { raised: Object.fromEntries(raised), known: { services: raised.map(([name]) => name), leftOut } };
}

/** A service as far as it can be read; `isWhole` is false when keys with problems were taken out of it. */
interface ReadService {
  readonly written: WrittenService;
  readonly isWhole: boolean;
}

function parseServices(services: Readonly<Record<string, unknown>>, report: Report): ReadonlyMap<string, ReadService> {
  const read = new Map<string, ReadService>();
  for (const [name, value] of Object.entries(services)) {
    const path = ["services", name];
    parseAt(NameSchema, name, path, report);
    const bad = new Set<PropertyKey | undefined>();
    const written = parseAt(ServiceSchema, value, path, (at, message) => {
      bad.add(at[path.length]);
      report(at, message);
    });
    if (written !== undefined) read.set(name, { written, isWhole: true });
    if (written !== undefined || !isMapping(value)) continue;
    // What is right is still resolved, so that a bad mount and a bad command are told in one go.
    const rest = Object.entries(value).filter(([key]) => !bad.has(key));
    const partial = ServiceSchema.safeParse({ image: "unreadable", ...Object.fromEntries(rest) });
    if (partial.success) read.set(name, { written: partial.data, isWhole: false });
  }
  return read;
}

function resolveServices(
  read: ReadonlyMap<string, ReadService>,
  compose: WrittenCompose | undefined,
  scope: MirrorScope,
): ReadonlyMap<string, ServiceSpec> {
  const resolved = new Map<string, ServiceSpec>();
  if (compose === undefined) return resolved;
  for (const [name, { written, isWhole }] of read) {
    checkNetworks(Object.keys(written.networks ?? {}), compose, ["services", name, "networks"], scope.report);
    const service = resolveService({ name, written, compose }, scope);
    if (isWhole) resolved.set(name, service);
  }
  return resolved;
}

function checkNetworks(
  joined: readonly string[],
  compose: WrittenCompose,
  path: readonly PropertyKey[],
  report: Report,
): void {
  for (const network of joined) {
    if (network === "default" || Object.hasOwn(compose.networks, network)) continue;
    report(path, `network "${network}" is not declared under the top-level networks`);
  }
}

function withoutLeftOut(service: ServiceSpec, known: KnownNames): ServiceSpec {
  return { ...service, dependsOn: service.dependsOn.filter(({ service: name }) => known.services.includes(name)) };
}

/** What a twin does differently from `docker compose up`, so that the verdict says it. */
function derivedFidelity(read: ReadonlyMap<string, ReadService>, compose: WrittenCompose): readonly string[] {
  const networks = Object.keys(compose.networks).filter((network) => network !== "default");
  const shared = networks.length > 1 ? ["all services share one network; the file separates them"] : [];
  const writable = [...read].flatMap(([name, { written }]) =>
    written.volumes.flatMap((mount) => (mount.kind === "bind" && !mount.readOnly ? [`${name}:${mount.target}`] : [])),
  );
  return [...shared, ...writable.map((mount) => `${mount} is mounted read-only, the file lets it be written`)];
}

function nameOfFolder(baseDir: string): string {
  const name = basename(baseDir)
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, "")
    .replace(/^[_-]+/, "");
  return name === "" ? "mirror" : name;
}
