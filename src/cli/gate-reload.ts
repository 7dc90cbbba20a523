import type { Keyring } from "../attest/keyring.ts";
import { readTrustFile } from "../attest/trust-file.ts";
import { CanaryError, messageOf } from "../core/errors.ts";
import type { Passkey } from "../gate/approvals-page/passkeys.ts";
import type { KnownCaller } from "../gate/http/exchange.ts";
import type { GateMetrics } from "../gate/http/gate-metrics.ts";
import type { GateServer, TlsMaterial } from "../gate/http/gate-server.ts";
import type { SignOnPerson } from "../gate/single-sign-on/sign-on-terms.ts";
import {
  callersOf,
  type LoadedGateConfig,
  readGateConfig,
  readPasskeys,
  readSignOnPeople,
  readTls,
} from "./gate-files.ts";
import { systemClock } from "./system.ts";

/** Files are looked at so often; a key or token that is revoked is so within it. */
const RELOAD_MS = 2000;

/** What is read again while the gate serves. */
export interface ReloadedState {
  callers: readonly KnownCaller[];
  keyring: Keyring;
  passkeys: readonly Passkey[];
  people: readonly SignOnPerson[];
  tls: TlsMaterial | undefined;
}

/** Reads it for the first time. @throws CanaryError GATE_INVALID | TRUST_INVALID */
export async function readReloaded(loaded: LoadedGateConfig, trustFile: string): Promise<ReloadedState> {
  return {
    callers: callersOf(loaded.config),
    keyring: await readTrustFile(trustFile),
    passkeys: await readPasskeys(loaded),
    people: await readSignOnPeople(loaded),
    tls: await readTls(loaded),
  };
}

interface Watched {
  readonly loaded: LoadedGateConfig;
  readonly trustFile: string;
  readonly state: ReloadedState;
  readonly server: Pick<GateServer, "reloadTls">;
  readonly metrics: Pick<GateMetrics, "readAgain">;
  readonly report: (message: string) => void;
  readonly signal: AbortSignal;
}

/** Looks at all of it again and again, until it is stopped; what cannot be read is reported and counted. */
export async function reload(watched: Watched): Promise<void> {
  const { metrics, report, signal } = watched;
  const waited = (): Promise<boolean> =>
    systemClock.sleep(RELOAD_MS, signal).then(
      () => true,
      () => false,
    );
  const parts = reloadedParts(watched);
  while (await waited()) {
    for (const { what, read, withoutIt } of parts) {
      try {
        await read();
        metrics.readAgain(what, true);
      } catch (error) {
        const consequence = withoutIt();
        metrics.readAgain(what, false);
        const hint = error instanceof CanaryError ? ` (${error.hint.trim()})` : "";
        report(`${consequence}: ${messageOf(error)}${hint}`);
      }
    }
  }
}

interface ReloadedPart {
  readonly what: string;
  /** @throws where it cannot be read */
  readonly read: () => Promise<void>;
  /** What is done then, in words: whatever it was changed for may have been a revocation. */
  readonly withoutIt: () => string;
}

function reloadedParts({ loaded, trustFile, state, server, report }: Watched): readonly ReloadedPart[] {
  // Lists of what an environment accepts can be long: they are read once.
  let newest = loaded;
  return [
    {
      what: "callers",
      read: async () => {
        newest = await readGateConfig(loaded.file, newest);
        const callers = callersOf(newest.config);
        if (JSON.stringify(callers) === JSON.stringify(state.callers)) return;
        state.callers = callers;
        report(`the callers are others now: ${callers.map(({ name }) => name).join(", ")}`);
      },
      withoutIt: () => {
        // Nothing is admitted to anybody. All are known still: who stops promotions must get through, and an API server that
        // got no answer would hold up what no plan is about.
        state.callers = state.callers.map((caller) => ({ ...caller, environments: [] }));
        return `${loaded.file} cannot be read, so its callers are allowed no environment`;
      },
    },
    {
      what: "trust",
      read: async () => {
        state.keyring = await readTrustFile(trustFile);
      },
      withoutIt: () => {
        state.keyring = { keys: [] };
        return `${trustFile} cannot be read, so nobody is trusted`;
      },
    },
    {
      what: "passkeys",
      read: async () => {
        state.passkeys = await readPasskeys(loaded);
      },
      withoutIt: () => {
        state.passkeys = [];
        return "the passkeys cannot be read, so none counts";
      },
    },
    {
      what: "sign-on people",
      read: async () => {
        state.people = await readSignOnPeople(loaded);
      },
      withoutIt: () => {
        state.people = [];
        return "the people of single sign-on cannot be read, so nobody counts";
      },
    },
    {
      what: "certificate",
      read: async () => {
        const tls = await readTls(loaded);
        if (tls === undefined || JSON.stringify(tls) === JSON.stringify(state.tls)) return;
        server.reloadTls(tls);
        state.tls = tls;
        report("serving with another certificate");
      },
      withoutIt: () => "the certificate cannot be read; the old one is served",
    },
  ];
}
