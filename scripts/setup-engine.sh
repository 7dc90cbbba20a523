#!/usr/bin/env bash
# Makes a container engine reachable. Says nothing and changes nothing where one already answers.
#
# Where there is no init system the distribution's service never starts, so the daemon is started detached.
# A daemon that was killed leaves its pid file behind and the next one refuses to start ("pid file found"):
# the file is removed only after making sure that no daemon lives.

# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# The next four can be set from outside so that the logic can be tried on a make-believe machine.
readonly PID_FILE="${CANARY_DOCKERD_PID_FILE:-/var/run/docker.pid}"
readonly LOG_FILE="${CANARY_DOCKERD_LOG:-/var/log/canary-dockerd.log}"
readonly LOCK_FILE="${CANARY_ENGINE_LOCK:-/var/lock/canary-setup-engine.lock}"
readonly WAIT_SECONDS="${CANARY_ENGINE_WAIT_SECONDS:-30}"

engine_answers() { have docker && timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# True while any dockerd process exists, whatever the pid file says. A zombie is dead: its parent has merely
# not collected it, which on a machine without an init process may never happen.
daemon_lives() {
  local pid
  for pid in $(pgrep -x dockerd || true); do
    grep -Eq '^State:[[:space:]]+[^ZX[:space:]]' "/proc/$pid/status" 2>/dev/null && return 0
  done
  return 1
}

remove_stale_pid_file() {
  [ -e "$PID_FILE" ] || return 0
  daemon_lives && return 0
  say "removing $PID_FILE, left behind by a daemon that is gone"
  rm -f "$PID_FILE"
}

install_engine() {
  have dockerd && have docker && have iptables && return 0
  require_installable "a container engine" \
    "Install Docker Engine (or set DOCKER_HOST to one that runs) and start this script again."
  say "installing docker.io and iptables from the distribution"
  apt_install docker.io iptables
}

start_daemon() {
  is_root || give_up "the container engine is not running and this user may not start it" \
    "Start it (for example: sudo systemctl start docker), or set DOCKER_HOST, and run this script again."
  remove_stale_pid_file
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

main() {
  engine_answers && return 0
  if [ -n "${DOCKER_HOST:-}" ]; then
    give_up "no container engine answers at DOCKER_HOST" "Start the engine it names, or unset DOCKER_HOST to let this script set one up."
  fi
  # Two set-ups at once would start two daemons.
  exec 9>"$LOCK_FILE"
  flock 9
  engine_answers && return 0
  install_engine
  start_daemon
  wait_for_engine
  say "container engine $(docker version --format '{{.Server.Version}}') answers"
}

main "$@"
