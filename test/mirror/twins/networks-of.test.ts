import { expect, test } from "vitest";
import { networksOf } from "../../../src/mirror/twins/configuration.ts";

test("a service called db keeps its name in its network although its container's id begins with db", () => {
  const twin = { network: "canary-1-shadow" };
  const seen = (Id: string) =>
    networksOf(
      { twin },
      {
        Id,
        Config: { Hostname: Id.slice(0, 12) },
        NetworkSettings: { Networks: { "canary-1-shadow": { Aliases: ["db", Id.slice(0, 12)] } } },
      },
    );
  expect(seen(`db${"4".repeat(62)}`)).toEqual(["twin: db"]);
  expect(seen("7".repeat(64))).toEqual(["twin: db"]);
});
