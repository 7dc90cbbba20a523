#!/usr/bin/env bash
# Sets this machine up to run the harness, from nothing. Quiet where there is nothing to do.
#
#   scripts/setup.sh [engine|images|browser|postgres|tools|bench|all]...
#
# Without a word: engine and images, which is what a run needs. "all" adds the browser (page tests), PostgreSQL (tests of the
# ledger), curl and openssl (the story) and the benchmark tools. Exit codes: 0 ready, 2 wrong usage, 20 this machine cannot be made ready by us.

# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  echo "usage: scripts/setup.sh [engine|images|browser|postgres|tools|bench|all]..." >&2
  exit 2
}

main() {
  local part parts=""
  [ "$#" -gt 0 ] || set -- engine images
  # All words are read before anything is changed.
  for part in "$@"; do
    case "$part" in
      engine | browser | postgres | tools | bench) parts="$parts $part" ;;
      images) parts="$parts engine images" ;;
      all) parts="$parts engine images browser postgres tools bench" ;;
      *) usage ;;
    esac
  done
  for part in $parts; do
    "$SCRIPTS_DIR/setup-$part.sh"
  done
}

main "$@"
