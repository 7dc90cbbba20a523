import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { afterEach, expect, test, vi } from "vitest";
import { main } from "../../src/cli/main.ts";

afterEach(() => void vi.restoreAllMocks());

/** What `canary <names> --help` prints. */
async function helpOf(names: readonly string[]): Promise<string> {
  let printed = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    printed += String(chunk);
    return true;
  });
  await main([...names, "--help"]);
  write.mockRestore();
  return printed;
}

/** Every command below, with the help of each. */
async function helpsBelow(names: readonly string[]): Promise<readonly (readonly [string, string])[]> {
  const help = await helpOf(names);
  const listed = /\nCommands:\n([\s\S]*?)(?:\n\n|$)/.exec(help)?.[1] ?? "";
  const children = [...listed.matchAll(/^ {2}([a-z]\S*)/gm)].flatMap(([, name = ""]) =>
    name === "help" ? [] : [name],
  );
  const helps: (readonly [string, string])[] = [[names.join(" "), help]];
  for (const child of children) helps.push(...(await helpsBelow([...names, child])));
  return helps;
}

test("every command that does something shows an example in its help", async () => {
  const helps = await helpsBelow([]);
  expect(helps.length).toBeGreaterThan(40);
  const doing = helps.filter(([, help]) => !help.includes("\nCommands:"));
  expect(doing.filter(([, help]) => !/^Examples?:$/m.test(help)).map(([name]) => name)).toEqual([]);
});

test("help says of every option that is demanded that it is", async () => {
  const help = (await helpOf(["gate", "kill"])).split(/\s+/).join(" ");
  for (const text of ["trusted for the role operator (demanded)", "whoever is refused (demanded)"])
    expect(help).toContain(text);
  expect(help).not.toContain("names it (demanded)");
});

test("wherever a key's file is given, the help says whether it is the private or the public one", async () => {
  const options = (await helpsBelow([])).flatMap(([name, help]) =>
    [...help.matchAll(/^ {2}(--(?:trusted-)?key <[^>]+>)([\s\S]*?)(?=^ {2}-|\n\n)/gm)].map(
      ([, flag, text = ""]) => `${name} ${flag} ${text.split(/\s+/).join(" ")}`,
    ),
  );
  expect(options.length).toBeGreaterThan(15);
  expect(options.filter((text) => !/(?:private key \(\*\.key\)|public key \(\*\.pub\))/.test(text))).toEqual([]);
});

test("a reader that has gone ends a command without a stack trace, and not as a success", async () => {
  const child = spawn(process.execPath, ["bin/canary.js", "schema", "scenario"]);
  child.stdout.destroy();
  const [said, [exitCode]] = await Promise.all([text(child.stderr), once(child, "close")]);
  expect({ said, exitCode }).toEqual({ said: "", exitCode: 141 });
});
