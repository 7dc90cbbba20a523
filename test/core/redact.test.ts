import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { looksSecret, maskedValue, redact, redactDeep, redactForPeople } from "../../src/core/redact.ts";

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

test.each([
  "passkeys.yaml:3:5 `passkeys[0].id`: Invalid string: must match pattern",
  "/etc/canary/tokens.yml:12:1 Implicit keys need to be on a single line",
  "cannot read secrets/trust-keys.json:2:40: it ends too early",
])("where in a document something is wrong is read, whatever the document is called: %s", (text) => {
  expect(redactForPeople(text)).toBe(text);
});

test("a document's name before anything but a place is the name of a secret", () => {
  const name = fc.constantFrom("passkeys.yaml", "tokens.yml", "secret.json", "client-secret.yaml");
  const assign = fc.constantFrom(":", ": ", "=", " : ");
  const secret = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9/+_.!-]{8,40}$/),
    fc.stringMatching(/^\d{1,7}:\d{1,7}:[A-Za-z0-9]{8,20}$/),
    fc.stringMatching(/^\d{8,12}:\d{1,3}$/),
  );
  fc.assert(
    fc.property(name, assign, secret, (file, sign, value) => {
      expect(redactForPeople(`a=1 ${file}${sign}${value} b=2`)).not.toContain(value);
    }),
  );
  // Neither is it a place behind anything but a document's name, or apart from it.
  for (const text of ["pin_token:1234:5678", "tokens.yaml: 1234:5678", "tokens.yaml=1234:5678", "db.secret:1234:5678"])
    expect(redact(text)).not.toContain("1234:5678");
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
  ])("%s", (text, masked) => expect(redactForPeople(text)).toBe(masked));

  test.each([
    "order 1234567890123 took 12.5 ms at 2026-11-30T03:25:05Z",
    'worker-1 | shop_jobs_done_total{kind="fulfil"} 12345',
    "10.201.3.2:8080 answered, version 1.2.3.4567, status=paid, hostname=api-1",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  ])("leaves %s alone", (text) => expect(redactForPeople(text)).toBe(text));
});

describe("what a redactor meets in the wild", () => {
  test.each([
    ["a cookie header to the end of its line", "Cookie: session=abc123; theme=dark\nnext", "Cookie: [masked]\nnext"],
    ["an unfinished escape in a secret", '{"password":"abc\\', '{"password":"[masked]"'],
    ["a line break behind a backslash", 'password="abc\\\ndef" next', 'password="[masked]" next'],
    ["a card behind other numbers", "paid 7 with 4111 1111 1111 1111 2 times", "paid 7 with [card] 2 times"],
    ["an account before other words", "to DE89 3704 0044 0532 0130 00 FROM ACME", "to [account] FROM ACME"],
    ["a public address of version six", "from 2a00:1450:4001:829::200e at noon", "from [address] at noon"],
    ["a full address of version six", "2a00:1450:4001:0829:0000:0000:0000:200e", "[address]"],
    ["a webhook's secret", `got whsec_${"A1b2".repeat(8)}`, "got [masked]"],
    ["a token of GitLab", `got glpat-${"a1B2".repeat(5)}`, "got [masked]"],
    ["a masked value that is masked again", "phone=+49 30 12345678", "phone=[phone]"],
  ])("%s", (_, text, masked) => expect(redactForPeople(text)).toBe(masked));

  test.each([
    "an instant in milliseconds: 1764486301234 and 1764486305678",
    "rows grew by +1234567, bytes by +12345678",
    "at 12:30:45 and 2026:11:30, ratio 3:4:5",
    "ACME PART AB12 CDEF GHIJ KLMN",
    "sha256:48e33d24d3c97ff12a364f64b58402206c8bb6d71e76b592fe2177922499c989",
    "key 2koUKF+TG3ayg2bHNNvUVWxv7bFgWXlFJcFyx8DPIaM=",
    "db/db/shop/rows/products/17/stock, container 172.18.0.5:8080",
  ])("%s is left alone", (text) => expect(redactForPeople(text)).toBe(text));
});

