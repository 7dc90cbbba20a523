#!/usr/bin/env bash
# Makes the programs of PostgreSQL available for the tests of the ledger (and of gates that share one). The tests raise
# their own cluster in a temporary folder; nothing of this machine's own databases is touched.

# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

readonly PACKAGE=postgresql-15
# These can be set from outside so that the logic can be tried on a make-believe machine.
readonly PROGRAMS="${CANARY_POSTGRES_PROGRAMS:-/usr/lib/postgresql}"
readonly CLUSTER_CONF="${CANARY_POSTGRES_CLUSTER_CONF:-/etc/postgresql-common/createcluster.conf}"
readonly HINT="Install PostgreSQL 15 or newer so that pg_ctl is on the PATH; only the tests of the shared ledger need it."

has_server() {
  have pg_ctl && have initdb && return 0
  compgen -G "$PROGRAMS/*/bin/pg_ctl" >/dev/null
}

# The package would make a cluster and start it as a service, which nobody asked for. An owner's own file stays.
without_a_service() {
  [ -e "$CLUSTER_CONF" ] && return 0
  mkdir -p "$(dirname "$CLUSTER_CONF")"
  echo "create_main_cluster = false" >"$CLUSTER_CONF"
}

main() {
  if has_server; then return 0; fi
  require_installable "PostgreSQL" "$HINT"
  say "installing $PACKAGE from the distribution"
  without_a_service
  apt_install "$PACKAGE"
  has_server || give_up "the package $PACKAGE brought no pg_ctl" "$HINT"
}

main "$@"
