import { createClient } from "redis";
import type { Log } from "./log.ts";

/** The Redis commands the shop uses. Each rejects when Redis does not answer within a second. */
export interface Cache {
  increment(key: string): Promise<number>;
  getText(key: string): Promise<string | null>;
  setText(key: string, value: string, secondsToLive: number): Promise<void>;
  addToField(key: string, field: string, by: number): Promise<number>;
  getField(key: string, field: string): Promise<string | null>;
  ping(): Promise<void>;
  close(): void;
}

const COMMAND_MS_MAX = 1_000;
const RECONNECT_MS_MAX = 1_000;

/** Connects in the background and reconnects for ever; while disconnected, commands fail at once. */
export function openCache(options: { readonly url: string; readonly log: Log }): Cache {
  const client = createClient({
    url: options.url,
    disableOfflineQueue: true,
    commandOptions: { timeout: COMMAND_MS_MAX },
    socket: { connectTimeout: 1_000, reconnectStrategy: reconnectDelayMs },
  });
  client.on("error", (error: Error) => options.log.warn("cache connection lost", { reason: error.message }));
  client.connect().catch((error: Error) => options.log.warn("cache given up", { reason: error.message }));
  return {
    increment: (key) => client.incr(key),
    getText: (key) => client.get(key),
    setText: async (key, value, secondsToLive) => {
      await client.set(key, value, { expiration: { type: "EX", value: secondsToLive } });
    },
    addToField: (key, field, by) => client.hIncrBy(key, field, by),
    getField: (key, field) => client.hGet(key, field),
    ping: async () => {
      await client.ping();
    },
    close: () => client.destroy(),
  };
}

/** 50 ms, doubling to a second: a Redis that comes back is used again within a second. */
export function reconnectDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** attempt, RECONNECT_MS_MAX);
}
