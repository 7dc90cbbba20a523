import type * as Http from "node:http";
import { createRequire } from "node:module";

const http: typeof Http = createRequire(import.meta.url)("node:http");

/** `createServer` of node:http, required: an import would read all of its exports, and one of them (WebSocket) loads Node's whole fetch. */
export const createServer = http.createServer;
