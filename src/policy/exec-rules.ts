import {
  CLIENTS,
  DESTROYING,
  IMPERSONATING,
  INTERACTIVE,
  INTERPRETERS,
  SHELL_WORDS,
  SHELLS,
  WRAPPERS,
} from "./program-lists.ts";

/** An argument that is an operator of a shell and nothing else, or begins like a redirection. */
const OPERATOR =
  /^(\|\|?|\|&|&&?|;;?|!|\(|\)|\{|\}|<<?-?|<<<|\d*>>?|&>>?|\d*>&\d*-?|\d*<&\d*-?)$|^(\d*|&)(>>?|<)[^=\s]/;
/** A shell would put something else in its place; a program gets these very characters. */
const SUBSTITUTION = /\$\(|\$\{|`|\$\(\(|<\(|>\(/;
/** Two commands on one line, as shells tell them apart. */
const SEQUENCE = /\s(\|\|?|&&)\s|;\s*$|\s\|\s/;

/**
 * Why a program may not be run: sentences without a subject, empty when it may. Nothing here makes a program safe (it stays
 * a production write); what is refused is what no rehearsal could carry out as its author meant it, or nobody could read.
 */
export function execRefusals(argv: readonly string[]): readonly string[] {
  return [...new Set([...lineRefusals(argv), ...programRefusals(argv)])];
}

/** Why a program counts as a loss of data: `rm` and its like. */
export function destroys(argv: readonly string[]): string | undefined {
  const [program = "", ...args] = unwrapped(argv);
  const found = DESTROYING.find(
    ({ program: name, argument }) =>
      name.test(baseName(program)) && (argument === undefined || args.some((one) => argument.test(one))),
  );
  if (found === undefined) return undefined;
  const trigger = found.argument === undefined ? undefined : args.find((one) => found.argument?.test(one));
  return `runs ${baseName(program)}${trigger === undefined ? "" : ` ${trigger}`}, which destroys what nothing else may hold`;
}

/** The SQL texts that a `psql` command line brings (`-c`). */
export function sqlOfCommand(argv: readonly string[]): readonly string[] {
  const [program = "", ...args] = unwrapped(argv);
  if (baseName(program) !== "psql") return [];
  return args.flatMap((one, index): readonly string[] => {
    if (one === "--command" || /^-[a-zA-Z0-9]*c$/.test(one)) return [args[index + 1] ?? ""];
    const glued = /^(?:--command=|-c)([\s\S]+)$/.exec(one)?.[1];
    return glued === undefined ? [] : [glued];
  });
}

/** The command that a `redis-cli` command line brings; empty when it is no such line. */
export function redisOfCommand(argv: readonly string[]): readonly string[] {
  const [program = "", ...args] = unwrapped(argv);
  if (baseName(program) !== "redis-cli") return [];
  const at = args.findIndex(
    (one, index) => !one.startsWith("-") && !/^-(h|p|n|a|u|r|i|s)$/.test(args[index - 1] ?? ""),
  );
  return at < 0 ? [] : args.slice(at);
}

function lineRefusals(argv: readonly string[]): readonly string[] {
  const [program = ""] = argv;
  return [
    ...(/[\s|&;<>()$`"'\\*?]/.test(program)
      ? [`names "${program}" as its program, which is a line for a shell: give the program and each argument apart`]
      : []),
    ...argv.slice(1).flatMap((one) => {
      if (OPERATOR.test(one))
        return [`has the shell operator "${one}" among its arguments: there is no shell, one action runs one program`];
      if (SUBSTITUTION.test(one) || SEQUENCE.test(one))
        return [`has an argument written for a shell ("${cut(one)}"): nothing would be substituted, piped or chained`];
      return [];
    }),
  ];
}

function programRefusals(argv: readonly string[]): readonly string[] {
  const [wrapper = ""] = argv;
  // Behind a wrapper any word may be the program: its options are its own, so none of the words is trusted.
  const candidates = WRAPPERS.has(baseName(wrapper)) ? argv.map((_, at) => argv.slice(at)) : [argv];
  return candidates.flatMap((one) => oneProgramRefusals(one, argv));
}

