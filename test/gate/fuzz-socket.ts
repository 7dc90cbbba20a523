import { Agent, type OutgoingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import type { Random } from "./fuzz-mutations.ts";

/** What came back over a socket. Status 0 where nothing did. */
export interface SocketAnswer {
  readonly status: number;
  readonly text: string;
}

/** A request whose path and headers are sent as they are, which `fetch` would tidy. */
export interface SocketRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array;
}

/** Sends requests over kept connections. */
export function socketClient(url: string): Disposable & { send(asked: SocketRequest): Promise<SocketAnswer> } {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const { hostname, port } = new URL(url);
  const send = (asked: SocketRequest): Promise<SocketAnswer> =>
    new Promise((resolve) => {
      const { method, path, headers, body } = asked;
      const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
      const sent = request({ agent, hostname, port, method, path, headers: { ...headers, ...length } }, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }));
        response.on("error", () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }),
        );
      });
      sent.on("error", (error) => resolve({ status: 0, text: `${error.message}` }));
      sent.end(body);
    });
  return { send, [Symbol.dispose]: () => agent.destroy() };
}

/** One request that is right, as its bytes. */
interface Wire {
  readonly head: string;
  readonly body: string;
}

/** What no library would send: heads that two readers take apart differently, bodies that lie about their length. */
const MALFORMED: readonly ((wire: Wire, random: Random) => string)[] = [
  ({ head, body }) => `${head}transfer-encoding: chunked\r\ncontent-length: ${body.length}\r\n\r\n0\r\n\r\n${body}`,
  ({ head, body }) => `${head}content-length: ${body.length}\r\ncontent-length: 0\r\n\r\n${body}`,
  ({ head, body }) => `${head}content-length: -1\r\n\r\n${body}`,
  ({ head, body }) => `${head}content-length: ${body.length + 50}\r\n\r\n${body}`,
  ({ head, body }) => `${head}content-length: ${Math.floor(body.length / 2)}\r\n\r\n${body}`,
  ({ head, body }) => `${head}transfer-encoding: chunked\r\n\r\nzz\r\n${body}\r\n0\r\n\r\n`,
  ({ head, body }) =>
    `${head}transfer-encoding: gzip, chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  ({ head, body }) => `${head.replaceAll("\r\n", "\n")}content-length: ${body.length}\n\n${body}`,
  ({ head, body }) => `${head}x: ${"a".repeat(20_000)}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  ({ head, body }) => `${head}${"x: a\r\n".repeat(500)}content-length: ${body.length}\r\n\r\n${body}`,
  ({ head, body }) =>
    `${head}authorization: Bearer other-token-0123456789\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  ({ head, body }) => `${head.replace("HTTP/1.1", "HTTP/9.9")}content-length: ${body.length}\r\n\r\n${body}`,
  ({ head, body }) => `${head.replace(/host: [^\r]*\r\n/, "")}content-length: ${body.length}\r\n\r\n${body}`,
  ({ head, body }) =>
    `${head.replace(/ \//, " http://elsewhere.example/")}content-length: ${body.length}\r\n\r\n${body}`,
  ({ head, body }) => `${head} folded: yes\r\ncontent-length : ${body.length}\r\n\r\n${body}`,
  ({ head, body }) => `${head}upgrade: h2c\r\nconnection: upgrade\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  ({ head, body }, random) =>
    `${head}content-length: ${body.length}\r\n\r\n${body}`.slice(0, Math.floor(random() * 400)),
  (_, random) => Array.from({ length: 200 }, () => String.fromCharCode(Math.floor(random() * 256))).join(""),
];

/** Sends bytes that are no request, or no one request, and reads whatever comes until the connection is closed. */
export function sendMalformed(url: string, asked: SocketRequest, random: Random): Promise<SocketAnswer> {
  const { hostname, port } = new URL(url);
  const headers = Object.entries(asked.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
  const head = `${asked.method} ${asked.path} HTTP/1.1\r\nhost: ${hostname}\r\n${headers.join("")}`;
  const malformed = MALFORMED[Math.floor(random() * MALFORMED.length)] ?? (({ body }: Wire) => body);
  const bytes = Buffer.from(malformed({ head, body: String(asked.body ?? "") }, random), "latin1");
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    const parts: Buffer[] = [];
    const done = (): void => {
      const text = Buffer.concat(parts).toString("latin1");
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? -1), text });
    };
    socket.on("data", (part) => parts.push(part));
    socket.on("error", () => undefined);
    socket.on("close", done);
    // Half closed: a gate that waits for more learns that nothing will come.
    socket.end(bytes);
  });
}
