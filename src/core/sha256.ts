import { hash } from "node:crypto";

/** Lower-case hex SHA-256 of bytes or UTF-8 text. */
export function sha256Hex(data: string | Uint8Array): string {
  return hash("sha256", data, "hex");
}