function oneProgramRefusals([first = "", ...args]: readonly string[], argv: readonly string[]): readonly string[] {
  const program = baseName(first);
  const interpreter = INTERPRETERS[/^python[\d.]*$/.test(program) ? "python" : program];
  const client = CLIENTS[program];
  const asTerminal = args.find(
    (one) => /^-(?!-)[a-z]*(it|ti)[a-z]*$/.test(one) || one === "--tty" || one === "--interactive",
  );
  if (IMPERSONATING.has(program)) return [`acts as somebody else (${program}): an action has the rights it was given`];
  if (SHELLS.has(program)) return shellRefusals(program, args);
  if (SHELL_WORDS.has(program) && first === program) return [`names ${program}, a word of shells and no program`];
  if (program === "xargs" || program === "parallel")
    return [`runs ${program}, which runs programs on what it reads, and there is nothing to read from`];
  if (INTERACTIVE.has(program)) return [`runs ${program}, which waits for a person at a terminal`];
  if (interpreter !== undefined && args.length === 0)
    return [`runs ${program} without a script: it would wait for a person`];
  if (interpreter !== undefined && args.some((one) => interpreter.test(one)))
    return [
      `gives ${program} code on its command line, which nobody can read as a change: put it into a file of the image`,
    ];
  if (client !== undefined && !args.some((one) => client.test(one)))
    return [`runs ${program} without a statement: it would wait for a person`];
  if (program === "psql" && args.some((one) => /^(-[a-zA-Z0-9]*f|--file)/.test(one)))
    return ["runs SQL out of a file (psql -f), which can not be read here: write it into a `sql` action"];
  if (program === "redis-cli" && redisOfCommand(argv).length === 0)
    return ["runs redis-cli without a command: it would wait for a person"];
  if (asTerminal !== undefined && CONTAINER_TOOLS.test(program))
    return [`asks for a terminal (${program} ${asTerminal}), and nobody sits at it`];
  return endlessRefusals(program, args);
}

const CONTAINER_TOOLS = /^(docker|podman|nerdctl|kubectl|oc|crictl|ctr|lxc)$/;

function shellRefusals(shell: string, args: readonly string[]): readonly string[] {
  const script = args.find((one) => !one.startsWith("-") && !one.startsWith("+"));
  if (args.some((one) => /^-(?!-)[a-zA-Z]*c/.test(one)))
    return [`runs a line of shell (${shell} -c), which can do anything: give the program and its arguments`];
  if (script === undefined || args.some((one) => /^-(?!-)[a-zA-Z]*[is]/.test(one)))
    return [`runs ${shell} without a script: it would wait for a person`];
  return [];
}

/** Programs that do not end by themselves, or open an editor, with these arguments. */
const ENDLESS: readonly { readonly program: RegExp; readonly argument: RegExp; readonly why: string }[] = [
  { program: /^(tail|journalctl)$/, argument: /^(-[a-zA-Z0-9]*[fF]|--follow.*)$/, why: "never ends" },
  { program: CONTAINER_TOOLS, argument: /^(--follow|-f=true|attach|port-forward|proxy|debug)$/, why: "never ends" },
  { program: CONTAINER_TOOLS, argument: /^(edit)$/, why: "opens an editor" },
  { program: /^crontab$/, argument: /^-[a-z]*e$/, why: "opens an editor" },
  { program: /^git$/, argument: /^(-i|--interactive|--edit|-p|--patch)$/, why: "waits for a person" },
  { program: /^systemctl$/, argument: /^edit$/, why: "opens an editor" },
  { program: /^ping$/, argument: /^(?!-c)/, why: "may never end" },
];

function endlessRefusals(program: string, args: readonly string[]): readonly string[] {
  const found = ENDLESS.find((one) => one.program.test(program) && args.some((arg) => one.argument.test(arg)));
  if (found === undefined || (program === "ping" && args.includes("-c"))) return [];
  const argument = args.find((one) => found.argument.test(one)) ?? "";
  return [`runs ${program} ${argument}, which ${found.why}`];
}

/** The program behind `env A=1`, `nice -n 5` and their like, as far as their options are plain. */
function unwrapped(argv: readonly string[]): readonly string[] {
  let rest = argv;
  while (WRAPPERS.has(baseName(rest[0] ?? ""))) {
    const next = rest.findIndex((one, at) => at > 0 && !one.startsWith("-") && !/^[A-Za-z_]\w*=|^\d+[a-z]?$/.test(one));
    if (next < 0) return [];
    rest = rest.slice(next);
  }
  return rest;
}

function baseName(program: string): string {
  return program.slice(program.lastIndexOf("/") + 1);
}

function cut(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
