import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { z } from "zod";
import { messageOf } from "../../core/errors.ts";
import { sha256Hex } from "../../core/sha256.ts";

const BODY_BYTES_MAX = 4096;
const SECONDS_MAX = 5;

const Words = z.string().max(500);
const RequestSchema = z.strictObject({
  reason: Words.optional(),
  by: Words.optional(),
  how: z.literal("halt").optional(),
});
export type StopRequest = z.infer<typeof RequestSchema>;

/** What a run can be asked and told over HTTP. */
export interface Controls {
  readonly status: () => unknown;
  /** Stops this run; answers at once, the undo goes on. */
  readonly abort: (request: StopRequest) => void;
  /** Halts the host: every run of it, this one too. */
  readonly halt: (request: StopRequest) => Promise<unknown>;
}

export interface ControlServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
}

/**
 * Listens on loopback, on a port that the system chooses: `GET /v1/status`, `POST /v1/abort`, `POST /v1/halt`, each with
 * `Authorization: Bearer <token>`. Anything else is refused without saying why.
 */
export async function startControlServer(token: string, controls: Controls): Promise<ControlServer> {
  const server = createServer({ requestTimeout: SECONDS_MAX * 1000, headersTimeout: SECONDS_MAX * 1000 });
  server.on("request", (request, response) => {
    answer(request, response, { token, controls }).catch((error: unknown) =>
      reply(response, 500, { error: messageOf(error) }),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  // A run ends when it is over, whoever still holds a connection.
  server.unref();
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { token, controls }: { readonly token: string; readonly controls: Controls },
): Promise<void> {
  if (!isAllowed(request, token)) return reply(response, 401, { error: "a bearer token is needed" });
  const asked = `${request.method} ${new URL(request.url ?? "/", "http://127.0.0.1").pathname}`;
  if (asked === "GET /v1/status") return reply(response, 200, controls.status());
  if (asked !== "POST /v1/abort" && asked !== "POST /v1/halt")
    return reply(response, 404, { error: "there is no such thing" });
  const body = RequestSchema.safeParse(await readBody(request));
  if (!body.success) return reply(response, 400, { error: "the body may be { reason, by }, of 500 characters each" });
  if (asked === "POST /v1/halt") return reply(response, 200, await controls.halt(body.data));
  controls.abort(body.data);
  reply(response, 202, { accepted: true, status: controls.status() });
}

/** Digests are of one length, so that the comparison tells nothing of either. */
function isAllowed({ headers }: IncomingMessage, token: string): boolean {
  const [scheme = "", given = ""] = (headers.authorization ?? "").split(" ");
  const digest = (text: string): Buffer => Buffer.from(sha256Hex(text), "hex");
  return scheme.toLowerCase() === "bearer" && timingSafeEqual(digest(given), digest(token));
}

/** An empty body is an empty request; undefined is none that can be read. */
async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk as Buffer);
  }
  const text = Buffer.concat(chunks).toString("utf8").trim();
  try {
    return text === "" ? {} : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store", connection: "close" });
  response.end(`${JSON.stringify(body)}\n`);
}
