import { z } from "zod";
import { canonicalJson } from "../attest/canonical-json.ts";
import type { SigningKey } from "../attest/keys.ts";
import { openDocument, STATEMENT_TYPE, signDocument } from "../attest/signed-document.ts";
import { CLOCK_SKEW_MS_MAX, Instant, Name, statementAbout } from "../attest/statement-words.ts";
import { CanaryError } from "../core/errors.ts";
import { sha256Hex } from "../core/sha256.ts";
import type { Entry } from "../ledger/ledger.ts";
import type { GateContext } from "./gate-context.ts";
import type { GateDocuments } from "./gate-documents.ts";
import { claim, KillSwitchRecord, recordOf, subject } from "./records.ts";

/** Type of the statement by which an operator stops promotions, or lets them go on. */
export const KILL_SWITCH_PREDICATE_TYPE = "https://canary-harness.dev/attestation/kill-switch/v1";

/** All promotions, those of an environment, or one plan or verdict by its digest. */
const Scope = z.union([z.literal("*"), z.string().regex(/^sha256:[0-9a-f]{64}$/), Name]);

const KillSwitchSchema = statementAbout(
  KILL_SWITCH_PREDICATE_TYPE,
  z.strictObject({
    scope: Scope,
    /** Name of the ledger that it is for. Needed to let promotions go on, so that no order for staging lets production go on. */
    ledger: Name.optional(),
    isEngaged: z.boolean(),
    reason: z.string().min(1).max(500),
    signedAt: Instant,
    /** Makes two statements of one instant two statements. */
    nonce: z.string().regex(/^[0-9a-f]{32}$/),
  }),
);

/** What an order is opened as. */
const ORDER = { role: "operator", schema: KillSwitchSchema, what: "kill switch" } as const;

/** A statement must arrive while it is fresh, so that one that was kept cannot let go what is stopped now. */
const FRESH_MS_MAX = 5 * 60_000;

export interface KillSwitchOrder {
  readonly scope: string;
  /** See the statement; a stop may leave it out. */
  readonly ledger?: string;
  readonly isEngaged: boolean;
  readonly reason: string;
}

/** Signs an operator's order; the text of a bundle. */
export function signKillSwitch(
  order: KillSwitchOrder,
  key: SigningKey,
  made: { readonly atEpochMs: number; readonly nonce: string },
): string {
  const predicate = { ...order, signedAt: new Date(made.atEpochMs).toISOString(), nonce: made.nonce };
  const statement = {
    _type: STATEMENT_TYPE,
    subject: [{ name: "kill-switch", digest: { sha256: sha256Hex(canonicalJson(predicate)) } }],
    predicateType: KILL_SWITCH_PREDICATE_TYPE,
    predicate,
  };
  return signDocument(statement, KillSwitchSchema, key);
}

/** What the state of a switch is read from. */
type SwitchSources = Pick<GateContext, "ledger" | "keyring"> & { readonly documents: Pick<GateDocuments, "text"> };

/** The state of a switch: what was recorded last about its scope. */
export type KillSwitchState =
  | { readonly kind: "released" }
  | { readonly kind: "engaged"; readonly by: string; readonly reason: string };

/**
 * Records an order of a trusted operator. It is in force for every gate of the ledger with the next decision.
 * @throws CanaryError SIGNATURE_INVALID when it is not an operator's, not fresh, for nothing that this gate guards, for another ledger,
 * or a release that was not signed after the last stop; those of the ledger, LEDGER_CLAIMED when it came before
 */
export async function recordKillSwitch(
  bundleText: string,
  context: Pick<GateContext, "ledger" | "keyring" | "clock" | "environments">,
): Promise<{ readonly entry: number; readonly order: KillSwitchOrder; readonly by: string }> {
  const atEpochMs = context.clock.epochMs();
  const opened = openDocument(bundleText, { ...ORDER, keyring: context.keyring(), at: atEpochMs });
  if (opened.kind === "refused") throw refused(opened.message);
  const { predicate } = opened.statement;
  const { scope, isEngaged, reason, signedAt } = predicate;
  const ageMs = atEpochMs - Date.parse(signedAt);
  if (!(ageMs <= FRESH_MS_MAX && ageMs >= -CLOCK_SKEW_MS_MAX)) throw refused(`it was signed at ${signedAt}`);
  const objection = objectionTo(predicate, context) ?? tooEarly(predicate, await ordersOf(scope, context.ledger));
  if (objection !== undefined) throw refused(objection);
  const by = opened.signer.identity;
  const body = { schema: "canary.gate-kill-switch/v1", scope, isEngaged, by, reason, signedAt } as const;
  const entry = {
    kind: "kill-switch",
    at: new Date(atEpochMs).toISOString(),
    body,
    about: [subject.killSwitch(scope)],
    claim: claim.delivery("kill-switch", opened.payloadSha256),
  } as const;
  const [receipt] = await context.ledger.append([entry], { documents: [Buffer.from(bundleText)] });
  return { entry: receipt?.index ?? -1, order: { scope, isEngaged, reason }, by };
}

