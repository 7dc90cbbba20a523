#!/bin/sh
# Options and configuration files are meant for redis-server, which runs as its own user.
set -e
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then
  set -- redis-server "$@"
fi
if [ "$1" = redis-server ]; then
  if [ "$(id -u)" = 0 ]; then
    find . \! -user redis -exec chown redis '{}' +
    exec gosu redis "$0" "$@"
  fi
  # The public image is built with protected mode off by default, or nobody outside could connect. A given
  # option wins because the last one counts; a configuration file must stay the first argument.
  shift
  case "${1:-}" in
    "" | -*) set -- redis-server --protected-mode no "$@" ;;
    *) config="$1"; shift; set -- redis-server "$config" --protected-mode no "$@" ;;
  esac
fi
exec "$@"
