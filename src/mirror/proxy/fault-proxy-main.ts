// The process in the proxy's container: links in CANARY_LINKS, commands on stdin, answers on stdout.
import { env, hrtime, stdin, stdout } from "node:process";
import { createInterface } from "node:readline";
import { seededRandom } from "../../core/random.ts";
import { type CarriedLink, type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import type { ProxyAnswer, ProxyCommand } from "./proxy-protocol.ts";

function say(answer: ProxyAnswer): void {
  stdout.write(`${JSON.stringify(answer)}\n`);
}

async function obey(proxy: FaultProxy, command: ProxyCommand): Promise<unknown> {
  switch (command.op) {
    case "know":
      return proxy.know(command.address, command.service);
    case "toxics":
      return proxy.setToxics(command.link, command.toxics);
    case "traffic":
      return proxy.traffic(command.link);
    case "probe":
      return await proxy.probe(command.link, Buffer.from(command.helloBase64, "base64"), command.waitMs);
    case "echo":
      return await proxy.echo(command.link, command.bytes, command.waitMs);
  }
}

const proxy = await startFaultProxy({
  host: "0.0.0.0",
  links: JSON.parse(env["CANARY_LINKS"] ?? "[]") as readonly CarriedLink[],
  tools: {
    nowMs: () => Number(hrtime.bigint()) / 1e6,
    sleep: (durationMs) => new Promise((resolve) => setTimeout(resolve, durationMs)),
    random: seededRandom(Number(env["CANARY_SEED"] ?? "1")),
  },
});
say({ id: 0, ok: true, value: null });
for await (const line of createInterface({ input: stdin })) {
  const { id, ...command } = JSON.parse(line) as ProxyCommand & { readonly id: number };
  obey(proxy, command as ProxyCommand).then(
    (value) => say({ id, ok: true, value: value ?? null }),
    (error: unknown) => say({ id, ok: false, message: String(error) }),
  );
}
// The harness is gone, and with it everybody who could switch a toxic off again.
proxy.close();
