import type { z } from "zod";
import type { Exchange, Permission, Reply } from "./exchange.ts";

/** One thing the gate can be asked. The server and the OpenAPI document are both made of these, so neither can forget one. */
export interface Route {
  readonly method: "GET" | "POST";
  /** `/v1/verdicts/{digest}`: a part in braces is any one segment. */
  readonly path: string;
  readonly summary: string;
  /** What the caller must be allowed to do; `open` lets everybody in, `signed` means that the body says who sent it. */
  readonly access: Permission | "open" | "signed";
  /** Bytes of the body; 0 where there is none. */
  readonly bodyBytesMax: number;
  /** For the document: what the body and the answers look like. */
  readonly request?: z.ZodType;
  readonly replies: Readonly<Record<number, { readonly description: string; readonly schema?: z.ZodType }>>;
  /** Whether it may be asked while the server drains; health and metrics may. */
  readonly whileDraining?: true;
  /**
   * Whether those who run the gate ask it over and over, from addresses that strangers may share: it is answered to everybody, as
   * often as they ask, and so from memory.
   */
  readonly isProbe?: true;
  handle(exchange: Exchange, signal: AbortSignal): Promise<Reply> | Reply;
}

export type FoundRoute =
  | { readonly kind: "route"; readonly route: Route; readonly params: Readonly<Record<string, string>> }
  /** The path is known, the method is not. */
  | { readonly kind: "method"; readonly allowed: readonly string[] }
  | { readonly kind: "none" };

/** The route of a path. Segments are compared as they were sent: nothing is decoded, so nothing can be smuggled in. */
export function findRoute(routes: readonly Route[], method: string, path: string): FoundRoute {
  const matching = routes.flatMap((route) => {
    const params = paramsOf(route.path, path);
    return params === undefined ? [] : [{ route, params }];
  });
  const found = matching.find(({ route }) => route.method === method);
  if (found !== undefined) return { kind: "route", ...found };
  return matching.length === 0
    ? { kind: "none" }
    : { kind: "method", allowed: matching.map(({ route }) => route.method) };
}

function paramsOf(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== given.length) return undefined;
  const params: [string, string][] = [];
  for (const [index, segment] of wanted.entries()) {
    const name = /^\{(\w+)\}$/.exec(segment)?.[1];
    const value = given[index] ?? "";
    if (name === undefined && segment !== value) return undefined;
    if (name !== undefined) {
      if (!/^[A-Za-z0-9._:-]{1,200}$/.test(value)) return undefined;
      params.push([name, value]);
    }
  }
  return Object.fromEntries(params);
}
