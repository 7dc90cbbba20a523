import { describe, expect, test } from "vitest";
import { allowedProgram, destroys, execRefusals, redisOfCommand, sqlOfCommand } from "../../src/policy/exec-rules.ts";

const why = (line: string) => execRefusals(line.split(" ")).join("; ");

describe("a program and its arguments may be run", () => {
  test.each([
    "nginx -s reload",
    "kill -HUP 1",
    "redis-cli SET flag on",
    "redis-cli -h cache -p 6379 GET flag",
    "psql -U shop -c SELECT",
    "pg_isready -h db",
    "sh /opt/rotate.sh --now",
    "env TZ=UTC date",
    "nice -n 5 /usr/bin/pg_dump shop",
    "curl -fsS http://api:8080/health?deep=1&all=2",
    "grep -E a|b /etc/app.conf",
    "kubectl -n otel-demo rollout restart deployment",
    "kubectl get pods -o jsonpath={.items[0]}",
    "tail -n 20 /var/log/app.log",
    "ping -c 1 db",
    "python3 /opt/fix.py",
    "awk {print} /etc/hosts",
    "awk $1>5||$2<3 /data/x",
    "redis-cli -h cache --user app --pass x --raw SET flag on",
    "timeout --signal KILL 10 psql -U shop -At -c SELECT",
    "sed -i s/old/new/g /etc/app.conf",
    "sed -n 1,5p /etc/hosts",
    "node --import ./trace.mjs /opt/fix.js",
    "python3 -m app.migrate",
    "perl -MList::Util=sum /opt/fix.pl",
    "tar -czf /tmp/x.tar.gz /data",
  ])("%s", (line) => expect(why(line)).toBe(""));
});

describe("a line for a shell may not", () => {
  test.each([
    ["cat /etc/passwd | grep root", /shell operator "\|"/],
    ["echo hi > /etc/app.conf", /shell operator ">"/],
    ["echo hi >/etc/app.conf", /shell operator ">\/etc\/app.conf"/],
    ["run 2>&1", /shell operator "2>&1"/],
    ["a && b", /shell operator "&&"/],
    ["a ; b", /shell operator ";"/],
    ["sleep 10 &", /shell operator "&"/],
    ["echo $(id)", /written for a shell/],
    ["echo `id`", /written for a shell/],
    ["echo ${HOME}", /written for a shell/],
    ["sh -c reload", /runs a line of shell \(sh -c\)/],
    ["/bin/bash -lc reload", /runs a line of shell \(bash -c\)/],
    ["env sh -c reload", /runs a line of shell/],
    ["env -i A=1 bash -c reload", /runs a line of shell/],
    ["timeout 5 nice -n 1 dash -ec reload", /runs a line of shell/],
    ["busybox ash -c reload", /runs a line of shell/],
    ["nsenter -t 1 -m sh", /without a script/],
    ["cd /tmp", /a word of shells/],
    ["source /etc/profile", /a word of shells/],
    ["xargs rm", /nothing to read from/],
    ["python3 -c print(1)", /code on its command line/],
    ["node -e 1", /code on its command line/],
    ["perl -pi.bak -e s/a/b/ f", /code on its command line/],
    ["perl -Mwarnings;unlink(@ARGV) f", /code on its command line/],
    ["python3 -m timeit code", /code on its command line/],
    ["node --import data:text/javascript,1 x.js", /code on its command line/],
    ["bun -e 1", /code on its command line/],
    ["php -E 1;", /code on its command line/],
    ['awk BEGIN{print"x"|"sh"}', /code on its command line/],
    ["sed -n 1e id", /runs what it reads/],
    ["sed -i s/x/id/ge /etc/app.conf", /runs what it reads/],
    ["env -S sh", /env -S/],
    ["env --split-string=sh", /env -S/],
    ["psql -c SELECT -o |cmd", /psql -o/],
    ["psql -Ato/tmp/x -c SELECT", /psql -o/],
    ["tar -xf a.tar --checkpoint-action=exec=x", /starts another program/],
    ["git -c alias.x=!id x", /can start another program/],
    ["setsid -f /opt/daemon", /nobody waits for/],
    ["redis-cli --eval /tmp/x.lua", /the option --eval, which no rule knows/],
  ])("%s", (line, reason) => expect(why(line)).toMatch(reason));

  test("not even as one word, or inside an argument", () => {
    expect(execRefusals(["cat /x | sort"]).join()).toMatch(/names "cat \/x \| sort" as its program/);
    expect(execRefusals(["watchdog", "run a && run b"]).join()).toMatch(/written for a shell/);
  });
});