/** Things that must not come through, each by a shape of its own. */
const PLANTED = fc.oneof(
  fc.stringMatching(/^[a-z]{3,10}\.[a-z]{3,10}@[a-z]{3,10}\.example$/),
  fc.constantFrom("4111111111111111", "5500 0000 0000 0004", "3400-0000-0000-009"),
  fc.constantFrom("DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19"),
  fc.stringMatching(/^\+49 30 [1-9]\d{7}$/),
  fc.stringMatching(/^ghp_[A-Za-z0-9]{36}$/),
  fc.stringMatching(/^AKIA[A-Z0-9]{16}$/),
  fc.stringMatching(/^eyJ[A-Za-z0-9]{20}\.[A-Za-z0-9]{20}\.[A-Za-z0-9]{20}$/),
  fc.stringMatching(/^93\.184\.[1-9]\d\.[1-9]\d$/),
);
/** What stands around it: never a character that would make it part of another word. */
const AROUND = fc.oneof(
  fc.constantFrom("", " ", "\n", "order 7 of ", '{"id":7,"note":"', "GET /a?b=", "worker-1 | ", "(", "mail <"),
  fc.stringMatching(/^[a-z ]{0,20} $/),
);

test("nothing that was planted comes through, whatever stands around it", () => {
  fc.assert(
    fc.property(
      AROUND,
      PLANTED,
      fc.constantFrom("", " ", "\n", '"}', ", next", ")", "> done"),
      (before, planted, after) => {
        expect(redactForPeople(`${before}${planted}${after}`)).not.toContain(planted);
      },
    ),
    { numRuns: 1000 },
  );
});

test("nothing that is assigned to a secret comes through, in any quotes", () => {
  const value = fc.stringMatching(/^[A-Za-z0-9/+_.!-]{8,40}$/);
  const name = fc.constantFrom("password", "API_KEY", "client-secret", "authToken", "DB_PASSWORD", "session_token");
  fc.assert(
    fc.property(
      name,
      value,
      fc.constantFrom('"', "'", ""),
      fc.constantFrom("=", ": ", " : "),
      (key, secret, quote, assign) => {
        expect(redactForPeople(`a=1 ${key}${assign}${quote}${secret}${quote} b=2`)).not.toContain(secret);
        expect(redactForPeople(JSON.stringify({ a: 1, [key]: secret }))).not.toContain(secret);
      },
    ),
  );
});

test("redacting twice changes nothing more, whatever the text", () => {
  const pieces = fc.array(
    fc.oneof(
      fc.string({ maxLength: 10 }),
      PLANTED,
      AROUND,
      fc.constantFrom(
        "phone=",
        '"full_name":"',
        "password=",
        "Cookie: ",
        "Bearer ",
        "tokens.yaml:",
        "3:5",
        "[card]",
        "[masked]",
        "'",
        '"',
        "\\",
      ),
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(pieces, (parts) => {
      const once = redactForPeople(parts.join(""));
      expect(redactForPeople(once)).toBe(once);
    }),
    { numRuns: 2000 },
  );
});

test("long texts of nearly anything are read: with a pattern that is quadratic this would not come to its end", () => {
  const pieces = [
    ..."a. password token= :// Bearer eyJ eyJ- eyJa. a@ 1- +1 AB12 2a00: phone= xoxb- 93. a:b@ ://a:".split(" "),
    ...["1 ", "-----BEGIN A----- ", '"street":"', "Cookie: ", "PASSWORD '", "PASSWORD $$", '\\"', 'password="\\'],
  ];
  for (const piece of pieces) expect(redactForPeople(piece.repeat(Math.ceil(262_144 / piece.length)))).not.toBe("");
});

describe("a value of many texts", () => {
  test("is redacted everywhere, and keeps its shape", () => {
    const value = {
      reasons: [{ message: "asked ada@example.com", n: 7, share: Number.POSITIVE_INFINITY, none: null }],
      keyId: "2koUKF+TG3ayg2bHNNvUVWxv7bFgWXlFJcFyx8DPIaM=",
    };
    expect(redactDeep(value)).toEqual({ ...value, reasons: [{ ...value.reasons[0], message: "asked [email]" }] });
  });

  test("masks by name what stands in a plan's or a service's own objects, and nothing by ours", () => {
    const value = { key: "k1", actions: [{ with: { environment: { DB_PASSWORD: "hunter2", PORT: "80" }, token: 7 } }] };
    expect(redactDeep(value)).toEqual({
      key: "k1",
      actions: [{ with: { environment: { DB_PASSWORD: "[masked]", PORT: "80" }, token: "[masked]" } }],
    });
  });

  test("keeps who answers for something, but not their secrets", () => {
    const value = { person: "ada@example.com", by: `ghp_${"a1".repeat(15)}`, comment: "mail ada@example.com" };
    expect(redactDeep(value)).toEqual({ person: "ada@example.com", by: "[masked]", comment: "mail [email]" });
  });
});
