import { createServer } from "node:http";
import { seededRandom } from "../../src/core/random.ts";

// The service that bench/driver drives, in a process of its own: /fast answers at once, /slow after 2 to 20 ms.

const random = seededRandom(1);
const server = createServer((request, response) => {
  if (request.url === "/slow") setTimeout(() => response.end("ok"), 2 + random() * 18);
  else response.end("ok");
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object") process.send?.(address.port);
});
process.on("disconnect", () => process.exit(0));
