#!/usr/bin/env bash
# Makes a Chromium available for the tests that look at pages (tests of the reports, nothing else needs it).

# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

main() {
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if have "$name"; then return 0; fi
  done
  require_installable "a Chromium browser" "Install Chromium or Chrome so that it is on the PATH; only the page tests need it."
  say "installing chromium from the distribution"
  # A page without a font renders boxes, and looks different on every machine.
  apt_install chromium fonts-dejavu-core
  have chromium || give_up "the package chromium brought no command chromium" \
    "Install Chromium or Chrome so that it is on the PATH; only the page tests need it."
  say "$(chromium --version 2>/dev/null | head -n 1) is installed"
}

main "$@"
