import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import type { Passkey } from "../../src/gate/approvals-page/passkeys.ts";

/** What an authenticator is told to do wrong. */
export interface Misbehaviour {
  readonly origin?: string;
  readonly host?: string;
  /** 0x01: somebody was there; 0x04: their identity was verified. */
  readonly flags?: number;
  readonly type?: string;
  readonly challenge?: string;
}

/** A passkey in software: ES256, as in WebAuthn Level 3, 6.1 (authenticator data) and 5.8.1 (client data). */
export function softwareAuthenticator(identity: string, page: string) {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const id = randomBytes(32).toString("base64url");
  const passkey: Passkey = { identity, id, publicKey: coseKey(x, y).toString("base64url") };
  return {
    passkey,
    /** The answer to a challenge, as `PublicKeyCredential.toJSON()` gives it. */
    answer: (challenge: string, wrong: Misbehaviour = {}) => {
      const { origin = page, host = new URL(page).hostname, flags = 0x05, type = "webauthn.get" } = wrong;
      const said = { type, challenge: wrong.challenge ?? challenge, origin, crossOrigin: false };
      const client = Buffer.from(JSON.stringify(said));
      const data = Buffer.concat([sha256(Buffer.from(host)), Buffer.from([flags, 0, 0, 0, 0])]);
      const signature = sign("sha256", Buffer.concat([data, sha256(client)]), privateKey);
      return {
        id,
        rawId: id,
        type: "public-key",
        clientExtensionResults: {},
        response: {
          clientDataJSON: client.toString("base64url"),
          authenticatorData: data.toString("base64url"),
          signature: signature.toString("base64url"),
        },
      };
    },
    /** What is answered to a request for a new one: no attestation, its own key. */
    attestation: (challenge: string) => {
      const said = { type: "webauthn.create", challenge, origin: page, crossOrigin: false };
      const raw = Buffer.from(id, "base64url");
      const data = Buffer.concat([
        sha256(Buffer.from(new URL(page).hostname)),
        Buffer.from([0x45, 0, 0, 0, 0]),
        Buffer.alloc(16),
        Buffer.from([0, raw.length]),
        raw,
        coseKey(x, y),
      ]);
      return {
        id,
        rawId: id,
        type: "public-key",
        clientExtensionResults: {},
        response: {
          clientDataJSON: Buffer.from(JSON.stringify(said)).toString("base64url"),
          attestationObject: attestationObject(data).toString("base64url"),
        },
      };
    },
  };
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

/** COSE (RFC 9053): { 1: 2, 3: -7, -1: 1, -2: x, -3: y } in CBOR. */
function coseKey(x: string, y: string): Buffer {
  const head = Buffer.from("a5010203262001215820", "hex");
  return Buffer.concat([head, Buffer.from(x, "base64url"), Buffer.from("225820", "hex"), Buffer.from(y, "base64url")]);
}

/** CBOR: { "fmt": "none", "attStmt": {}, "authData": bytes }. */
function attestationObject(data: Buffer): Buffer {
  const head = Buffer.from("a363666d74646e6f6e656761747453746d74a068617574684461746158", "hex");
  return Buffer.concat([head, Buffer.from([data.length]), data]);
}
