#!/bin/sh
# Installs what the named programs need, where one of them is not there: .ci/needs.sh chromium tmux
# On Debian and what comes of it, where the packages are named as their programs.
set -eu
missing=
for name; do
  # Debian keeps the programs of a server out of the way.
  [ "$name" = postgresql ] && set -- /usr/lib/postgresql/*/bin/initdb && [ -x "$1" ] && continue
  command -v "$name" >/dev/null || missing="$missing $name"
done
[ -n "$missing" ] || exit 0
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
# shellcheck disable=SC2086 # one word for each package
{ $sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing; } >&2 || {
  echo "not installed, and not to be had from Debian's archive:$missing" >&2
  exit 1
}
