import type { Keyring } from "../attest/keyring.ts";
import { readTrustFile } from "../attest/trust-file.ts";
import { messageOf } from "../core/errors.ts";
import type { Passkey } from "../gate/approvals-page/passkeys.ts";
import type { GateServer, TlsMaterial } from "../gate/http/gate-server.ts";
import type { SignOnPerson } from "../gate/single-sign-on/sign-on-terms.ts";
import { type LoadedGateConfig, readPasskeys, readSignOnPeople, readTls } from "./gate-files.ts";
import { systemClock } from "./system.ts";

/** Certificates and the list of trusted keys are looked at so often; a key that is revoked is so within it. */
const RELOAD_MS = 2000;

/** What is read again while the gate serves. */
export interface ReloadedState {
  keyring: Keyring;
  passkeys: readonly Passkey[];
  people: readonly SignOnPerson[];
  tls: TlsMaterial | undefined;
}

/** Reads it for the first time. @throws CanaryError GATE_INVALID | TRUST_INVALID */
export async function readReloaded(loaded: LoadedGateConfig, trustFile: string): Promise<ReloadedState> {
  return {
    keyring: await readTrustFile(trustFile),
    passkeys: await readPasskeys(loaded),
    people: await readSignOnPeople(loaded),
    tls: await readTls(loaded),
  };
}

/** Looks at certificate and trusted keys again and again, until it is stopped. */
export async function reload(watched: {
  readonly loaded: LoadedGateConfig;
  readonly trustFile: string;
  readonly state: ReloadedState;
  readonly server: Pick<GateServer, "reloadTls">;
  readonly report: (message: string) => void;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { loaded, trustFile, state, server, report, signal } = watched;
  const waited = (): Promise<boolean> =>
    systemClock.sleep(RELOAD_MS, signal).then(
      () => true,
      () => false,
    );
  while (await waited()) {
    try {
      state.keyring = await readTrustFile(trustFile);
    } catch (error) {
      // Nobody knows who is trusted, so nobody is: what the file was changed for may have been a revocation.
      state.keyring = { keys: [] };
      report(`${trustFile} cannot be read, so nobody is trusted: ${messageOf(error)}`);
    }
    try {
      state.passkeys = await readPasskeys(loaded);
    } catch (error) {
      state.passkeys = [];
      report(`the passkeys cannot be read, so none counts: ${messageOf(error)}`);
    }
    try {
      state.people = await readSignOnPeople(loaded);
    } catch (error) {
      state.people = [];
      report(`the people of single sign-on cannot be read, so nobody counts: ${messageOf(error)}`);
    }
    try {
      const tls = await readTls(loaded);
      if (tls !== undefined && JSON.stringify(tls) !== JSON.stringify(state.tls)) {
        server.reloadTls(tls);
        state.tls = tls;
        report("serving with another certificate");
      }
    } catch (error) {
      report(`the certificate cannot be read; the old one is served: ${messageOf(error)}`);
    }
  }
}
