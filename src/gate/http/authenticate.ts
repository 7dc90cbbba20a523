import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { sha256Hex } from "../../core/sha256.ts";
import type { KnownCaller } from "./exchange.ts";

/** How a request says who sends it. */
export interface Credentials {
  readonly token?: string;
  /** SHA-256 of the client certificate's DER, where the connection has one that the gate's own authority signed. */
  readonly certificateSha256?: string;
}

/** What a request shows. @param key - a token in the path, for senders that can be given an address and no header */
export function credentialsOf({ headers, socket }: IncomingMessage, key: string | undefined): Credentials {
  const token = key ?? bearerToken(headers.authorization);
  const certificate = socket instanceof TLSSocket && socket.authorized ? socket.getPeerCertificate() : undefined;
  const fingerprint = certificate?.fingerprint256?.replaceAll(":", "").toLowerCase();
  return {
    ...(token === undefined ? {} : { token }),
    ...(fingerprint === undefined ? {} : { certificateSha256: fingerprint }),
  };
}

/** Who that is; undefined for nobody known. Of two kinds of credentials both must be the same caller's. */
export function authenticate(
  callers: readonly KnownCaller[],
  { token, certificateSha256 }: Credentials,
): KnownCaller | undefined {
  const byToken = token === undefined ? undefined : find(callers, sha256Hex(token), "tokenSha256");
  if (certificateSha256 === undefined) return byToken;
  const byCertificate = find(callers, certificateSha256, "certificateSha256");
  if (token === undefined) return byCertificate;
  return byToken === byCertificate ? byToken : undefined;
}

/** All are compared, each in constant time, so that the time tells neither who exists nor how much was right. */
function find(
  callers: readonly KnownCaller[],
  digest: string,
  by: "tokenSha256" | "certificateSha256",
): KnownCaller | undefined {
  const given = Buffer.from(digest, "hex");
  return callers.filter((caller) => {
    const known = Buffer.from(caller[by] ?? "", "hex");
    return known.length === given.length && timingSafeEqual(known, given);
  })[0];
}

/** The token of an `Authorization: Bearer` header. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer ([A-Za-z0-9._~+/=-]{16,400})$/i.exec(authorization ?? "")?.[1];
}
