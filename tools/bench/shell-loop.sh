#!/usr/bin/env bash
# What a deploy job does by hand: one tenant after the other, each polled until it answers the commit or its budget ends.
# usage: shell-loop.sh URL_PREFIX EXPECTED_SHA BUDGET_SECONDS INTERVAL_SECONDS SLUG...
set -u
prefix=$1 expected=$2 budget=$3 interval=$4
shift 4
stale=0
for slug in "$@"; do
  end=$(($(date +%s%N) + $(awk "BEGIN { printf \"%.0f\", $budget * 1e9 }")))
  while :; do
    sha=$(curl -sS -m 10 "$prefix/$slug/buildinfo" | jq -r '.git_sha // empty')
    [ "$sha" = "$expected" ] && break
    if [ "$(date +%s%N)" -ge "$end" ]; then
      stale=$((stale + 1))
      break
    fi
    sleep "$interval"
  done
done
[ "$stale" -eq 0 ]
