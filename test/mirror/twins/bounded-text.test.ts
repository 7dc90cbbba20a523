import { expect, test } from "vitest";
import { textAtMost } from "../../../src/mirror/twins/bounded-text.ts";

test("an answer is read whole, and letters that are cut between two pieces stay whole", async () => {
  const bytes = new TextEncoder().encode("jobs_done 7 # grün");
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  expect(await textAtMost(new Response(body), 100)).toBe("jobs_done 7 # grün");
  expect(await textAtMost(new Response(null), 100)).toBe("");
});

test("an answer without end is refused and left", async () => {
  let sent = 0;
  let left = false;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => {
      sent += 1000;
      controller.enqueue(new Uint8Array(1000));
    },
    cancel: () => {
      left = true;
    },
  });
  await expect(textAtMost(new Response(body), 10_000)).rejects.toThrow("longer than 10000 bytes");
  expect(sent).toBeLessThan(20_000);
  expect(left).toBe(true);
});
