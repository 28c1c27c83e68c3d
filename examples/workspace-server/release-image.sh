#!/bin/sh
# Builds the image of the checked-out commit and pushes it to a container registry. `tag`, `sha` and `digest` become
# outputs of the step.
#
# It needs no container engine. With one, put this in its place, and take `containerimage.digest` out of built.json:
#   docker buildx build --push --metadata-file built.json --label "org.opencontainers.image.revision=$sha" -t "$IMAGE:$tag" .
set -eu
cd "$(dirname "$0")"
. ./registry.sh

push() {
  location=$(registry --request POST --data '' --output "$work/answer" --write-out '%header{location}' "$api/blobs/uploads/")
  case $location in /*) location=${api%%/v2/*}$location ;; esac
  case $location in *\?*) location=$location\& ;; *) location=$location? ;; esac
  registry --upload-file "$1" --output "$work/answer" "${location}digest=$(digest_of "$1")"
}

sha=$(git rev-parse HEAD)
tag=$GITHUB_REF_NAME-$(printf %.7s "$sha")
printf '{"git_sha":"%s"}\n' "$sha" >server/buildinfo.json
# The same commit makes the same bytes: pushed again, the tag keeps its digest.
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$work/tar" server
gzip -n <"$work/tar" >"$work/layer"
printf '{"architecture":"amd64","os":"linux","config":{"Labels":{"org.opencontainers.image.revision":"%s"}},"rootfs":{"type":"layers","diff_ids":["%s"]}}' \
  "$sha" "$(digest_of "$work/tar")" >"$work/config"
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%d},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"%s","size":%d}]}' \
  "$(digest_of "$work/config")" "$(wc -c <"$work/config")" "$(digest_of "$work/layer")" "$(wc -c <"$work/layer")" >"$work/manifest"
push "$work/layer"
push "$work/config"
registry --upload-file "$work/manifest" --header 'Content-Type: application/vnd.oci.image.manifest.v1+json' \
  --output "$work/answer" "$api/manifests/$tag"
echo "pushed $IMAGE:$tag@$(digest_of "$work/manifest")"
if [ -n "${GITHUB_OUTPUT:-}" ]; then exec >>"$GITHUB_OUTPUT"; fi
printf 'tag=%s\nsha=%s\ndigest=%s\n' "$tag" "$sha" "$(digest_of "$work/manifest")"
