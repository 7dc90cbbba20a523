type Loose = ReturnType<typeof JSON.parse>;
export type Random = () => number;

/** A body with something changed: members, characters, or what parsers disagree about. */
export function changedBody(body: unknown, random: Random): string | Uint8Array {
  const kind = random();
  if (kind < 0.05) return JSON.stringify(body);
  if (kind < 0.3) return changedText(JSON.stringify(body), random);
  if (kind < 0.5) return nasty(JSON.stringify(body), random);
  const copy = structuredClone(body);
  for (let times = 1 + Math.floor(random() * 3); times > 0; times--) changeMember(copy, random);
  return JSON.stringify(copy);
}

/** A path with something changed in it, in characters that may stand on a request line. */
export function changedPath(path: string, random: Random): string {
  const step = pick(
    ["/..", "/.", "/%2e%2e", "/%2e%2e%2f", "//", "/%00", "/..;", "/\\..", "/__proto__", "/%c0%ae"],
    random,
  );
  const at = path.indexOf("/", 1 + Math.floor(random() * path.length));
  const changed =
    random() < 0.5 && at > 0
      ? `${path.slice(0, at)}${step}${path.slice(at)}`
      : changedText(path, random).replaceAll(/[^\x21-\x7e]|#/g, "x");
  return changed.startsWith("/") ? changed : `/${changed}`;
}

const NASTY: readonly ((text: string, random: Random) => string | Uint8Array)[] = [
  // A key twice: readers disagree which one counts.
  (text, random) => {
    const keys = [...text.matchAll(/"([A-Za-z]+)":/g)].map(([, key]) => key ?? "");
    const value = JSON.stringify(pick(VALUES, random) ?? null);
    return text.replace(/\{/, `{"${pick(keys, random) ?? "plan"}":${value},`);
  },
  (text) => text.replace(/\}$/, `,${text.slice(1, -1)}}`),
  (text) => text.replace(/\{/, '{"__proto__":{"isAdmin":true,"may":["promote"],"allow":true},'),
  (text) => text.replace(/\{/, '{"constructor":{"prototype":{"decision":"admit"}},'),
  (text) => text.replace(/\{/, '{"\\u005f_proto__":{"allow":true},'),
  // Nested deeper than a parser that recurses can bear.
  (text, random) => text.replace(/:/, `:${"[".repeat(10 + Math.floor(random() * 20_000))}`),
  (text, random) => {
    const depth = 50 + Math.floor(random() * 500);
    return text.replace(/\}$/, `,"x":${'{"a":'.repeat(depth)}0${"}".repeat(depth)}}`);
  },
  // Bytes that are no UTF-8, in the middle of a text.
  (text, random) => withBytes(text, [0xff], random),
  (text, random) => withBytes(text, [0xc0, 0xaf], random),
  (text, random) => withBytes(text, [0xed, 0xa0, 0x80], random),
  (text, random) => withBytes(text, [0xf5, 0x80, 0x80, 0x80], random),
  (text) => Buffer.from(`\ufeff${text}`),
  (text) => Buffer.from(text, "utf16le"),
  (text) => `${text}${text}`,
  (text) => `${text}\u0000`,
  (text) => text.replaceAll('"', "'"),
  (text) => text.replace(/\}$/, ",}"),
  (text) => `[${text}]`,
  (text) => JSON.stringify(text),
  (text) => text.replace(/"([^"]*)":/, '"$1\\u0000":'),
  (text) => text.replace(/\d+/, "1e999"),
  (text) => text.replace(/\d+/, "0x3"),
  (text, random) => (random() < 0.05 ? `${text}${" ".repeat(3_200_000)}` : `${" ".repeat(1000)}${text}`),
];

function nasty(text: string, random: Random): string | Uint8Array {
  return pick(NASTY, random)?.(text, random) ?? text;
}

function withBytes(text: string, bytes: readonly number[], random: Random): Uint8Array {
  const whole = Buffer.from(text);
  const at = Math.floor(random() * whole.length);
  return Buffer.concat([whole.subarray(0, at), Buffer.from(bytes), whole.subarray(at)]);
}

const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  "",
  "*",
  "**",
  "../..",
  "sha256:",
  "__proto__",
  [],
  {},
  "a".repeat(5000),
  "\u0000",
  "\ud800",
];

function changeMember(value: Loose, random: Random): void {
  const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
  const key = pick(keys, random);
  if (key === undefined) return;
  const inner = value[key];
  if (typeof inner === "object" && inner !== null && Object.keys(inner).length > 0 && random() < 0.8) {
    changeMember(inner, random);
    return;
  }
  const kind = random();
  if (kind < 0.2) delete value[key];
  else if (kind < 0.4)
    value[pick(["x", "constructor", "isAdmin", key.toUpperCase()], random) ?? "x"] = pick(VALUES, random);
  else if (kind < 0.6 && typeof inner === "string") value[key] = changedText(inner, random);
  else value[key] = pick(VALUES, random);
}

/** A text in which one place was overwritten, cut, lengthened or repeated. */
export function changedText(text: string, random: Random): string {
  const at = Math.floor(random() * (text.length + 1));
  const noise = String.fromCharCode(Math.floor(random() * 256));
  const kind = random();
  if (kind < 0.3) return text.slice(0, at) + noise + text.slice(at + 1);
  if (kind < 0.6) return text.slice(0, at) + text.slice(at + 1 + Math.floor(random() * 4));
  if (kind < 0.8) return text.slice(0, at) + noise + text.slice(at);
  return text.slice(0, at) + text.slice(Math.floor(random() * text.length));
}

export function pick<T>(list: readonly T[], random: Random): T | undefined {
  return list[Math.floor(random() * list.length)];
}
