import path from "node:path";
import { readBoundedText } from "../attest/bounded-file.ts";
import { parseDocument } from "../core/document.ts";
import { LIMITS } from "../core/limits.ts";
import { type Passkey, PasskeysSchema } from "../gate/approvals-page/passkeys.ts";
import { type GateConfig, GateConfigSchema } from "../gate/gate-config.ts";
import type { KnownCaller } from "../gate/http/exchange.ts";
import type { TlsMaterial } from "../gate/http/gate-server.ts";
import { SignOnPeopleSchema, type SignOnPerson } from "../gate/single-sign-on/sign-on-terms.ts";

/** A gate's configuration, and where it stands: the files that it names are relative to its folder. */
export interface LoadedGateConfig {
  readonly config: GateConfig;
  readonly file: string;
  /** The document itself. */
  readonly text: string;
  readonly folder: string;
}

/**
 * @param known - what was read of it before: where the document is still the same, that is the answer
 * @throws CanaryError GATE_INVALID listing every problem with its line
 */
export async function readGateConfig(file: string, known?: LoadedGateConfig): Promise<LoadedGateConfig> {
  const text = await readBoundedText(file, { code: "GATE_INVALID", bytesMax: LIMITS.documentBytesMax });
  if (text === known?.text) return known;
  const source = { source: file, what: "a canary.gate/v1", code: "GATE_INVALID" } as const;
  const resolved = path.resolve(file);
  return {
    config: parseDocument(GateConfigSchema, text, source),
    file: resolved,
    text,
    folder: path.dirname(resolved),
  };
}

/** Who may ask this gate, as its configuration has them. */
export function callersOf({ callers }: Pick<GateConfig, "callers">): readonly KnownCaller[] {
  return callers.map(({ tokenSha256, certificateSha256, rate, ...rest }) => ({
    ...rest,
    ...(tokenSha256 === undefined ? {} : { tokenSha256 }),
    ...(certificateSha256 === undefined ? {} : { certificateSha256 }),
    ...(rate === undefined ? {} : { rate }),
  }));
}

/** A file that the configuration names. @throws CanaryError GATE_INVALID */
export async function readBeside({ folder }: Pick<LoadedGateConfig, "folder">, file: string): Promise<string> {
  return await readBoundedText(path.resolve(folder, file), { code: "GATE_INVALID", bytesMax: LIMITS.documentBytesMax });
}

/** A secret: one line, without what an editor puts behind it. */
export async function readSecretBeside(loaded: Pick<LoadedGateConfig, "folder">, file: string): Promise<string> {
  return (await readBeside(loaded, file)).trim();
}

/** Certificate, key and the authority of clients; undefined where the gate listens without TLS. */
export async function readTls(loaded: LoadedGateConfig): Promise<TlsMaterial | undefined> {
  const { tls } = loaded.config;
  if (tls === undefined) return undefined;
  const [cert, key, clientCa] = await Promise.all([
    readBeside(loaded, tls.certificateFile),
    readBeside(loaded, tls.keyFile),
    tls.clientCaFile === undefined ? undefined : readBeside(loaded, tls.clientCaFile),
  ]);
  return { cert, key, ...(clientCa === undefined ? {} : { clientCa }) };
}

/** Whose passkeys count; none where the configuration has no page for them. @throws CanaryError GATE_INVALID */
export async function readPasskeys(loaded: LoadedGateConfig): Promise<readonly Passkey[]> {
  const file = loaded.config.approvals?.passkeysFile;
  if (file === undefined) return [];
  const source = { source: file, what: "a canary.passkeys/v1", code: "GATE_INVALID" } as const;
  return parseDocument(PasskeysSchema, await readBeside(loaded, file), source).passkeys;
}

/** Whose account is whose at the identity provider; nobody's where the configuration names none. @throws CanaryError GATE_INVALID */
export async function readSignOnPeople(loaded: LoadedGateConfig): Promise<readonly SignOnPerson[]> {
  const file = loaded.config.approvals?.singleSignOn?.peopleFile;
  if (file === undefined) return [];
  const source = { source: file, what: "a canary.sign-on-people/v1", code: "GATE_INVALID" } as const;
  return parseDocument(SignOnPeopleSchema, await readBeside(loaded, file), source).people;
}
