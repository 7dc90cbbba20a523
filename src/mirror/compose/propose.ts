import { readDocument } from "../../core/document.ts";
import { CanaryError } from "../../core/errors.ts";
import { isMapping } from "./compose-value.ts";
import { type FirstRehearsal, planText, scenarioText } from "./propose-rehearsal.ts";
import { type SurveyedService, surveyServices } from "./survey-services.ts";

/** A first rehearsal of somebody's own stack: texts to look at and to keep. Nothing is written by `proposeMirror`. */
export interface MirrorProposal {
  /** YAML block to append to the Compose file; it starts with an empty line. */
  readonly xCanary: string;
  /** A harmless plan that undoes itself, and the scenario that rehearses it; `scenario` refers to `planFile` beside it. */
  readonly plan: string;
  readonly planFile: string;
  readonly scenario: string;
  readonly scenarioFile: string;
  /** What was guessed and what should be looked at, one sentence each. */
  readonly notes: readonly string[];
}

const POSTGRES = /^(?:postgres|postgis|pgvector|timescaledb)/;
const REDIS = /^(?:redis|valkey)/;
/** Stores, brokers and consoles: nobody's front door. */
const BACKSTAGE =
  /^(?:postg|pg|timescale|redis|valkey|keydb|memcached|mysql|mariadb|percona|mongo|cassandra|scylla|clickhouse|elastic|opensearch|rabbitmq|nats|kafka|zookeeper|redpanda|minio|etcd|consul|vault|adminer|mailhog|mailpit|jaeger|zipkin|prometheus|grafana|loki|otel)/;
const ACTS_ALONE = /worker|job|queue|cron|sched|consumer|celery|sidekiq/i;

/**
 * Proposes what turns a Compose file into a mirror, and a first plan and scenario for it.
 * @param source - path of the Compose file as the user wrote it; the scenario will stand beside it
 * @throws CanaryError MIRROR_INVALID when the file is no Compose file, is a mirror already, or publishes no port
 */
export function proposeMirror(composeText: string, source: string): MirrorProposal {
  const document = readDocument(composeText, { source, what: "a Compose file", code: "MIRROR_INVALID" });
  const root = document.value;
  if (!isMapping(root) || !isMapping(root["services"])) {
    throw refuse(`${source} is not a Compose file`, "It has no `services`.");
  }
  if (root["x-canary"] !== undefined) {
    throw refuse(
      `${document.locateKey(["x-canary"])} is x-canary already`,
      "Write a scenario for it and `canary run` that.",
    );
  }
  const services = surveyServices(root["services"]);
  const entry = services.find((service) => service.publishedPorts.length > 0 && !isBackstage(service));
  if (entry === undefined) {
    throw refuse(
      `${source} does not show where traffic goes in`,
      "Publish a port of the service that people talk to (`ports:`), or write x-canary by hand.",
    );
  }
  const fileName = source.split(/[\\/]/).at(-1) ?? source;
  const name = projectName(root["name"], source);
  const rehearsal: FirstRehearsal = {
    name,
    composeFile: fileName,
    planFile: `${name}.plan.yaml`,
    ...targetOf(services, entry),
  };
  return {
    xCanary: xCanaryText(services, entry),
    plan: planText(rehearsal),
    planFile: rehearsal.planFile,
    scenario: scenarioText(rehearsal),
    scenarioFile: `${name}.scenario.yaml`,
    notes: notesOn(services, entry, rehearsal),
  };
}

function isBackstage({ name, image }: SurveyedService): boolean {
  return BACKSTAGE.test(image) || (image === "" && /^(?:db|database|cache|redis|postgres|broker|mq)$/i.test(name));
}

function background(services: readonly SurveyedService[], entry: SurveyedService): readonly SurveyedService[] {
  return services.filter((service) => {
    return (
      service !== entry && !isBackstage(service) && service.publishedPorts.length === 0 && ACTS_ALONE.test(service.name)
    );
  });
}

/** The entry is scaled if its replicas are alike; if it keeps files, only a variable that nobody reads is set. */
function targetOf(
  services: readonly SurveyedService[],
  entry: SurveyedService,
): Pick<FirstRehearsal, "service" | "change" | "path"> {
  const stateless = [entry, ...services.filter((service) => service !== entry && !isBackstage(service))];
  const service = stateless.find(({ hasVolumes }) => !hasVolumes);
  const path = entry.healthPath ?? "/";
  return service === undefined
    ? { service: entry.name, change: "variable", path }
    : { service: service.name, change: "scale", path };
}

