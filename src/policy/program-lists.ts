const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/).filter((word) => word !== ""));

/** Programs that read command lines of their own. */
export const SHELLS = words("sh bash dash zsh ksh mksh ash fish csh tcsh rbash");

/** Words that only a shell understands; there is no program of that name. */
export const SHELL_WORDS = words(". source eval exec export set unset alias cd umask ulimit trap command builtin");

/** Programs that run the program named behind their own options. */
export const WRAPPERS = words(
  "env nice nohup timeout stdbuf setsid ionice chrt taskset time strace ltrace chroot unshare nsenter busybox toybox xargs parallel watch script flock setarch linux32 linux64 prlimit numactl dumb-init tini catatonit systemd-run start-stop-daemon chpst softlimit unbuffer faketime fakeroot cgexec runcon bwrap valgrind perf",
);

/** Programs that act as somebody else. */
export const IMPERSONATING = words("sudo su doas pkexec runuser setpriv gosu su-exec");

/** Programs that wait for a person, or show until they are told to stop, whatever their arguments. */
export const INTERACTIVE = words(`
  vi vim nvim view vimdiff nano pico emacs emacsclient joe mcedit micro hx ed ex visudo vipw vigr sudoedit
  less more most man info lynx w3m links elinks top htop btop atop iotop iftop nethogs glances watch
  ssh slogin mosh telnet ftp sftp rlogin screen tmux minicom passwd chsh chfn login fdisk cfdisk parted gdb lldb
  k9s lazydocker mc ranger nmtui dialog whiptail
`);

const NODE = /^(-[a-z]*[ep]\b|--eval|--print|--(experimental-)?(import|loader|require)[=\s]+data:)/;
/** A pipe, a program, or a library in a script of awk; `||` is none. */
const AWK = /system\s*\(|(^|[^|])\|([^|]|$)|getline|@load|^(-l|--load)/;

/** Programs that run code given on their command line by one of these options, or read it from a person without arguments. */
export const INTERPRETERS: Readonly<Record<string, RegExp>> = {
  python: /^-[a-zA-Z]*c|^-m\s*(timeit|code|pdb|profile|cProfile|trace)\b/,
  perl: /^-[a-zA-Z0-9]*[eE]|^-[mM]\S*[^\w:=,'\s-]/,
  ruby: /^-[a-zA-Z]*e/,
  node: NODE,
  nodejs: NODE,
  bun: NODE,
  tsx: NODE,
  "ts-node": NODE,
  deno: /^eval\b/,
  php: /^-[rBRE]|^--(run|process)/,
  lua: /^-e/,
  Rscript: /^-e/,
  R: /^-e/,
  julia: /^-[eE]|^--(eval|print)/,
  elixir: /^-e|^--(eval|rpc-eval)/,
  groovy: /^-e/,
  guile: /^-c/,
  tclsh: /^$/,
  awk: AWK,
  gawk: AWK,
  mawk: AWK,
  nawk: AWK,
};

/** Clients of databases that wait for a person unless one of these options brings the statement. */
export const CLIENTS: Readonly<Record<string, RegExp>> = {
  psql: /^(-[a-zA-Z0-9]*[clf]|--command|--file|--list|--version|--help)/,
  mysql: /^(-[a-zA-Z]*e|--execute)/,
  mariadb: /^(-[a-zA-Z]*e|--execute)/,
  sqlite3: /^[^-].*\s/,
  mongosh: /^(--eval|--file|-f)/,
  mongo: /^--eval/,
  cqlsh: /^(-e|--execute|-f)/,
};

/** Programs that destroy what nothing else holds, and what of their arguments makes them do it (anything, if absent). */
export const DESTROYING: readonly { readonly program: RegExp; readonly argument?: RegExp }[] = [
  {
    program:
      /^(rm|rmdir|unlink|shred|wipefs|mkfs(\..+)?|dd|truncate|dropdb|dropuser|pg_resetwal|initdb|pg_dropcluster)$/,
  },
  { program: /^find$/, argument: /^-(delete|exec|execdir|ok|okdir)$/ },
  { program: /^(kubectl|oc)$/, argument: /^(delete|drain|replace)$/ },
  { program: /^helm$/, argument: /^(uninstall|delete)$/ },
  { program: /^(terraform|tofu|pulumi)$/, argument: /^(destroy|apply|up)$/ },
  { program: /^(docker|podman|nerdctl)$/, argument: /^(rm|rmi|prune|volume|system)$/ },
  { program: /^(aws|gcloud|az)$/, argument: /^(delete|terminate|rm|rb|remove).*/ },
  { program: /^git$/, argument: /^(clean|push|reset)$/ },
  { program: /^rsync$/, argument: /^--(delete|remove-source)/ },
  { program: /^(mysql|mariadb|sqlite3|cqlsh|clickhouse-client)$/, argument: /\b(drop|truncate|delete)\b/i },
  { program: /^(mongosh|mongo)$/, argument: /drop|delete|remove/i },
  { program: /^(mysqladmin)$/, argument: /^drop$/ },
  { program: /^pg_restore$/, argument: /^(-[a-zA-Z]*c|--clean)/ },
];
