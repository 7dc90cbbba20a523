import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { loadPolicy } from "@open-policy-agent/opa-wasm";

/** policies/opa/canary.rego as an Open Policy Agent has compiled it; canary-rego.json says which text and which agent. */
const COMPILED = readFileSync("test/policy/fixtures/canary-rego.wasm");
const REGO = readFileSync("policies/opa/canary.rego", "utf8");

/** Answers in place of the agent; undefined leaves the request to it. */
export type Trouble = (request: IncomingMessage, response: ServerResponse) => true | undefined;

export interface FakeOpa extends AsyncDisposable {
  readonly url: string;
  /** Bodies of the questions that came, in order. */
  readonly asked: readonly string[];
}

/**
 * A small Open Policy Agent: the Data API and the list of modules, in the shapes of OPA's REST documentation (an undefined
 * rule is 200 without a `result`; a body that is no JSON is 400). The rules are the real ones, compiled to WebAssembly.
 */
export async function fakeOpa(trouble: Trouble = () => undefined): Promise<FakeOpa> {
  const policy = await loadPolicy(COMPILED, { initial: 5, maximum: 200 });
  policy.setData({});
  const asked: string[] = [];
  const server = createServer((request, response) => {
    if (trouble(request, response) === true) return;
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    const { pathname } = new URL(request.url ?? "/", "http://opa");
    if (request.method === "GET" && pathname === "/v1/policies")
      return answer(200, { result: [{ id: "canary.rego", raw: REGO, ast: {} }] });
    if (request.method !== "POST" || !pathname.startsWith("/v1/data/")) return answer(404, { code: "not_found" });
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      asked.push(text);
      try {
        const { input }: { readonly input: unknown } = JSON.parse(text);
        const [set]: readonly { readonly result: unknown }[] = policy.evaluate(input, "canary/decision");
        answer(200, pathname === "/v1/data/canary/decision" && set !== undefined ? { result: set.result } : {});
      } catch (error) {
        answer(400, { code: "invalid_parameter", message: String(error) });
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
