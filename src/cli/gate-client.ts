import type { Command } from "commander";
import { readBoundedText } from "../attest/bounded-file.ts";
import { CanaryError, messageOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { allTogether } from "./options.ts";

const CALL_MS_MAX = 15_000;

/** Which gate a command asks, and as whom. */
export interface GateOptions {
  readonly gate?: string;
  readonly tokenFile?: string;
}

/** `--gate` and `--token-file` mean the same everywhere. */
export function withGate(command: Command): Command {
  return command
    .option("--gate <url>", "address of the gate (https, or http on this machine); else CANARY_GATE")
    .option(
      "--token-file <file>",
      "file that holds the bearer token alone; else the token itself in CANARY_GATE_TOKEN",
    );
}

/** What a gate answered. */
export interface GateReply {
  readonly status: number;
  readonly body: unknown;
}

/** Which gate is asked, and with which token. */
export interface GateAsked {
  readonly url: URL;
  readonly token: string;
}

/**
 * Which gate these options mean, and as whom they ask.
 * @throws CanaryError USAGE telling both where both are wrong
 */
export async function gateAsked(options: GateOptions): Promise<GateAsked> {
  const [url, token] = await allTogether([gateUrl(options), gateToken(options)]);
  return { url, token };
}

/**
 * Asks the gate. A status that says why is an answer; no answer at all is an error.
 * @throws CanaryError GATE_UNAVAILABLE
 */
export async function askGate({ url, token }: GateAsked, path: string, body: object): Promise<GateReply> {
  try {
    const response = await fetch(new URL(path, url), {
      method: "POST",
      redirect: "error",
      body: JSON.stringify(body),
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      signal: AbortSignal.timeout(CALL_MS_MAX),
    });
    const text = await response.text();
    if (text.length > LIMITS.documentBytesMax) throw new Error("its answer is too long");
    return { status: response.status, body: JSON.parse(text) };
  } catch (cause) {
    throw unavailable(`the gate at ${url.host} gave no answer: ${reasonOf(cause)}`, cause);
  }
}

/** The answer of a status that a command cannot go on with. */
export function refusedBy(reply: GateReply): CanaryError {
  const said = reply.body as { readonly code?: unknown; readonly title?: unknown; readonly detail?: unknown };
  const words = [said.code, said.title, said.detail].filter((word) => typeof word === "string").join(": ");
  return new CanaryError({
    code: reply.status >= 500 || reply.status === 429 ? "GATE_UNAVAILABLE" : "GATE_REFUSED",
    message: `the gate answered ${reply.status}${words === "" ? "" : ` (${words})`}`,
    hint: "The gate's answer says what it needs; docs/gate.md explains each.",
  });
}

/** A token goes only through TLS, or stays on this machine. @throws CanaryError USAGE */
export async function gateUrl(options: GateOptions): Promise<URL> {
  const text = options.gate ?? process.env["CANARY_GATE"];
  const url = text === undefined || text === "" ? null : URL.parse(text);
  const isLocal = url !== null && ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
  if (url !== null && (url.protocol === "https:" || (url.protocol === "http:" && isLocal))) return url;
  throw new CanaryError({
    code: "USAGE",
    message: text === undefined || text === "" ? "no gate is named" : `${text} is no address of a gate`,
    hint: "Give --gate https://gate.example (http only for this machine), or CANARY_GATE.",
  });
}

/** The bearer token of whoever asks. @throws CanaryError USAGE */
export async function gateToken({ tokenFile: file }: GateOptions): Promise<string> {
  const fromEnvironment = process.env["CANARY_GATE_TOKEN"];
  const token =
    file === undefined ? fromEnvironment : (await readBoundedText(file, { code: "USAGE", bytesMax: 4096 })).trim();
  if (token !== undefined && token !== "") return oneWord(token, file ?? "CANARY_GATE_TOKEN");
  throw new CanaryError({
    code: "USAGE",
    message: "the gate wants to know who asks",
    hint: "Give --token-file, or CANARY_GATE_TOKEN; `canary gate token --out <file>` makes one.",
  });
}

/** Anything else ends as a header that cannot be sent, in a message of `fetch` that quotes the secret whole. */
function oneWord(token: string, source: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new CanaryError({
    code: "USAGE",
    message: `${source} holds more than a bearer token`,
    hint: "It holds the token alone, as `canary gate token --out <file>` writes it.",
  });
}

/** `fetch` itself says only that it failed; what it was stands in the cause: a port that is closed, a certificate that nobody vouches for. */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  const why = cause instanceof Error ? messageOf(cause) || ("code" in cause ? String(cause.code) : "") : "";
  return why === "" ? messageOf(thrown) : `${messageOf(thrown)} (${why})`;
}

function unavailable(message: string, cause: unknown): CanaryError {
  return new CanaryError({
    code: "GATE_UNAVAILABLE",
    message,
    hint: "Nothing was admitted. Ask again; for a private certificate authority set NODE_EXTRA_CA_CERTS.",
    cause,
  });
}
