import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import { Service } from "../plan/step-words.ts";
import { PERMISSIONS } from "./http/exchange.ts";

const Name = z.string().min(1).max(200);
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, "64 lower-case hex digits");
const File = z.string().min(1).max(400);
const Pattern = z.string().min(1).max(200);
const Environment = Name;
const Port = z.number().int().min(0).max(65_535);
const DAY_MS = 24 * 3_600_000;

const EnvironmentSchema = z
  .strictObject({
    id: Environment,
    class: z.enum(["production", "staging", "development"]),
    /** SHA-256 of what a verdict may rest on; `canary verdict show --json` prints them. An empty list accepts none. */
    mirrors: z.array(Sha256).max(200),
    scenarios: z.array(Sha256).max(1000),
    /** Absent: the policy that the gate itself asks. */
    policies: z.array(Sha256).max(200).optional(),
    drills: z
      .strictObject({
        fromTier: z.number().int().min(0).max(4).default(3),
        maxAgeDays: z.number().positive().max(366).default(92),
      })
      .prefault({}),
    /** Whether a request has to show what it will change. */
    changeMustBeShown: z.boolean().default(true),
  })
  .transform(({ drills, policies, ...rest }) => ({
    ...rest,
    policies,
    drills: { fromTier: drills.fromTier, maxAgeMs: drills.maxAgeDays * DAY_MS },
  }));

const CallerSchema = z
  .strictObject({
    name: Name,
    may: z.array(z.enum(PERMISSIONS)).min(1),
    environments: z.array(Pattern).max(100).default([]),
    tokenSha256: Sha256.optional(),
    certificateSha256: Sha256.optional(),
    rate: z
      .strictObject({ perSecond: z.number().positive().max(100_000), burst: z.number().int().min(1).max(100_000) })
      .optional(),
  })
  .refine((caller) => caller.tokenSha256 !== undefined || caller.certificateSha256 !== undefined, {
    message: "needs tokenSha256 or certificateSha256",
  });

const KubernetesName = z.string().regex(/^[a-z0-9.-]{1,253}$/, "a name of Kubernetes");
const ClusterSchema = z.strictObject({
  name: KubernetesName,
  environments: z.record(KubernetesName, Environment),
  workloads: z
    .array(
      z.strictObject({
        namespace: KubernetesName,
        resource: z.enum(["deployments", "statefulsets", "daemonsets", "rollouts"]).default("deployments"),
        name: KubernetesName,
        service: Service,
        container: KubernetesName.optional(),
      }),
    )
    .max(2000)
    .default([]),
  flagMaps: z
    .array(z.strictObject({ namespace: KubernetesName, name: KubernetesName, key: Name, service: Service }))
    .max(500)
    .default([]),
  exemptUsers: z.array(Pattern).max(100).default([]),
});

const Repository = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/[A-Za-z0-9._-]{1,100}$/, "owner/name");
const RepositoryPath = z
  .string()
  .min(1)
  .max(300)
  .refine((path) => !path.split("/").some((part) => ["", ".", ".."].includes(part)), "a plain path in the repository");
const GitHubSchema = z.strictObject({
  apiBase: z
    .url({ protocol: /^https$/ })
    .transform((url) => url.replace(/\/$/, ""))
    .default("https://api.github.com"),
  appId: z.string().regex(/^[A-Za-z0-9._-]{1,100}$/),
  privateKeyFile: File,
  webhookSecretFile: File,
  repositories: z
    .array(
      z.strictObject({ repository: Repository, environments: z.record(Name, Environment), planPath: RepositoryPath }),
    )
    .min(1)
    .max(1000),
});

const SenderSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9._-]{1,100}$/),
  environments: z.array(Pattern).min(1).max(100),
  secretFile: File,
});

const Claim = z.string().min(1).max(255);
const SingleSignOnSchema = z.strictObject({
  /** `iss` of the provider, letter by letter; nobody else is ever asked. Without TLS on loopback only. */
  issuer: z
    .url({ protocol: /^https?$/ })
    .max(500)
    .refine(
      (text) => text.startsWith("https:") || ["localhost", "127.0.0.1", "[::1]"].includes(new URL(text).hostname),
      "https://<host>",
    ),
  clientId: Name,
  clientSecretFile: File,
  /** Whose account is whose (`canary.sign-on-people/v1`). */
  peopleFile: File,
  /** The claim of the ID token that holds the account. */
  account: Claim.default("sub"),
  groups: z.strictObject({ claim: Claim.default("groups"), anyOf: z.array(Claim).min(1).max(100) }).optional(),
  /** Asked for beside `openid`. */
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, "a scope"))
    .max(20)
    .default([]),
  /** How long ago the provider may have authenticated the person. */
  maxAgeSeconds: z.number().int().min(1).max(900).default(120),
  /** What the provider says (`acr`, `amr`) of an authentication that is as strong as a passkey; absent: none is. */
  strong: z
    .strictObject({ acr: z.array(Claim).max(20).default([]), amr: z.array(Claim).max(20).default([]) })
    .prefault({}),
  /** The gate's own key: signs what it saw. Its public half is trusted in the role `gate`. */
  witnessKeyFile: File,
});