// The interactive commands are those of the expert solutions of ITBench (itbench-hub/ITBench, Apache-2.0, scenarios 1, 10
// and 102: `kubectl edit`), and what operators type beside them.
describe("what waits for a person may not", () => {
  test.each([
    ["kubectl -n otel-demo edit configmap flagd-config", /opens an editor/],
    ["kubectl -n otel-demo edit resourcequota memory", /opens an editor/],
    ["kubectl exec -it api-0 -- bash", /asks for a terminal/],
    ["docker exec -ti api sh", /asks for a terminal/],
    ["docker run --tty debian", /asks for a terminal/],
    ["vi /etc/app.conf", /waits for a person at a terminal/],
    ["less /var/log/app.log", /waits for a person at a terminal/],
    ["top", /waits for a person at a terminal/],
    ["env EDITOR=vi nano /etc/app.conf", /waits for a person at a terminal/],
    ["ssh db uptime", /waits for a person at a terminal/],
    ["psql", /without a statement/],
    ["psql -U shop shop", /without a statement/],
    ["mysql -u root", /without a statement/],
    ["redis-cli", /without a command/],
    ["redis-cli -h cache", /without a command/],
    ["python3", /without a script/],
    ["bash", /without a script/],
    ["sh -i", /without a script/],
    ["tail -f /var/log/app.log", /never ends/],
    ["kubectl logs --follow api-0", /never ends/],
    ["crontab -e", /opens an editor/],
    ["git add -p", /waits for a person/],
    ["ping db", /may never end/],
  ])("%s", (line, reason) => expect(why(line)).toMatch(reason));
});

test.each(["sudo reload", "su - postgres", "env doas reload", "gosu postgres reload"])(
  "nobody acts as somebody else: %s",
  (line) => expect(why(line)).toMatch(/acts as somebody else/),
);

test("SQL out of a file can not be read, so it is refused", () =>
  expect(why("psql -f /tmp/fix.sql")).toMatch(/out of a file/));

test.each([
  "rm -rf /var/lib/data",
  "find /data -name x -delete",
  "kubectl -n otel-demo delete resourcequota memory",
  "env A=1 dropdb shop",
  "terraform destroy",
  "dd if=/dev/zero of=/dev/sda",
  "timeout --signal KILL 10 rm -rf /data",
  "env -u X rm -rf /data",
  "flock /tmp/l rm -rf /data",
  "stdbuf -o L rm -rf /data",
  "toybox rm -rf /data",
  "pg_restore --clean -d shop dump",
  "mysql -e DROP",
  "mongosh --eval db.dropDatabase()",
])("destroys: %s", (line) => expect(destroys(line.split(" "))).toMatch(/destroys what nothing else may hold/));

test.each([
  [["env", "-u", "X", "psql", "-c", "DROP TABLE orders"], ["DROP TABLE orders"]],
  [
    ["timeout", "-s", "KILL", "5", "psql", "-Atc", "SELECT 1", "--command=SELECT 2"],
    ["SELECT 1", "SELECT 2"],
  ],
  [["chroot", "/", "redis-cli", "GET", "x"], []],
])("reads the SQL of psql, whatever stands before it: %j", (argv, sql) => expect(sqlOfCommand(argv)).toEqual(sql));

test.each([
  [["redis-cli", "-d", "GET", "FLUSHALL"], ["FLUSHALL"]],
  [["valkey-cli", "FLUSHALL"], ["FLUSHALL"]],
  [
    ["timeout", "5", "redis-cli", "-n", "3", "--no-auth-warning", "DEL", "a"],
    ["DEL", "a"],
  ],
])("reads the command of Redis' client, whatever stands before it: %j", (argv, command) =>
  expect(redisOfCommand(argv)).toEqual(command),
);

test.each([
  [["redis-cli", "SET", "flag/a", "on"], [["redis-cli", "SET", "flag/*", "o*"]], true],
  [["redis-cli", "SET", "flag", "on", "EX", "5"], [["redis-cli", "**"]], true],
  [["redis-cli", "SET", "flag"], [["redis-cli", "SET", "flag", "*"]], false],
  [["redis-cli", "DEL", "flag"], [["redis-cli", "SET", "*"]], false],
  [["rm", "-rf", "/"], [], false],
] as const)("%j is allowed by %j: %s", (argv, lines, allowed) => expect(allowedProgram(argv, lines)).toBe(allowed));

test.each(["find /data -name x", "kubectl get pods", "git status", "docker ps"])("does not destroy: %s", (line) =>
  expect(destroys(line.split(" "))).toBeUndefined(),
);
