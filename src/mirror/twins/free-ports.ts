import { createServer } from "node:net";
import { CanaryError } from "../../core/errors.ts";

/** Below the range from which the kernel takes source ports, so that no outgoing connection can hold one. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/**
 * Finds ports that nobody listens on at 127.0.0.1, scanning circularly from a random place.
 * @param random - uniform in [0, 1)
 * @throws CanaryError MIRROR_UNAVAILABLE when the range is full
 */
export async function freeLoopbackPorts(options: {
  readonly count: number;
  readonly random: () => number;
}): Promise<readonly number[]> {
  const size = LAST_PORT - FIRST_PORT;
  const start = Math.floor(options.random() * size);
  const free: number[] = [];
  for (let step = 0; step < size && free.length < options.count; step++) {
    const port = FIRST_PORT + ((start + step) % size);
    if (await isFree(port)) free.push(port);
  }
  if (free.length === options.count) return free;
  throw new CanaryError({
    code: "MIRROR_UNAVAILABLE",
    message: `no ${options.count} free ports between ${FIRST_PORT} and ${LAST_PORT} on loopback`,
    hint: "Stop what listens there; `ss -ltn` shows it.",
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