const ConnectionsSchema = z
  .strictObject({
    /** Of `LIMITS.gateConnectionsMax` in all; more where many callers come through one proxy. */
    perAddress: z.number().int().min(1).max(LIMITS.gateConnectionsMax).default(LIMITS.gateConnectionsPerAddressMax),
    /** Who has not finished the TLS handshake by then is hung up on. */
    handshakeSeconds: z
      .number()
      .positive()
      .max(LIMITS.gateHandshakeMsMax / 1000)
      .default(LIMITS.gateHeadersMsMax / 1000),
  })
  .prefault({})
  .transform(({ perAddress, handshakeSeconds }) => ({
    perAddressMax: perAddress,
    handshakeMsMax: Math.ceil(handshakeSeconds * 1000),
  }));

/** Schema of `canary.gate/v1`; published as JSON Schema by `canary schema gate`. Files are relative to the document. */
export const GateConfigSchema = z
  .strictObject({
    schema: z.literal("canary.gate/v1"),
    listen: z
      .strictObject({ host: z.string().min(1).max(253).default("127.0.0.1"), port: Port.default(8443) })
      .prefault({}),
    connections: ConnectionsSchema,
    tls: z.strictObject({ certificateFile: File, keyFile: File, clientCaFile: File.optional() }).optional(),
    /** Whom the gate believes (docs/identity.md). */
    trust: File,
    environments: z.array(EnvironmentSchema).min(1).max(500),
    callers: z.array(CallerSchema).min(1).max(1000),
    kubernetes: ClusterSchema.optional(),
    github: GitHubSchema.optional(),
    webhooks: z.array(SenderSchema).max(100).default([]),
    /** The page on which people approve. */
    approvals: z
      .strictObject({
        origin: z.string().regex(/^https:\/\/[a-z0-9.-]+(?::\d{1,5})?$|^http:\/\/localhost:\d{1,5}$/, "https://<host>"),
        passkeysFile: File.optional(),
        singleSignOn: SingleSignOnSchema.optional(),
      })
      .refine((page) => page.passkeysFile !== undefined || page.singleSignOn !== undefined, {
        message: "needs passkeysFile or singleSignOn",
      })
      .optional(),
    tokens: z
      .strictObject({
        /** Shared by all gates of one ledger; absent: made anew at every start, after which old answers lose their token. */
        secretFile: File.optional(),
        /** How long a promotion stays open for its parts, and its token good. */
        validMinutes: z
          .number()
          .positive()
          .max(24 * 60)
          .default(10),
      })
      .prefault({}),
  })
  .superRefine((config, context) => {
    const twice = (path: string, names: readonly string[]): void => {
      const name = names.find((one, index) => names.indexOf(one) < index);
      if (name !== undefined)
        context.addIssue({ code: "custom", path: [path], message: `"${name}" stands there twice` });
    };
    twice(
      "environments",
      config.environments.map(({ id }) => id),
    );
    twice(
      "callers",
      config.callers.map(({ name }) => name),
    );
    twice(
      "callers",
      config.callers.flatMap(({ tokenSha256 }) => tokenSha256 ?? []),
    );
    twice(
      "callers",
      config.callers.flatMap(({ certificateSha256 }) => certificateSha256 ?? []),
    );
    twice(
      "webhooks",
      config.webhooks.map(({ name }) => name),
    );
    const isLoopback = ["127.0.0.1", "::1", "localhost"].includes(config.listen.host);
    if (config.tls === undefined && !isLoopback) {
      context.addIssue({ code: "custom", path: ["tls"], message: "is needed to listen beyond this machine" });
    }
    if (config.tls?.clientCaFile === undefined && config.callers.some(({ certificateSha256 }) => certificateSha256)) {
      context.addIssue({
        code: "custom",
        path: ["tls"],
        message: "needs clientCaFile: a caller is known by a certificate",
      });
    }
  });

/** A gate as its operator wrote it. */
export type GateConfig = z.infer<typeof GateConfigSchema>;
