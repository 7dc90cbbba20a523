import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { CanaryError } from "../../core/errors.ts";
import { abortable, type Engine } from "../twins/engine.ts";
import type { ProxyAnswer, ProxyCommand } from "./proxy-protocol.ts";

/** Asks one proxy and waits for its answer. */
export interface ProxyChannel {
  /** Resolves when the proxy listens. */
  ready(signal: AbortSignal): Promise<void>;
  /** @throws CanaryError MIRROR_UNAVAILABLE when the proxy is gone, refuses or does not answer in time */
  ask(command: ProxyCommand, signal: AbortSignal): Promise<unknown>;
}

type Pending = PromiseWithResolvers<unknown>;

/**
 * Talks to the proxy over its container's standard input and output. It has no port for this: nothing in the twin's
 * network could reach the switches.
 */
export async function openProxyChannel(
  engine: Engine,
  containerId: string,
  signal: AbortSignal,
): Promise<ProxyChannel> {
  const stream = await engine.read("attaching to the fault proxy", signal, (docker) =>
    docker.getContainer(containerId).attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true }),
  );
  const pending = new Map<number, Pending>([[0, Promise.withResolvers()]]);
  const complaints: string[] = [];
  let gone: CanaryError | undefined;
  const lose = (): void => {
    gone = proxyError("the fault proxy ended", complaints.join("").slice(-2000));
    for (const one of pending.values()) one.reject(gone);
    pending.clear();
  };
  // Whoever asks next reports it; until then it must not count as unhandled.
  for (const one of pending.values()) one.promise.catch(() => undefined);
  const [out, err] = [new PassThrough(), new PassThrough()];
  engine.docker.modem.demuxStream(stream, out, err);
  err.on("data", (chunk: Buffer) => complaints.push(chunk.toString("utf8")));
  stream.on("error", lose);
  stream.on("close", lose);
  stream.on("end", lose);
  createInterface({ input: out }).on("line", (line) => {
    const answer = JSON.parse(line) as ProxyAnswer;
    const asked = pending.get(answer.id);
    pending.delete(answer.id);
    if (answer.ok) asked?.resolve(answer.value);
    else asked?.reject(proxyError("the fault proxy refused", answer.message));
  });
  const started = pending.get(0)?.promise ?? Promise.resolve();
  let last = 0;
  return {
    ready: async (waiting) => void (await abortable(started, waiting)),
    ask: async (command, waiting) => {
      if (gone !== undefined) throw gone;
      const id = ++last;
      const asked = Promise.withResolvers<unknown>();
      pending.set(id, asked);
      stream.write(`${JSON.stringify({ id, ...command })}\n`);
      return await abortable(asked.promise, waiting);
    },
  };
}

function proxyError(message: string, said: string): CanaryError {
  return new CanaryError({
    code: "MIRROR_UNAVAILABLE",
    message,
    hint: said.trim() === "" ? "Its container stopped or was disturbed; run again." : said.trim(),
  });
}
