import type { IngressHarm } from "../../mirror/twin.ts";
import type { TrafficSpec } from "../traffic-spec.ts";

/**
 * What an ingress sees of the requests of a route: the method, and the path up to the first thing that varies. `undefined`
 * stands for all requests: those of no route in particular, or of a recording, which names routes by patterns.
 */
export function requestsOfRoute(traffic: Pick<TrafficSpec, "mix">, route: string | undefined): IngressHarm["requests"] {
  const spec = traffic.mix.find((candidate) => candidate.route === route);
  if (spec?.grpc !== undefined) {
    return { method: "POST", pathPrefix: `/${spec.grpc.service}/${spec.grpc.method}` };
  }
  if (spec?.http === undefined) return undefined;
  const [pathPrefix = "/"] = spec.http.path.split(/\$\{|[?#]/);
  return { method: spec.http.method, pathPrefix };
}
