#!/bin/sh
# Runs the example's workflows in a real Actions engine: nektos/act in host mode, so no container engine is needed.
# Build first. FLEET_ACT names an engine that is there already.
set -eu
cd "$(dirname "$0")/.."
version=v0.2.87
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
if [ -z "${FLEET_ACT:-}" ]; then
  GOBIN="$temp" go install "github.com/nektos/act@$version"
  FLEET_ACT=$temp/act
fi
export FLEET_ACT
"$FLEET_ACT" --version
npx -y pnpm@10 --filter @tenant-fleet/fleet-e2e run act
