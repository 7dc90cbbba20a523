const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/).filter((word) => word !== ""));

/** Options of Redis' client (8.0) that stand alone, and those whose next word is their value. */
const ALONE = words(
  "-c -e -2 -3 --raw --no-raw --json --csv --quoted-input --no-auth-warning --tls --insecure --scan --bigkeys --memkeys --hotkeys --version --help",
);
const WITH_VALUE = words(
  "-h -p -t -s -a -u -r -i -n -d -D --user --pass --sni --cacert --cacertdir --cert --key --tls-ciphers --tls-ciphersuites --show-pushes --pattern --quoted-pattern --count",
);

/** What a command line brings to Redis. */
export type RedisLine =
  | { readonly kind: "other" }
  | { readonly kind: "command"; readonly command: readonly string[] }
  | { readonly kind: "refused"; readonly why: string };

/**
 * The command behind `redis-cli` and its forks. An option that is not known may have a value or none (and `--eval`, `--pipe`,
 * `-x` bring what can not be read here), so that nobody knows where the command begins.
 */
export function redisCommandOf([program = "", ...args]: readonly string[]): RedisLine {
  const name = baseName(program);
  if (!/^(redis|valkey|keydb)-cli$/.test(name)) return { kind: "other" };
  let at = 0;
  for (let option = args[at]; option?.startsWith("-") === true; option = args[at]) {
    if (!ALONE.has(option) && !WITH_VALUE.has(option))
      return { kind: "refused", why: `gives ${name} the option ${option}, which no rule knows` };
    at += WITH_VALUE.has(option) ? 2 : 1;
  }
  return at >= args.length
    ? { kind: "refused", why: `runs ${name} without a command: it would wait for a person` }
    : { kind: "command", command: args.slice(at) };
}

/** `/usr/bin/env` is `env`. */
export function baseName(program: string): string {
  return program.slice(program.lastIndexOf("/") + 1);
}
