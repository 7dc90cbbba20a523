#!/bin/sh
# Options are meant for haproxy, which runs in the foreground with a master process that can reload workers.
set -e
if [ "${1#-}" != "$1" ]; then
  set -- haproxy "$@"
fi
if [ "$1" = haproxy ]; then
  shift
  set -- haproxy -W -db "$@"
fi
exec "$@"
