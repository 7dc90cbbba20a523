#!/usr/bin/env bash
# Initialises an empty PGDATA as the public image does, then becomes the server.
#
# Environment: POSTGRES_USER (postgres), POSTGRES_PASSWORD, POSTGRES_DB (the user's name), POSTGRES_INITDB_ARGS,
# POSTGRES_HOST_AUTH_METHOD (scram-sha-256); user, password, database and arguments also from a file named by ..._FILE.
set -Eeuo pipefail

fail() { printf 'postgres stand-in: %s\n' "$*" >&2; exit 1; }

# Sets $1 from itself, from the file named by $1_FILE, or to the default $2.
from_environment() {
  local name="$1" file_name="$1_FILE"
  [ -z "${!name:-}" ] || [ -z "${!file_name:-}" ] || fail "both $name and $file_name are set"
  if [ -n "${!file_name:-}" ]; then
    printf -v "$name" '%s' "$(<"${!file_name}")"
  else
    printf -v "$name" '%s' "${!name:-$2}"
  fi
  # Neither initialisation scripts nor the server shall inherit the name of the file.
  unset "$file_name"
  export "${name?}"
}

read_environment() {
  from_environment POSTGRES_PASSWORD ''
  from_environment POSTGRES_USER postgres
  from_environment POSTGRES_DB "$POSTGRES_USER"
  from_environment POSTGRES_INITDB_ARGS ''
  : "${POSTGRES_HOST_AUTH_METHOD:=scram-sha-256}"
  [ -n "$POSTGRES_PASSWORD" ] || [ "$POSTGRES_HOST_AUTH_METHOD" = trust ] ||
    fail "POSTGRES_PASSWORD must be set (or POSTGRES_HOST_AUTH_METHOD=trust, which lets everybody in)"
}

own_directories() {
  mkdir -p "$PGDATA"
  chmod 0700 "$PGDATA" 2>/dev/null || true
  if [ "$(id -u)" -eq 0 ]; then
    find "$PGDATA" /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
  fi
}

initialise_cluster() {
  # initdb wants the password in a file; the extra newline keeps an empty one from being an error.
  eval 'initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") '"$POSTGRES_INITDB_ARGS"
  printf '\nhost all all all %s\n' "$POSTGRES_HOST_AUTH_METHOD" >>"$PGDATA/pg_hba.conf"
}

run_sql() { run_sql_in "$POSTGRES_DB" "$@"; }

run_sql_in() {
  local database="$1"
  shift
  psql -v ON_ERROR_STOP=1 --no-psqlrc --no-password --username "$POSTGRES_USER" --dbname "$database" "$@"
}

create_database() {
  [ "$POSTGRES_DB" != postgres ] || return 0
  run_sql_in postgres --quiet --set name="$POSTGRES_DB" <<<'CREATE DATABASE :"name";'
}

# A script that is not executable is sourced, as in the public image.
run_shell_file() {
  if [ -x "$1" ]; then
    "$1"
  else
    # shellcheck source=/dev/null
    . "$1"
  fi
}

# In name order; the first that fails ends the start, or a half-filled database would be taken for a whole one.
run_initialisation_files() {
  local file
  # An unreadable directory looks empty, and the database would quietly come up without its seed.
  ls /docker-entrypoint-initdb.d >/dev/null || fail "the user $(id -un) may not read /docker-entrypoint-initdb.d"
  for file in /docker-entrypoint-initdb.d/*; do
    printf '%s: running %s\n' "$0" "$file"
    case "$file" in
      *.sh) run_shell_file "$file" ;;
      *.sql) run_sql --file "$file" ;;
      *.sql.gz) gunzip --stdout "$file" | run_sql ;;
      *.sql.xz) xz --decompress --stdout "$file" | run_sql ;;
      *.sql.zst) zstd --decompress --stdout "$file" | run_sql ;;
      *) printf '%s: ignoring %s\n' "$0" "$file" ;;
    esac
  done
}

# While the files run, the server listens on its socket only: nobody outside sees a half-filled database.
set_up_database() {
  export PGPASSWORD="$POSTGRES_PASSWORD"
  # The server's own arguments apply here too, except the program's name.
  shift
  pg_ctl -D "$PGDATA" -o "$(printf '%q ' "$@" -c "listen_addresses=" -p "${PGPORT:-5432}")" -w -s start
  create_database
  run_initialisation_files
  pg_ctl -D "$PGDATA" -m fast -w -s stop
  unset PGPASSWORD
  printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

main() {
  if [ "${1:0:1}" = - ]; then set -- postgres "$@"; fi
  if [ "$1" != postgres ]; then exec "$@"; fi
  own_directories
  if [ "$(id -u)" -eq 0 ]; then exec gosu postgres "${BASH_SOURCE[0]}" "$@"; fi
  if [ ! -s "$PGDATA/PG_VERSION" ]; then
    read_environment
    initialise_cluster
    set_up_database "$@"
  else
    printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
  fi
  exec "$@"
}

shopt -s nullglob
main "$@"
