#!/usr/bin/env bash
# Installs curl and openssl, by which the story asks its gate and verifies signatures with a program that is not ours.

# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

main() {
  local missing=()
  have curl || missing+=(curl ca-certificates)
  have openssl || missing+=(openssl)
  [ "${#missing[@]}" -gt 0 ] || return 0
  require_installable "${missing[0]}" "Install curl and openssl; only the story and its tests need them."
  say "installing ${missing[*]} from the distribution"
  apt_install "${missing[@]}"
}

main "$@"
