#!/bin/sh
# What follows a deploy, under the lock of its environment, so that nobody rolls meanwhile:
#   fleet lock run --environment staging -- ./after-deploy.sh staging
# The end-to-end run; and where that is red, the fleet goes back to what was proven before.
set -eu
cd "$(dirname "$0")"
fleet='npx -y @tenant-fleet/fleet-cli@0.1.0'
$fleet verify --environment "$1" || {
  echo "ERROR: $1 has been rolled by somebody else since: nothing is tried, promoted or rolled back"
  exit 1
}
if ./end-to-end.sh "$1"; then exit 0; fi
echo "ERROR: the end-to-end run is red: $1 goes back to what was proven before"
$fleet rollback --environment "$1" --yes
exit 1
