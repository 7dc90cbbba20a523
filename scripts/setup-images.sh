#!/usr/bin/env bash
# Makes the base images of the mirrors available: present, or pulled, or built here as a stand-in.
#
# An image that is not ours is never touched. A stand-in carries the hash of its recipe in a label: a current
# one is skipped, a stale one rebuilt. See scripts/stand-ins/README.md.

# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

readonly RECIPES="$SCRIPTS_DIR/stand-ins"
readonly LABEL=canary-harness.stand-in
readonly BASE=debian:bookworm-slim
# Image and recipe; the base comes first because the others are built on it.
readonly IMAGES="$BASE=debian node:24-slim=node postgres:15=postgres redis:7=redis haproxy:2.6=haproxy"
readonly LOCK_FILE="${TMPDIR:-/tmp}/canary-setup-images-$UID.lock"
# How long a registry may take to say that it has the image; 0 means do not ask. The download may take longer.
readonly PULL_ANSWER_SECONDS="${CANARY_PULL_ANSWER_SECONDS:-15}"
readonly PULL_SECONDS=600

WORK_DIR=""

node_version() {
  local version
  version="$(sed -n 's/^[[:space:]]*"node": *"\([0-9][0-9.]*\)".*/\1/p' "$SCRIPTS_DIR/../package.json" | head -n 1)"
  [ -n "$version" ] || give_up "package.json pins no version of the package node" "Restore its exact version there."
  printf '%s\n' "$version"
}

# The label's value: the recipe and the hash of everything that decides what it makes, the base included.
recipe_mark() {
  local recipe="$1" hash
  hash="$(recipe_contents "$recipe" | sha256sum | cut -c 1-16)"
  printf '%s:%s\n' "$recipe" "$hash"
}

recipe_contents() {
  local recipe="$1"
  (cd "$RECIPES" && find debian "$recipe" -type f -print0 | sort -zu | xargs -0 sha256sum)
  if [ "$recipe" = node ]; then node_version; fi
}

# "current", "stale", "foreign" (not ours, so left alone) or "missing".
image_state() {
  local image="$1" recipe="$2" mark
  mark="$(docker image inspect --format "{{index .Config.Labels \"$LABEL\"}}" "$image" 2>/dev/null)" || {
    echo missing
    return
  }
  case "$mark" in
    # Somebody's own image built upon a stand-in inherits the label of another recipe: not ours either.
    "$recipe":*) if [ "$mark" = "$(recipe_mark "$recipe")" ]; then echo current; else echo stale; fi ;;
    *) echo foreign ;;
  esac
}

# Succeeds once the image is here. Docker prints "Pulling from" as soon as a registry has answered.
pull() {
  local image="$1" log="$WORK_DIR/pull-${1//[:\/]/-}.log" pid answer_by end_by
  [ "$PULL_ANSWER_SECONDS" -gt 0 ] || return 1
  docker pull "$image" >"$log" 2>&1 &
  pid=$!
  answer_by=$((SECONDS + PULL_ANSWER_SECONDS))
  end_by=$((SECONDS + PULL_SECONDS))
  while kill -0 "$pid" 2>/dev/null; do
    if [ "$SECONDS" -ge "$end_by" ] || { [ "$SECONDS" -ge "$answer_by" ] && ! grep -q 'Pulling from' "$log"; }; then
      kill "$pid" 2>/dev/null || true
    fi
    sleep 0.1
  done
  wait "$pid"
}

build_base() {
  local mark="$1"
  if ! have mmdebstrap; then
    require_installable mmdebstrap "Install mmdebstrap, or make a container registry reachable, and run this script again."
    say "installing mmdebstrap from the distribution"
    apt_install mmdebstrap
  fi
  "$RECIPES/debian/build.sh" |
    docker import --change 'CMD ["bash"]' --change "LABEL $LABEL=$mark" - "$BASE"
}

# The classic builder needs no plug-in and no image of its own.
build_on_base() {
  local image="$1" recipe="$2" mark="$3" context="$WORK_DIR/$2"
  cp -r "$RECIPES/$recipe" "$context"
  if [ "$recipe" = node ]; then add_node_binary "$context"; fi
  DOCKER_BUILDKIT=0 docker build --force-rm --label "$LABEL=$mark" --build-arg "NODE_VERSION=$(node_version)" \
    --tag "$image" "$context"
}

add_node_binary() {
  local context="$1" arch
  case "$(docker version --format '{{.Server.Arch}}')" in
    amd64) arch=x64 ;;
    *) arch="$(docker version --format '{{.Server.Arch}}')" ;;
  esac
  npm pack --silent --pack-destination "$context" "node-linux-$arch@$(node_version)"
  tar -xzf "$context"/node-linux-*.tgz -C "$context" --strip-components=2 package/bin/node
  rm "$context"/node-linux-*.tgz
}

# Runs one build with its output kept; shows the end of it only when it fails.
build() {
  local image="$1" recipe="$2" log="$WORK_DIR/build-$2.log" started=$SECONDS mark old_id
  mark="$(recipe_mark "$recipe")"
  old_id="$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null || true)"
  say "building a local stand-in for $image"
  if [ "$recipe" = debian ]; then
    build_base "$mark" >"$log" 2>&1
  else
    build_on_base "$image" "$recipe" "$mark" >"$log" 2>&1
  fi || {
    tail -n 25 "$log" >&2
    say "building $image failed"
    return 1
  }
  if [ -n "$old_id" ]; then remove_unless_used "$old_id"; fi
  say "$image is ready ($((SECONDS - started)) s)"
}

# The stale stand-in goes, unless it has another name or something is built or runs on it.
remove_unless_used() {
  [ "$(docker image inspect --format '{{len .RepoTags}}' "$1" 2>/dev/null)" = 0 ] || return 0
  docker rmi "$1" >/dev/null 2>&1 || true
}

# Prints "image=recipe" for each stand-in to build, after pulling what is missing and can be pulled.
images_to_build() {
  local entry state
  for entry in $IMAGES; do
    state="$(image_state "${entry%=*}" "${entry#*=}")"
    case "$state" in
      current | foreign) continue ;;
      missing) if pull "${entry%=*}"; then say "pulled ${entry%=*}"; continue; fi ;;
    esac
    printf '%s\n' "$entry"
  done
}

build_all() {
  local entry pids=() pid failed=0
  for entry in "$@"; do
    if [ "${entry%=*}" = "$BASE" ]; then
      build "$BASE" debian || failed=1
    fi
  done
  [ "$failed" -eq 0 ] || return 1
  for entry in "$@"; do
    if [ "${entry%=*}" != "$BASE" ]; then
      build "${entry%=*}" "${entry#*=}" &
      pids+=("$!")
    fi
  done
  for pid in ${pids[@]+"${pids[@]}"}; do
    wait "$pid" || failed=1
  done
  return "$failed"
}

main() {
  local needed
  docker version >/dev/null 2>&1 || give_up "no container engine answers" "Run scripts/setup.sh engine first."
  one_at_a_time "$LOCK_FILE"
  WORK_DIR="$(mktemp -d)"
  trap 'rm -rf "$WORK_DIR"' EXIT
  needed="$(images_to_build)"
  [ -n "$needed" ] || return 0
  # shellcheck disable=SC2086 # one word per image
  build_all $needed || give_up "some images could not be built (see above)" \
    "Make a container registry reachable, or fix what the log says, and run this script again."
}

main "$@"
