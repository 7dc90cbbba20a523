import type { IncomingMessage } from "node:http";
import { problem, type Reply } from "./exchange.ts";

export type ReadBody =
  | { readonly kind: "body"; readonly bytes: Buffer }
  | { readonly kind: "refused"; readonly reply: Reply };

/** Bytes that all requests together hold. */
export interface BodyBudget {
  left: number;
}

/**
 * Reads a body up to a number of bytes. What it says of its own length is believed only to refuse it sooner; compressed bodies
 * are refused, since their size is not the one that counts.
 */
export async function readBody(request: IncomingMessage, bytesMax: number, budget: BodyBudget): Promise<ReadBody> {
  const encoding = request.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    return refused(415, "ENCODING_UNSUPPORTED", "The body is encoded", "send it without content-encoding");
  }
  const said = Number(request.headers["content-length"] ?? 0);
  const tooLarge = (): ReadBody =>
    refused(413, "BODY_TOO_LARGE", "The body is too large", `at most ${bytesMax} bytes are read`);
  if (said > bytesMax) return tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request) {
      const part = chunk as Buffer;
      bytes += part.length;
      budget.left -= part.length;
      if (bytes > bytesMax) return tooLarge();
      if (budget.left < 0) return refused(503, "BUSY", "Too much is being read", "send it again in a second");
      chunks.push(part);
    }
    return { kind: "body", bytes: Buffer.concat(chunks) };
  } catch {
    return refused(400, "BODY_CUT_OFF", "The body did not arrive", "send it again");
  } finally {
    budget.left += bytes;
  }
}

function refused(status: number, code: string, title: string, detail: string): ReadBody {
  return { kind: "refused", reply: problem(status, code, title, detail) };
}
