#!/bin/sh
# A first argument that is an option, or no program of this image, is meant for node.
set -e
if [ "${1#-}" != "$1" ] || ! command -v "$1" >/dev/null 2>&1; then
  set -- node "$@"
fi
exec "$@"
