import type { PasskeyTerms } from "../approvals-page/passkeys.ts";
import type { GateService } from "../gate-service.ts";
import type { Route } from "../http/route.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { approvalRoutes } from "./approval-routes.ts";
import { argoRoutes } from "./argo-routes.ts";
import { documentRoutes } from "./document-routes.ts";
import { flaggerRoutes } from "./flagger-routes.ts";
import { type GitHubRule, githubRoutes } from "./github-routes.ts";
import { kubernetesRoutes } from "./kubernetes-routes.ts";
import { openApiRoute, operationRoutes } from "./operation-routes.ts";
import { passkeyRoutes } from "./passkey-routes.ts";
import { promotionRoutes } from "./promotion-routes.ts";
import { type SignOn, signOnRoutes } from "./sign-on-routes.ts";
import { type WebhookSender, webhookRoutes } from "./webhook-routes.ts";

/** What a gate serves beside its own API: only what its operator has configured exists. */
export interface GateParts {
  readonly version: string;
  readonly cluster?: Cluster;
  readonly github?: GitHubRule;
  readonly senders?: readonly WebhookSender[];
  readonly passkeys?: PasskeyTerms;
  readonly signOn?: SignOn;
}

/** Every route of a gate, with the document that describes them. */
export function allRoutes(service: GateService, parts: GateParts): readonly Route[] {
  const { cluster, github, senders = [], passkeys, signOn } = parts;
  const routes = [
    ...promotionRoutes(service),
    ...documentRoutes(service),
    ...operationRoutes(service),
    ...(cluster === undefined
      ? []
      : [...kubernetesRoutes(service, cluster), ...flaggerRoutes(service, cluster), ...argoRoutes(service, cluster)]),
    ...(github === undefined ? [] : githubRoutes(service, github)),
    ...(passkeys === undefined && signOn === undefined
      ? []
      : approvalRoutes(service, { passkey: passkeys !== undefined, signOn: signOn !== undefined })),
    ...(passkeys === undefined ? [] : passkeyRoutes(service, passkeys)),
    ...(signOn === undefined ? [] : signOnRoutes(service, signOn)),
    ...(senders.length === 0 ? [] : webhookRoutes(service, senders)),
  ];
  return [...routes, openApiRoute(routes, parts.version)];
}
