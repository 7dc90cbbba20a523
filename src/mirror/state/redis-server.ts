import { messageOf } from "../../core/errors.ts";
import { maskedValue } from "../../core/redact.ts";
import { sha256Hex } from "../../core/sha256.ts";
import { resourcePath } from "../../plan/resource-pattern.ts";
import type { ResourcePath } from "../fingerprint.ts";
import type { StateSource, StoreState } from "./store-state.ts";

type Resource = readonly [ResourcePath, string];
type Ask = (command: readonly string[]) => Promise<unknown>;

const DIGEST_CHARS = 12;

/**
 * What a Redis is beside its keys: settings, users with their rules, libraries of functions, modules, under
 * `redis/<service>/setting/<name>`. Stored passwords and code are digests.
 * @returns `unseen` for what the mirror's user may not ask
 */
export async function redisServer(
  source: Pick<StateSource, "redis">,
  store: { readonly service: string },
): Promise<Pick<StoreState, "resources" | "unseen">> {
  const unseen: string[] = [];
  const ask: Ask = (command) => source.redis(store, command);
  const askIfKnown: Ask = async (command) => {
    try {
      return await ask(command);
    } catch (cause) {
      const said = messageOf(cause);
      // An older Redis has none of what it would tell.
      if (/unknown (?:sub)?command/i.test(said)) return [];
      if (!/NOPERM/.test(said)) throw cause;
      unseen.push(`${command.slice(0, 2).join(" ")} of ${store.service}: ${said}`);
      return [];
    }
  };
  const path = (name: string): ResourcePath => resourcePath("redis", store.service, "setting", name);
  const parts = await Promise.all([settings(ask), users(askIfKnown), libraries(askIfKnown), modules(askIfKnown)]);
  return { resources: Object.fromEntries(parts.flat().map(([name, value]) => [path(name), value])), unseen };
}

async function settings(ask: Ask): Promise<readonly Resource[]> {
  return pairsOf(await ask(["CONFIG", "GET", "*"])).map(([name, value]) => [name, maskedValue(name, value)]);
}

/** `user <name> <rule>...`; a password in it is `#` and its SHA-256, of which a digest is kept. */
async function users(ask: Ask): Promise<readonly Resource[]> {
  return listOf(await ask(["ACL", "LIST"])).map((line) => {
    const [, name = "", ...rules] = String(line).split(" ");
    return [`acl:${name}`, rules.map((rule) => (rule.startsWith("#") ? `#${digest(rule)}` : rule)).join(" ")];
  });
}

async function libraries(ask: Ask): Promise<readonly Resource[]> {
  return listOf(await ask(["FUNCTION", "LIST", "WITHCODE"])).map((library) => {
    const facts = new Map(pairsOf(library));
    return [`function:${facts.get("library_name") ?? "?"}`, `code ${digest(facts.get("library_code") ?? "?")}`];
  });
}

async function modules(ask: Ask): Promise<readonly Resource[]> {
  return listOf(await ask(["MODULE", "LIST"])).map((module) => {
    const facts = new Map(pairsOf(module));
    return [`module:${facts.get("name") ?? "?"}`, `version ${facts.get("ver") ?? "?"}`];
  });
}

/** RESP2 answers maps as flat lists, RESP3 as objects or Maps. */
export function pairsOf(reply: unknown): readonly (readonly [string, string])[] {
  if (Array.isArray(reply)) {
    return reply.flatMap((name, index) => (index % 2 === 0 ? [[String(name), String(reply[index + 1])] as const] : []));
  }
  const entries: Iterable<readonly [unknown, unknown]> = reply instanceof Map ? reply : Object.entries(reply ?? {});
  return [...entries].map(([name, value]) => [String(name), String(value)] as const);
}

function listOf(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : [];
}

function digest(text: string): string {
  return sha256Hex(text).slice(0, DIGEST_CHARS);
}
