#!/usr/bin/env bash
# Writes a minimal Debian root file system as a tar archive to standard output.
# The sources are this machine's own: whatever mirror or proxy it was told to use, the image uses too.
set -euo pipefail

readonly SUITE=bookworm
HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
readonly KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# One sources.list line for each Debian index of that release that apt has fetched.
debian_sources() {
  local option=""
  [ -r "$KEYRING" ] && option="[signed-by=$KEYRING] "
  apt-get indextargets --format "deb $option\$(REPO_URI) \$(RELEASE) \$(COMPONENT)" \
    'Created-By: Packages' 'Origin: Debian' | grep -E " $SUITE(-[a-z]+)? [a-z-]+\$" | sort -u
}

# mmdebstrap does not read this machine's apt settings; these decide whether it can download at all.
acquire_options() {
  apt-config dump --no-empty --format '%f "%v";%n' \
    Acquire::http::Proxy Acquire::https::Proxy Acquire::Check-Valid-Until Acquire::Check-Date
}

sources="$(debian_sources)" || {
  echo "apt on this machine has no $SUITE entry of Debian (run apt-get update; on another release add one)" >&2
  exit 1
}
# Documentation and translations go, as in the public image; localedef needs the one file that stays. The
# caches go before apt is told not to keep any, or its own clean-up would no longer find them.
# shellcheck disable=SC2016 # mmdebstrap's shell gives the hook the root directory as $1
exec mmdebstrap --quiet --variant=minbase --format=tar \
  --include=ca-certificates --aptopt="$(acquire_options)" \
  --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/info/*' \
  --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-include=/usr/share/locale/locale.alias' \
  --dpkgopt=force-unsafe-io \
  --customize-hook='rm -f "$1"/var/cache/apt/*.bin' \
  --customize-hook="upload '$HERE/apt-small.conf' /etc/apt/apt.conf.d/apt-small" \
  "$SUITE" - <<<"$sources"