function xCanaryText(services: readonly SurveyedService[], entry: SurveyedService): string {
  const state = services.flatMap((service) => stateLine(service));
  const metrics = services.flatMap((service) => metricsLine(service));
  const alone = background(services, entry).map(({ name }) => JSON.stringify(name));
  return [
    "",
    "x-canary:",
    "  schema: canary.mirror/v1",
    `  entry: { http: ${JSON.stringify(`${entry.name}:${entry.publishedPorts[0]}`)} }`,
    ...(state.length > 0
      ? ["  # Stores whose content is compared, and must be the same again after an undo.", "  state:", ...state]
      : []),
    ...(metrics.length > 0 ? ["  metrics:", ...metrics] : []),
    ...(alone.length > 0
      ? [
          "  # They act without being asked, so they are frozen while state is compared.",
          `  background: [${alone.join(", ")}]`,
        ]
      : []),
    "  # What this mirror does not show; every verdict repeats it. Add what you know.",
    "  fidelity:",
    '    - "data is only what the images and files of this mirror create"',
    '    - "nothing outside this Compose file answers"',
    "",
  ].join("\n");
}

function stateLine(service: SurveyedService): readonly string[] {
  const name = JSON.stringify(service.name);
  if (REDIS.test(service.image)) return [`    - { service: ${name}, kind: redis }`];
  if (!POSTGRES.test(service.image)) return [];
  if (!needsCredentials(service)) return [`    - { service: ${name}, kind: postgres }`];
  const { environment } = service;
  const user = environment.get("POSTGRESQL_USERNAME") ?? "postgres";
  const password = environment.get("POSTGRESQL_PASSWORD") ?? "postgres";
  const database = environment.get("POSTGRESQL_DATABASE") ?? user;
  const credentials = [user, database, password].map((text) => JSON.stringify(text));
  return [
    `    - { service: ${name}, kind: postgres, user: ${credentials[0]}, database: ${credentials[1]}, password: ${credentials[2]} }`,
  ];
}

/** Whether the reader of mirrors will not find the password by itself. */
function needsCredentials({ environment, hasEnvFile }: SurveyedService): boolean {
  const isOpen = environment.get("POSTGRES_HOST_AUTH_METHOD") === "trust";
  return !environment.has("POSTGRES_PASSWORD") && !isOpen && !hasEnvFile;
}

/** Only what the file itself says: Prometheus labels, or a variable that names the port. */
function metricsLine({ name, labels, environment }: SurveyedService): readonly string[] {
  const isScraped = labels.get("prometheus.io/scrape") === "true";
  const port = isScraped ? labels.get("prometheus.io/port") : environment.get("METRICS_PORT");
  if (port === undefined || port === null || !/^\d{1,5}$/.test(port)) return [];
  const path = (isScraped ? labels.get("prometheus.io/path") : undefined) ?? "/metrics";
  return [`    - { service: ${JSON.stringify(name)}, port: ${port}, path: ${JSON.stringify(path)} }`];
}

function notesOn(
  services: readonly SurveyedService[],
  entry: SurveyedService,
  rehearsal: FirstRehearsal,
): readonly string[] {
  const guessed = services.filter((service) => POSTGRES.test(service.image) && needsCredentials(service));
  const opaque = services.filter((service) => {
    return isBackstage(service) && !POSTGRES.test(service.image) && !REDIS.test(service.image);
  });
  return [
    `Traffic goes to ${entry.name}:${entry.publishedPorts[0]}, the first published port that is no store's.`,
    `The scenario only asks GET ${rehearsal.path}; add the routes that matter to you.`,
    rehearsal.change === "scale"
      ? `The plan scales ${rehearsal.service} from 1 to 2 and back; it is the smallest change that proves the path.`
      : `The plan sets a variable of ${rehearsal.service} that nothing reads, and removes it again.`,
    ...guessed.map(({ name }) => `The credentials of ${name} are guessed: the file holds no POSTGRES_PASSWORD.`),
    ...opaque.map(({ name }) => `What ${name} holds is not compared: only PostgreSQL and Redis are read as state.`),
    ...background(services, entry).map(({ name }) => `${name} is taken for a worker, by its name.`),
  ];
}

/** The project's name, or that of the Compose file's folder, in the letters that documents allow. */
function projectName(written: unknown, source: string): string {
  const folder = source.split(/[\\/]/).at(-2) ?? "";
  for (const candidate of [written, folder]) {
    const name = typeof candidate === "string" ? candidate.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-") : "";
    const trimmed = name
      .replace(/^[^a-z]+/, "")
      .slice(0, 40)
      .replace(/-+$/, "");
    if (trimmed !== "") return trimmed;
  }
  return "first-rehearsal";
}

function refuse(message: string, hint: string): CanaryError {
  return new CanaryError({ code: "MIRROR_INVALID", message, hint });
}
