import type { PasskeyTerms } from "../approvals-page/passkeys.ts";
import type { GateService } from "../gate-service.ts";
import type { Route } from "../http/route.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { documentRoutes } from "./document-routes.ts";
import type { GitHubRule } from "./github-routes.ts";
import { openApiRoute, operationRoutes } from "./operation-routes.ts";
import { promotionRoutes } from "./promotion-routes.ts";
import type { SignOn } from "./sign-on-routes.ts";
import type { WebhookSender } from "./webhook-routes.ts";

/** What a gate serves beside its own API: only what its operator has configured exists. */
export interface GateParts {
  readonly version: string;
  readonly cluster?: Cluster;
  readonly github?: GitHubRule;
  readonly senders?: readonly WebhookSender[];
  readonly passkeys?: PasskeyTerms;
  readonly signOn?: SignOn;
}

/** Every route of a gate, with the document that describes them. What is not configured is not even loaded. */
export async function allRoutes(service: GateService, parts: GateParts): Promise<readonly Route[]> {
  const { cluster, github, senders = [] } = parts;
  const routes = [
    ...promotionRoutes(service),
    ...documentRoutes(service),
    ...operationRoutes(service),
    ...(cluster === undefined ? [] : await clusterRoutes(service, cluster)),
    ...(github === undefined ? [] : (await import("./github-routes.ts")).githubRoutes(service, github)),
    ...(await pageRoutes(service, parts)),
    ...(senders.length === 0 ? [] : (await import("./webhook-routes.ts")).webhookRoutes(service, senders)),
  ];
  return [...routes, openApiRoute(routes, parts.version)];
}

async function clusterRoutes(service: GateService, cluster: Cluster): Promise<readonly Route[]> {
  const [{ kubernetesRoutes }, { flaggerRoutes }, { argoRoutes }] = await Promise.all([
    import("./kubernetes-routes.ts"),
    import("./flagger-routes.ts"),
    import("./argo-routes.ts"),
  ]);
  return [...kubernetesRoutes(service, cluster), ...flaggerRoutes(service, cluster), ...argoRoutes(service, cluster)];
}

/** Of the page on which people approve, by one of the ways or both. */
async function pageRoutes(service: GateService, { passkeys, signOn }: GateParts): Promise<readonly Route[]> {
  if (passkeys === undefined && signOn === undefined) return [];
  const { approvalRoutes } = await import("./approval-routes.ts");
  return [
    ...approvalRoutes(service, { passkey: passkeys !== undefined, signOn: signOn !== undefined }),
    ...(passkeys === undefined ? [] : (await import("./passkey-routes.ts")).passkeyRoutes(service, passkeys)),
    ...(signOn === undefined ? [] : (await import("./sign-on-routes.ts")).signOnRoutes(service, signOn)),
  ];
}
