import { HttpFailure } from "./http-failure.ts";

/** A request as handlers see it. `body` is parsed JSON, `undefined` when there was none. */
export interface ApiRequest {
  readonly query: URLSearchParams;
  /** The variable part of the path, "" where the route has none. */
  readonly parameter: string;
  readonly sessionToken: string | undefined;
  readonly body: unknown;
}

/** A JSON answer. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** One line of the route table. `path` is also the metric label, so it must not vary with the request. */
export interface Route {
  readonly method: "GET" | "POST";
  /** Literal, or ending in `/:parameter` for one variable last segment. */
  readonly path: string;
  readonly handle: (request: ApiRequest) => Promise<Reply>;
}

/**
 * The route of a request and its parameter.
 * @throws HttpFailure 404 for an unknown path, 405 for a known path with another method
 */
export function matchRoute(
  routes: readonly Route[],
  method: string,
  path: string,
): { readonly route: Route; readonly parameter: string } {
  let pathKnown = false;
  for (const route of routes) {
    const parameter = parameterOf(route.path, path);
    if (parameter === undefined) continue;
    if (route.method === method) return { route, parameter };
    pathKnown = true;
  }
  if (pathKnown) throw new HttpFailure(405, "method_not_allowed", `${method} is not offered here`);
  throw new HttpFailure(404, "not_found", "no such path");
}

function parameterOf(pattern: string, path: string): string | undefined {
  const variableAt = pattern.indexOf(":");
  if (variableAt === -1) return pattern === path ? "" : undefined;
  const rest = path.slice(variableAt);
  return path.startsWith(pattern.slice(0, variableAt)) && rest !== "" && !rest.includes("/") ? rest : undefined;
}
