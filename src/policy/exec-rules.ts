import { encodeSegment, matches, resourcePath } from "../plan/resource-pattern.ts";
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
import { baseName, redisCommandOf } from "./redis-client.ts";

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

/**
 * Whether one of the operator's lines lets a program run: word by word, `*` for any run of characters in a word, `**` for any
 * number of words.
 */
export function allowedProgram(argv: readonly string[], lines: readonly (readonly string[])[]): boolean {
  const patterns = lines.map((line) => line.map((word) => word.split("*").map(encodeSegment).join("*")).join("/"));
  return patterns.some((pattern) => matches(pattern, resourcePath(...argv)));
}

/** Why a program counts as a loss of data: `rm` and its like, also behind `env`, `timeout`, … */
export function destroys(argv: readonly string[]): string | undefined {
  return programsOf(argv).flatMap((one) => destroyed(one) ?? [])[0];
}

function destroyed([program = "", ...args]: readonly string[]): string | undefined {
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
  return programsOf(argv).flatMap(([program = "", ...args]) =>
    baseName(program) === "psql" ? commandsOfPsql(args) : [],
  );
}

function commandsOfPsql(args: readonly string[]): readonly string[] {
  return args.flatMap((one, index): readonly string[] => {
    if (one === "--command" || /^-[a-zA-Z0-9]*c$/.test(one)) return [args[index + 1] ?? ""];
    const glued = /^(?:--command=|-c)([\s\S]+)$/.exec(one)?.[1];
    return glued === undefined ? [] : [glued];
  });
}

/** The command that a command line of Redis' client brings; empty when it is no such line, or brings none. */
export function redisOfCommand(argv: readonly string[]): readonly string[] {
  return (
    programsOf(argv)
      .map(redisCommandOf)
      .find((one) => one.kind === "command")?.command ?? []
  );
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
  return programsOf(argv).flatMap(oneProgramRefusals);
}

/** What may be the program and its arguments: behind a wrapper any word, as its options are its own and may have values. */
function programsOf(argv: readonly string[]): readonly (readonly string[])[] {
  return WRAPPERS.has(baseName(argv[0] ?? "")) ? argv.map((_, at) => argv.slice(at)) : [argv];
}

function oneProgramRefusals([first = "", ...args]: readonly string[]): readonly string[] {
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
  if (interpreter !== undefined && args.some((one, at) => interpreter.test(`${one} ${args[at + 1] ?? ""}`)))
    return [
      `gives ${program} code on its command line, which nobody can read as a change: put it into a file of the image`,
    ];
  if (client !== undefined && !args.some((one) => client.test(one)))
    return [`runs ${program} without a statement: it would wait for a person`];
  if (program === "psql" && args.some((one) => /^(-[a-zA-Z0-9]*f|--file)/.test(one)))
    return ["runs SQL out of a file (psql -f), which can not be read here: write it into a `sql` action"];
  if (program === "psql" && args.some((one) => /^(-[a-zA-Z0-9]*[oL]|--output|--log-file)/.test(one)))
    return ["lets psql write what it reads to a file or another program (psql -o), which nobody would see here"];
  if (program === "env" && args.some((one) => /^(-[a-zA-Z0]*S|--split-string)/.test(one)))
    return ["hands env a line to take apart (env -S): give the program and each argument apart"];
  const redis = redisCommandOf([first, ...args]);
  if (redis.kind === "refused") return [redis.why];
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

/** `1e cmd`, `e`, `s/x/y/e` in a script of sed. */
const SED_RUNS = /(^|[\d/$!;{}])\s*e(\s|$)|(^|[\d/$!;{}\s])s([^\w\s])((?!\4).)*\4((?!\4).)*\4[gpimI\d]*e/;

/** Programs that do not end by themselves, open an editor, or start another program, with these arguments. */
const ENDLESS: readonly { readonly program: RegExp; readonly argument: RegExp; readonly why: string }[] = [
  { program: /^(tail|journalctl)$/, argument: /^(-[a-zA-Z0-9]*[fF]|--follow.*)$/, why: "never ends" },
  { program: CONTAINER_TOOLS, argument: /^(--follow|-f=true|attach|port-forward|proxy|debug)$/, why: "never ends" },
  { program: CONTAINER_TOOLS, argument: /^(edit)$/, why: "opens an editor" },
  { program: /^crontab$/, argument: /^-[a-z]*e$/, why: "opens an editor" },
  { program: /^git$/, argument: /^(-i|--interactive|--edit|-p|--patch)$/, why: "waits for a person" },
  { program: /^systemctl$/, argument: /^edit$/, why: "opens an editor" },
  { program: /^setsid$/, argument: /^(-[a-z]*f|--fork)/, why: "leaves a program running that nobody waits for" },
  {
    program: /^tar$/,
    argument:
      /^(--checkpoint-action|--to-command|--use-compress-program|--(rmt|rsh|info-script|new-volume-script)|-[a-zA-Z]*[IF])/,
    why: "starts another program",
  },
  { program: /^git$/, argument: /^(-c|--config-env|--upload-pack|--exec)/, why: "can start another program" },
  { program: /^sed$/, argument: SED_RUNS, why: "runs what it reads" },
  { program: /^ping$/, argument: /^(?!-c)/, why: "may never end" },
];

function endlessRefusals(program: string, args: readonly string[]): readonly string[] {
  const found = ENDLESS.find((one) => one.program.test(program) && args.some((arg) => one.argument.test(arg)));
  if (found === undefined || (program === "ping" && args.includes("-c"))) return [];
  const argument = args.find((one) => found.argument.test(one)) ?? "";
  return [`runs ${program} ${argument}, which ${found.why}`];
}

function cut(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
