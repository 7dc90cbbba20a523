#!/usr/bin/env bash
# Installs wrk, a second opinion on throughput for the benchmarks. Nothing in the product needs it.

# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

main() {
  if have wrk; then return 0; fi
  require_installable wrk "Install wrk; only the benchmarks need it."
  say "installing wrk from the distribution"
  apt_install wrk
}

main "$@"
