import { z } from "zod";

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Who evaluates the rules: Cedar in this process, or an Open Policy Agent. An agent elsewhere than on this machine is
 * named a second time in `hosts` and spoken to over TLS only, since its answer lets plans through.
 */
export const EngineSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("cedar") }),
  z
    .strictObject({
      kind: z.literal("opa"),
      url: z.url({ protocol: /^https?$/ }).max(500),
      /** Path of the rule below `/v1/data/`. */
      decision: z
        .string()
        .regex(/^[a-z_]\w{0,60}(?:\/[a-z_]\w{0,60}){0,8}$/i, "names divided by slashes")
        .default("canary/decision"),
      hosts: z.array(z.string().min(1).max(253)).max(20).default([]),
      timeoutMs: z.number().int().min(10).max(10_000).default(1000),
    })
    .superRefine(({ url, hosts }, context) => {
      if (!URL.canParse(url)) return;
      const { protocol, hostname, username, password, search, hash } = new URL(url);
      const refuse = (message: string): void => context.addIssue({ code: "custom", path: ["url"], message });
      if (username + password + search + hash !== "") refuse("carries more than an address");
      if (LOOPBACK.test(hostname)) return;
      if (!hosts.includes(hostname)) refuse(`${hostname} is neither this machine nor one of \`hosts\``);
      if (protocol !== "https:") refuse("is spoken to in the clear; only this machine may be");
    }),
]);

export type EngineChoice = z.infer<typeof EngineSchema>;
