#!/bin/sh
# Runs the command from its packed tarball and the bundled action, each alone in an empty folder, under every Node that is
# promised, and under older ones, where both must say what is wrong. Build first.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT INT TERM
mkdir "$temp/action"
(cd "$root/packages/fleet-cli" && npx -y pnpm@10 pack --pack-destination "$temp" >/dev/null)
# It has no dependencies, so no registry is asked for any.
npm install --silent --offline --prefix "$temp" "$temp"/*.tgz
fleet=node_modules/@tenant-fleet/fleet-cli/dist/cli.js
cp "$root"/packages/fleet-action/dist/*.cjs "$temp/action/"
cd "$temp"

run() {
  version=$1
  shift
  env -i HOME="$HOME" PATH="$PATH" ${npm_config_registry:+npm_config_registry="$npm_config_registry"} \
    npx --yes --loglevel=error "node@$version" "$@" 2>&1
}

fail() {
  printf 'Node %s: %s\n%s\n' "$1" "$2" "$3" >&2
  exit 1
}

for version in ${NODE_VERSIONS:-20.19.0 20 22 24}; do
  out=$(run "$version" "$fleet" --version) || fail "$version" 'fleet --version' "$out"
  case $out in *[0-9].[0-9]*) ;; *) fail "$version" 'fleet --version' "$out" ;; esac
  code=0
  out=$(run "$version" "$fleet" redeploy --control-plane http://127.0.0.1:9 --soak 60) || code=$?
  case "$code $out" in "2 error: --soak: "*) ;; *) fail "$version" "fleet redeploy ended with $code" "$out" ;; esac
  code=0
  out=$(run "$version" action/main.cjs) || code=$?
  case "$code $out" in "2 ERROR: --control-plane, "*" are missing"*) ;; *) fail "$version" "action ended with $code" "$out" ;; esac
  out=$(run "$version" action/post.cjs) || fail "$version" 'post step' "$out"
  printf 'Node %s: ok (%s)\n' "$version" "$(run "$version" --version)"
done
for version in ${OLD_NODE_VERSIONS:-16 18}; do
  code=0
  out=$(run "$version" action/main.cjs) || code=$?
  case "$code $out" in "2 ERROR: this action needs Node 20.19"*) ;; *) fail "$version" "action ended with $code" "$out" ;; esac
  code=0
  out=$(run "$version" "$fleet" redeploy) || code=$?
  case "$code $out" in "2 error: fleet needs Node 20.19"*) ;; *) fail "$version" "fleet ended with $code" "$out" ;; esac
  printf 'Node %s: refused in words\n' "$version"
done
