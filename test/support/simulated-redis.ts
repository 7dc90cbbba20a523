/**
 * Answers the commands that the simulation knows: strings only, and the two scripts by which the harness saves keys and
 * puts them back (told by their words; the "dump" is the value itself in hexadecimal).
 */
export function runSimulatedRedis(keys: Map<string, string>, command: readonly string[]): unknown {
  const [verb = "", key = "", value = ""] = command;
  switch (verb.toUpperCase()) {
    case "SET":
      keys.set(key, value);
      return "OK";
    case "APPEND":
      keys.set(key, (keys.get(key) ?? "") + value);
      return keys.get(key)?.length;
    case "DEL":
      return command.slice(1).filter((one) => keys.delete(one)).length;
    case "GET":
      return keys.get(key) ?? null;
    case "MULTI":
    case "DISCARD":
      return "OK";
    case "COMMAND":
      return keysOf(command.slice(2));
    case "EVAL":
      return runScript(keys, command);
    default:
      throw new Error(`ERR unknown command '${verb}'`);
  }
}

function keysOf([verb = "", ...rest]: readonly string[]): readonly string[] {
  if (rest.length === 0) throw new Error("ERR The command has no key arguments");
  return verb.toUpperCase() === "DEL" ? rest : rest.slice(0, 1);
}

function runScript(keys: Map<string, string>, [, script = "", , key = "", dump = ""]: readonly string[]): unknown {
  if (script.includes("'RESTORE'")) {
    keys.set(key, Buffer.from(dump, "hex").toString("utf8"));
    return "OK";
  }
  const value = keys.get(key);
  return value === undefined ? [null, -1] : [Buffer.from(value).toString("hex"), -1];
}
