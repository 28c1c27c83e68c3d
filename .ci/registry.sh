#!/bin/sh
# Runs the built image gate against a real registry, Debian's docker-registry. Build first. Everything that is started
# or fetched here is gone afterwards: the package is unpacked, not installed, since installing it starts a server.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Prints the path of a program: the installed one, or that of its package, unpacked.
program() {
  command -v "$1" && return
  mkdir -p "$temp/$1"
  (
    cd "$temp/$1"
    # The folder is ours alone, so apt's own user could not write there.
    set -- "$1" -qq -o APT::Sandbox::User=root
    apt-get download "$@" || { apt-get update -qq && apt-get download "$@"; }
    dpkg-deb -x ./*.deb .
  ) >&2 || { echo "$1 is neither installed nor in Debian's archive" >&2; return 1; }
  echo "$temp/$1/usr/bin/$1"
}

registry=$(program docker-registry)
openssl=$(program openssl)
"$openssl" req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=registry \
  -keyout "$temp/key.pem" -out "$temp/cert.pem" 2>"$temp/openssl.log" || { cat "$temp/openssl.log" >&2; exit 1; }
# shellcheck disable=SC2016 # not a variable but the salt of a bcrypt hash
hash=$(perl -e 'print crypt("pass-w0rd-of-tests", q($2b$04$abcdefghijklmnopqrstuu))')
printf 'deployer:%s\n' "$hash" >"$temp/htpasswd"
node "$root/packages/fleet-core/test/external/registry.mjs" "$registry" "$temp"
