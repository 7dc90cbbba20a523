#!/usr/bin/env bash
# Makes a container engine reachable. Says nothing and changes nothing where one already answers.
#
# Where there is no init system the distribution's service never starts, so the daemon is started detached.
# A daemon that was killed leaves its pid file behind and the next one refuses to start ("pid file found"),
# and likewise that of its containerd: they are removed only after making sure that no such process runs.

# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# These can be set from outside so that the logic can be tried on a make-believe machine.
readonly PID_FILE="${CANARY_DOCKERD_PID_FILE:-/var/run/docker.pid}"
readonly CONTAINERD_PID_FILE="${CANARY_CONTAINERD_PID_FILE:-/var/run/docker/containerd/containerd.pid}"
readonly LOG_FILE="${CANARY_DOCKERD_LOG:-/var/log/canary-dockerd.log}"
readonly SOCKET="${CANARY_DOCKER_SOCKET:-/var/run/docker.sock}"
readonly LOCK_FILE="${CANARY_ENGINE_LOCK:-/var/lock/canary-setup-engine.lock}"
readonly WAIT_SECONDS="${CANARY_ENGINE_WAIT_SECONDS:-30}"

engine_answers() { have docker && at_most 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# True for a process of that name that runs. A zombie does not: its parent has merely not collected it, and
# where there is no init process that can take long or never happen.
process_runs() {
  local pid="$1" name="$2"
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$name" ] || return 1
  grep -Eq '^State:[[:space:]]+[^ZX[:space:]]' "/proc/$pid/status" 2>/dev/null
}

# True while any dockerd of this machine runs, whatever the pid file says; daemons inside containers do not count.
daemon_lives() {
  local pid
  for pid in $(pgrep --ns $$ --nslist pid -x dockerd || true); do
    process_runs "$pid" dockerd && return 0
  done
  return 1
}

# The second file matters as much as the first: a new dockerd takes a zombie containerd for a living one,
# connects to its dead socket for 15 s and gives up.
remove_stale_pid_files() {
  daemon_lives && return 0
  remove_if_stale "$PID_FILE" dockerd
  remove_if_stale "$CONTAINERD_PID_FILE" containerd
}

remove_if_stale() {
  local file="$1" name="$2"
  [ -e "$file" ] || return 0
  process_runs "$(cat "$file")" "$name" && return 0
  say "removing $file, left behind by a $name that is gone"
  rm -f "$file"
}

install_engine() {
  have dockerd && have docker && have iptables && return 0
  require_installable "a container engine" \
    "Install Docker Engine (or set DOCKER_HOST to one that runs) and start this script again."
  say "installing docker.io and iptables from the distribution"
  apt_install docker.io iptables
}

start_daemon() {
  remove_stale_pid_files
  if daemon_lives; then
    say "a daemon is already starting; waiting for it"
    return 0
  fi
  say "starting dockerd, log in $LOG_FILE"
  # The lock's descriptor is closed for the child, or the daemon would hold the lock for ever.
  setsid nohup dockerd >>"$LOG_FILE" 2>&1 </dev/null 9>&- &
}

wait_for_engine() {
  local deadline=$((SECONDS + WAIT_SECONDS))
  until engine_answers; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      tail -n 15 "$LOG_FILE" >&2 2>/dev/null || true
      give_up "the container engine did not answer within $WAIT_SECONDS s" "The reason should be in $LOG_FILE."
    fi
    sleep 0.2
  done
}

# Where we may not, or need not, start a daemon of our own: says so and ends the script.
require_our_turn() {
  if [ -n "${DOCKER_HOST:-}" ]; then
    give_up "no container engine answers at DOCKER_HOST" \
      "Start the engine it names, or unset DOCKER_HOST to let this script set one up."
  fi
  if [ -S "$SOCKET" ] && [ ! -w "$SOCKET" ]; then
    give_up "this user may not use the container engine's socket" \
      "Run as root, or have an administrator add this user to the group that owns $SOCKET."
  fi
  is_root || give_up "no container engine answers and this user may not start one" \
    "Start it (for example: sudo systemctl start docker), or set DOCKER_HOST, and run this script again."
}

main() {
  engine_answers && return 0
  require_our_turn
  one_at_a_time "$LOCK_FILE"
  # Whoever held the lock may have started it meanwhile.
  engine_answers && return 0
  install_engine
  start_daemon
  wait_for_engine
  say "container engine $(docker version --format '{{.Server.Version}}') answers"
}

main "$@"
