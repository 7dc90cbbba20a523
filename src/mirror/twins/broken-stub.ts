import type { StubAnswer } from "../twin-faults.ts";

/** Content type of garbage: what it claims to be, so that callers try to read it. */
export const GARBAGE_TYPE = "application/json; canary=garbage";

/** What a third party says when it is broken: an error status, or a success whose body is no JSON and no text. */
export function brokenAnswer(wrong: StubAnswer): Response {
  switch (wrong.kind) {
    case "status":
      return new Response("broken on purpose by a drill", { status: wrong.status });
    case "garbage":
      return new Response(Uint8Array.from([0x7b, 0x22, 0xff, 0x00, 0xfe, 0x5d, 0x2c, 0x7b]), {
        status: 200,
        headers: { "content-type": GARBAGE_TYPE },
      });
  }
}
