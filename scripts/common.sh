# shellcheck shell=bash disable=SC2034
# What every set-up script shares. Sourced, never run.
#
# Words: a step either says nothing (nothing to do), says what it is doing, or ends the script with one line
# of what the person at the keyboard should do. Exit codes: 0 ready, 2 wrong usage, 20 this machine cannot
# be made ready by us.

set -euo pipefail

SCRIPTS_DIR="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
readonly SCRIPTS_DIR
readonly EXIT_UNAVAILABLE=20

say() { printf 'setup: %s\n' "$*" >&2; }

# Ends the script: what is wrong, then what to do about it.
give_up() {
  printf 'setup: %s\n' "$1" >&2
  printf 'setup: %s\n' "$2" >&2
  exit "$EXIT_UNAVAILABLE"
}

have() { command -v "$1" >/dev/null 2>&1; }

is_root() { [ "$(id -u)" -eq 0 ]; }

# Waits until no other set-up holds the lock, then holds it until the script ends (descriptor 9).
one_at_a_time() {
  have flock || return 0
  exec 9>"$1"
  flock 9
}

# Runs a command for at most that many seconds, where the machine can; macOS has no timeout command.
at_most() {
  if have timeout; then timeout "$@"; else shift && "$@"; fi
}

is_debian_family() {
  have apt-get && [ -r /etc/os-release ] && grep -Eq '^(ID|ID_LIKE)=.*(debian|ubuntu)' /etc/os-release
}

# Only a machine we understand and own is changed: Debian or Ubuntu, as root.
require_installable() {
  is_debian_family || give_up "$1 is missing and this is not Debian or Ubuntu" "$2"
  is_root || give_up "$1 is missing and this user is not root" "$2"
}

# Installs distribution packages; package lists are fetched only when the first attempt cannot find them.
apt_install() {
  local log
  log="$(mktemp)"
  if ! apt_install_once "$@" >"$log" 2>&1; then
    { apt-get update -qq && apt_install_once "$@"; } >"$log" 2>&1 || {
      tail -n 20 "$log" >&2
      rm -f "$log"
      give_up "apt-get could not install: $*" "Install these packages by hand and run this script again."
    }
  fi
  rm -f "$log"
}

apt_install_once() {
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o DPkg::Lock::Timeout=120 "$@"
}
