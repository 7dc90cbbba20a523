import { type Dispatcher, Pool } from "undici";
import { LIMITS } from "../../core/limits.ts";
import type { Address } from "../../mirror/twin.ts";
import type { SampledAnswer } from "../sampled-pair.ts";
import { captureAnswer } from "../traffic/capture-answer.ts";
import type { HttpMessage } from "../traffic/compile-call.ts";
import { sampledBody } from "./answer-sampler.ts";
import type { Flight, Landing, Lane } from "./flight.ts";

/** Local reasons for which no connection can be made. */
const NO_SOCKET = new Set(["EMFILE", "ENFILE", "EADDRNOTAVAIL", "ENOBUFS"]);
/** Refused by undici before anything was written. */
const UNSENDABLE = new Set(["UND_ERR_INVALID_ARG", "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH"]);

/**
 * Plain HTTP/1.1 to one twin: a connection per request under way, one request at a time on each, no retries, no
 * redirects, no time-outs but our own.
 */
export function httpLane(address: Address): Lane<HttpMessage> {
  const pool = new Pool(`http://${address.host}:${address.port}`, {
    connections: null,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    connectTimeout: 120_000,
    allowH2: false,
  });
  return {
    send: (message, flight) => {
      const exchange = new HttpExchange(flight);
      const { method, path, body } = message;
      const headers = [...message.headers];
      pool.dispatch({ method, path, headers, body: body === undefined ? null : body }, exchange);
      return () => exchange.cancel();
    },
    close: () => pool.destroy(),
  };
}

/** One request at undici: open from dispatch to its last callback. */
class HttpExchange implements Dispatcher.DispatchHandler {
  readonly #flight: Flight;
  readonly #chunks: Buffer[] = [];
  /** As much of the body as somebody reads. */
  readonly #keptMax: number;
  #controller: Dispatcher.DispatchController | undefined;
  #cancelled = false;
  #status = 0;
  #headers: Readonly<Record<string, string | string[] | undefined>> = {};
  #bodyBytes = 0;

  constructor(flight: Flight) {
    this.#flight = flight;
    const { call, sampled } = flight.slot;
    const captured = call.capture.length > 0 ? LIMITS.responseBodyBytesMax : 0;
    this.#keptMax = Math.max(captured, sampled ? LIMITS.sampledBodyBytesMax : 0);
  }

  /** Gives up: closes the connection, now or as soon as there is one. */
  cancel(): void {
    this.#cancelled = true;
    this.#controller?.abort(GIVEN_UP);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#cancelled) controller.abort(GIVEN_UP);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#bodyBytes < this.#keptMax) this.#chunks.push(chunk);
    this.#bodyBytes += chunk.length;
  }

  onResponseEnd(): void {
    const { call, sampled } = this.#flight.slot;
    const status = this.#status;
    const kept = sampled ? { sampled: () => this.#sample() } : {};
    if (status >= 400 || call.capture.length === 0) {
      this.#flight.land({ kind: "answer", status, ok: status < 500, ...kept });
      return;
    }
    const read = (): ReturnType<typeof captureAnswer> =>
      captureAnswer(call.capture, { header: (name) => headerOf(this.#headers[name]), json: () => this.#json() });
    this.#flight.land({ kind: "answer", status, ok: true, captured: read, ...kept });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#flight.land(landingOf(error));
  }

  #sample(): SampledAnswer {
    const headers = Object.entries(this.#headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    );
    const body = sampledBody(this.#chunks);
    return { status: this.#status, headers: Object.fromEntries(headers), body, bodyBytes: this.#bodyBytes };
  }

  #json(): unknown {
    if (this.#bodyBytes > LIMITS.responseBodyBytesMax) return undefined;
    try {
      return JSON.parse(Buffer.concat(this.#chunks).toString("utf8"));
    } catch {
      // Not JSON: nothing is captured, and a later request that needs the value is `blocked` on this twin.
      return undefined;
    }
  }
}

const GIVEN_UP = new Error("no answer within the time-out");

function landingOf(error: Error): Landing {
  const code = "code" in error ? String(error.code) : "";
  if (NO_SOCKET.has(code)) return { kind: "no-socket" };
  return UNSENDABLE.has(code) ? { kind: "unsendable" } : { kind: "no-answer", cause: "connection" };
}

function headerOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
