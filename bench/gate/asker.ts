// The other process of decisions.ts: sends each request at its own time, whether or not earlier ones were answered.
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

interface Task {
  readonly url: string;
  readonly token: string;
  readonly mode: "check" | "promote";
  readonly perSecond: number;
  readonly plans: readonly { readonly sha256: string; readonly environment: string }[];
}

process.once("message", (task: Task) => {
  void ask(task).then((report) => process.send?.(report, () => process.disconnect()));
});

async function ask({ url, token, mode, perSecond, plans }: Task): Promise<object> {
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  const tookMs: number[] = [];
  const statuses: Record<string, number> = {};
  const path = mode === "check" ? "/v1/promotions/check" : "/v1/promotions";
  const startMs = performance.now();
  const waiting = plans.map(async ({ sha256, environment }, index) => {
    const dueMs = startMs + (index * 1000) / perSecond;
    await sleep(Math.max(0, dueMs - performance.now()));
    const change = { kind: "resources", resources: [{ path: "service/worker/replicas", to: 3 }] };
    const body = JSON.stringify({ plan: sha256, environment, change });
    const status = await send(new URL(path, url), body, { agent, token, key: String(index) });
    // From when it was due, not from when it was sent: queueing here is waiting there.
    tookMs.push(performance.now() - dueMs);
    statuses[status] = (statuses[status] ?? 0) + 1;
  });
  await Promise.all(waiting);
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round((sorted[Math.floor(share * (sorted.length - 1))] ?? 0) * 100) / 100;
  const seconds = (performance.now() - startMs) / 1000;
  agent.destroy();
  return {
    statuses,
    perSecondAnswered: Math.round(plans.length / seconds),
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    maxMs: at(1),
  };
}

function send(
  url: URL,
  body: string,
  { agent, token, key }: { readonly agent: Agent; readonly token: string; readonly key: string },
): Promise<string> {
  return new Promise((resolve) => {
    const headers = {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      "idempotency-key": key,
    };
    const sent = request(url, { method: "POST", agent, headers }, (response) => {
      response.resume().on("end", () => resolve(String(response.statusCode)));
    });
    sent.on("error", (error) => resolve(error.message));
    sent.end(body);
  });
}
