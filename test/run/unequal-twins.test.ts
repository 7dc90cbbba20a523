import { expect, test } from "vitest";
import { unequalTwins } from "../../src/run/unequal-twins.ts";
import { fingerprintFrom } from "../support/fingerprint-builder.ts";

test("twins whose servers started in different seconds are equal, those with different configuration are not", () => {
  const twin = (lock: string, replicas: string) => ({
    ...fingerprintFrom({ resources: { "service/worker/replicas": replicas }, tables: {}, keys: {} }),
    files: { "file/db/run/.s.PGSQL.5432.lock": lock },
  });
  expect(unequalTwins({ control: twin("started at 1", "1"), shadow: twin("started at 2", "1") })).toEqual([]);
  const [unequal] = unequalTwins({ control: twin("started at 1", "1"), shadow: twin("started at 1", "2") });
  expect(unequal?.path).toBe("service/worker/replicas");
});