type Predicate = z.infer<typeof KillSwitchSchema>["predicate"];

/** A scope that nothing has would be in force and stop nothing. */
function objectionTo(
  { scope, isEngaged, ledger }: Predicate,
  { environments, ledger: { origin } }: Pick<GateContext, "environments" | "ledger">,
): string | undefined {
  const isKnown = scope === "*" || scope.startsWith("sha256:") || environments.some(({ id }) => id === scope);
  if (!isKnown) return `this gate guards no environment ${scope}; for a plan or verdict write sha256:<digest>`;
  if (ledger === origin || (ledger === undefined && isEngaged)) return undefined;
  return `it is ${ledger === undefined ? "for no ledger by name" : `for ledger ${ledger}`}, and this is ${origin}`;
}

/** Orders about one scope, oldest first. */
interface Orders {
  /** Releases that came after the last stop. */
  readonly releases: readonly Entry[];
  readonly stop?: z.infer<typeof KillSwitchRecord>;
  /** When the newest of all stops was signed; -Infinity where there was none. */
  readonly stoppedEpochMs: number;
}

async function ordersOf(scope: string, ledger: GateContext["ledger"]): Promise<Orders> {
  const entries = await ledger.entriesAbout(subject.killSwitch(scope), ["kill-switch"]);
  const read = entries.map((entry) => ({ entry, record: recordOf(KillSwitchRecord, entry) }));
  const stops = read.filter(({ record }) => record.isEngaged);
  const last = stops.at(-1);
  return {
    releases: read.slice(last === undefined ? 0 : read.indexOf(last) + 1).map(({ entry }) => entry),
    ...(last === undefined ? {} : { stop: last.record }),
    stoppedEpochMs: stops.reduce((latest, { record }) => Math.max(latest, Date.parse(record.signedAt)), -Infinity),
  };
}

/** A release that was signed before a stop does not know of it. A stop is never too early. */
function tooEarly({ isEngaged, signedAt }: Predicate, { stoppedEpochMs }: Orders): string | undefined {
  if (isEngaged || Date.parse(signedAt) > stoppedEpochMs) return undefined;
  return `it was signed at ${signedAt}, not after the stop of ${new Date(stoppedEpochMs).toISOString()}`;
}

/**
 * Whether a scope is stopped. A stop is believed as it is recorded, a release only by the operator's signature that was stored with it.
 * @throws what the ledger throws, or a record or document that cannot be read: then nobody knows
 */
export async function killSwitchState(sources: SwitchSources, scope: string): Promise<KillSwitchState> {
  const orders = await ordersOf(scope, sources.ledger);
  const { releases, stop } = orders;
  const doubts = await Promise.all(releases.map((release) => doubtAboutRelease(release, scope, orders, sources)));
  if (doubts.some((doubt) => doubt === undefined)) return { kind: "released" };
  const doubt = doubts.at(-1);
  if (doubt !== undefined) return { kind: "engaged", by: "the gate", reason: `a release does not count: ${doubt}` };
  return stop === undefined ? { kind: "released" } : { kind: "engaged", by: stop.by, reason: stop.reason };
}

/** By the keys that were trusted when it was recorded: one that expires later does not stop promotions again. */
async function doubtAboutRelease(
  entry: Entry,
  scope: string,
  orders: Orders,
  { documents, keyring, ledger }: SwitchSources,
): Promise<string | undefined> {
  const [sha256] = entry.documents;
  if (sha256 === undefined) return "no signed order was stored with it";
  const opened = openDocument(await documents.text(sha256), { ...ORDER, keyring: keyring(), at: Date.parse(entry.at) });
  if (opened.kind === "refused") return opened.message;
  const { predicate } = opened.statement;
  if (predicate.scope !== scope) return `its signed order is about ${predicate.scope}`;
  if (predicate.isEngaged) return "its signed order stops";
  if (predicate.ledger !== ledger.origin) return `its signed order is not for ${ledger.origin}`;
  return tooEarly(predicate, orders);
}

function refused(message: string): CanaryError {
  return new CanaryError({
    code: "SIGNATURE_INVALID",
    message: `the kill switch was not moved: ${message}`,
    hint: "It is moved by a statement of a key with the role operator, not older than five minutes: `canary gate kill`.",
  });
}
