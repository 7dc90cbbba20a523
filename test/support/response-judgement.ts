import type { ResponseJudgement } from "../../src/judge/response-changes.ts";

/** Answers of three routes: one that a plan changed, one with noise alone, one of which too little was seen. */
export const RESPONSES: ResponseJudgement = {
  level: 0.002,
  routes: [
    {
      route: "checkout",
      pairs: { before: 262, inForce: 181, after: 64 },
      uncompared: 3,
      enough: true,
      fields: [
        {
          path: "body/lines/[]/price",
          kinds: ["value"],
          state: "changed",
          differing: { before: 0, inForce: 181, after: 0 },
          chance: 1e-60,
          example: { control: "10.5", shadow: "12.5" },
        },
        {
          path: "header/x-currency",
          kinds: ["missing"],
          state: "declared",
          differing: { before: 0, inForce: 181, after: 0 },
          chance: 1e-60,
          example: { control: "EUR", shadow: "nothing" },
        },
        {
          path: "body/stock",
          kinds: ["value"],
          state: "unclear",
          differing: { before: 0, inForce: 44, after: 64 },
          chance: 1,
          because: "it still differs after the undo, as it does where a race has parted the twins' states",
          example: { control: "7", shadow: "8" },
        },
        {
          path: "body/orderId",
          kinds: ["size", "value"],
          state: "noise",
          differing: { before: 262, inForce: 181, after: 64 },
          chance: 1,
          example: { control: "24 characters (sha256:0a1b2c3d4e5f)", shadow: "24 characters (sha256:5f4e3d2c1b0a)" },
        },
      ],
      more: 0,
    },
    {
      route: "browse",
      pairs: { before: 260, inForce: 180, after: 66 },
      uncompared: 0,
      enough: true,
      fields: [],
      more: 0,
    },
    { route: "import", pairs: { before: 6, inForce: 4, after: 1 }, uncompared: 0, enough: false, fields: [], more: 0 },
  ],
};
