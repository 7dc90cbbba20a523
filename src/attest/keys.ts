import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { boundedMap } from "../core/bounded-map.ts";
import { CanaryError } from "../core/errors.ts";

/** A new pair as PEM texts (PKCS#8 and SPKI). `keyId` is base64(SHA-256(SPKI DER)), as cosign names keys. */
export interface KeyPair {
  readonly privatePem: string;
  readonly publicPem: string;
  readonly keyId: string;
}

/** A private key that is ready to sign. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicPem: string;
  readonly keyId: string;
}

/** A public key that is ready to verify. */
export interface VerifyingKey {
  readonly publicKey: KeyObject;
  readonly keyId: string;
}

/** A new Ed25519 key pair; with a passphrase the private PEM is encrypted (AES-256). */
export function newKeyPair(passphrase?: string): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const privatePem = privateKey.export({
    type: "pkcs8",
    format: "pem",
    ...(passphrase === undefined ? {} : { cipher: "aes-256-cbc", passphrase }),
  });
  return { privatePem: String(privatePem), publicPem: pemOf(publicKey), keyId: keyIdOf(publicKey) };
}

/**
 * Reads a private key.
 * @throws CanaryError KEY_UNUSABLE when it is no Ed25519 key or the passphrase is missing or wrong
 */
export function loadPrivateKey(pem: string, passphrase?: string): SigningKey {
  if (pem.includes("PUBLIC KEY") && !pem.includes("PRIVATE KEY")) {
    throw unusable("a public key stands where a private key belongs", "Use the .key file, which signs.");
  }
  const isEncrypted = pem.includes("ENCRYPTED");
  if (isEncrypted && passphrase === undefined) {
    throw unusable(
      "the private key is encrypted and there is no passphrase",
      "Give its passphrase (CANARY_KEY_PASSPHRASE).",
    );
  }
  const privateKey = readKey(
    () => createPrivateKey(isEncrypted ? { key: pem, format: "pem", passphrase: passphrase ?? "" } : pem),
    isEncrypted ? "the private key cannot be opened; is the passphrase right?" : "the private key is not a PEM key",
  );
  const publicKey = createPublicKey(privateKey);
  return { privateKey, publicPem: pemOf(publicKey), keyId: keyIdOf(publicKey) };
}

/** Keys of which a few hundred are trusted; one is looked up for every signature, and reading it costs as much as verifying. */
const publicKeys = boundedMap<string, VerifyingKey>(1000);

/**
 * Reads a public key; the same text is read once. Whether the key is trusted, and until when, is never kept here.
 * @throws CanaryError KEY_UNUSABLE when it is no Ed25519 public key
 */
export function loadPublicKey(pem: string): VerifyingKey {
  const known = publicKeys.get(pem);
  if (known !== undefined) return known;
  const key = readPublicKey(pem);
  publicKeys.set(pem, key);
  return key;
}

function readPublicKey(pem: string): VerifyingKey {
  // Node would take a private key here as well and derive its public half; a file of public keys must not hold one.
  if (pem.includes("PRIVATE KEY"))
    throw unusable("a private key stands where a public key belongs", "Use the .pub file, which verifies.");
  const publicKey = readKey(() => createPublicKey(pem), "the public key is not a PEM key");
  return { publicKey, keyId: keyIdOf(publicKey) };
}

function readKey(read: () => KeyObject, message: string): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch {
    // The cause of a decoder can hold a part of the key's text, so it is not kept.
    throw unusable(message, "Make a key with `canary keys new`.");
  }
  if (key.asymmetricKeyType === "ed25519") return key;
  throw unusable(`the key is ${key.asymmetricKeyType ?? "symmetric"}, not Ed25519`, "Make one with `canary keys new`.");
}

function pemOf(publicKey: KeyObject): string {
  return String(publicKey.export({ type: "spki", format: "pem" }));
}

function keyIdOf(publicKey: KeyObject): string {
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64");
}

function unusable(message: string, hint: string): CanaryError {
  return new CanaryError({ code: "KEY_UNUSABLE", message, hint });
}
