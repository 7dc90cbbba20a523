import { createServer } from "node:http";
import { seededRandom } from "../../src/core/random.ts";

// The service that bench/driver drives, in a process of its own: /fast answers at once, /slow after 2 to 20 ms, /json with
// 2 kB of JSON, /large with 60 kB of it.

const random = seededRandom(1);
const server = createServer((request, response) => {
  const list = { "/json": 20, "/large": 600 }[request.url ?? ""];
  if (list !== undefined) {
    const lines = Array.from({ length: list }, (_, i) => ({
      sku: `P-${i}`,
      quantity: 1,
      title: "a thing to be sold",
      price: random(),
    }));
    response.setHeader("content-type", "application/json").end(JSON.stringify({ lines }));
  } else if (request.url === "/slow") setTimeout(() => response.end("ok"), 2 + random() * 18);
  else response.end("ok");
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object") process.send?.(address.port);
});
process.on("disconnect", () => process.exit(0));
