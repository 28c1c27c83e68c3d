#!/bin/sh
# promote.sh DIGEST TAG: moves a tag to an image that is in the registry, without building or copying it.
set -eu
cd "$(dirname "$0")"
. ./registry.sh
# An image for several platforms is an index.
accept=application/vnd.oci.image.index.v1+json,application/vnd.oci.image.manifest.v1+json
accept=$accept,application/vnd.docker.distribution.manifest.list.v2+json,application/vnd.docker.distribution.manifest.v2+json
type=$(registry --header "Accept: $accept" --output "$work/manifest" --write-out '%{content_type}' "$api/manifests/$1")
[ "$(digest_of "$work/manifest")" = "$1" ] || {
  echo "ERROR: the registry answers with another image than $1"
  exit 1
}
registry --upload-file "$work/manifest" --header "Content-Type: $type" --output "$work/answer" "$api/manifests/$2"
echo "$IMAGE:$2 is $1"
