#!/bin/sh
# Builds the image of the checked-out commit and pushes it. For the tag rollback/ENVIRONMENT/IMAGE_TAG it builds nothing
# and says which commit that image was built from. Either way `tag` and `sha` become outputs of the step.
#
# The image is an archive in Gitea's generic package registry, so that no container engine is needed. Put a build of your
# own in its place: all that counts is that the tag ends in the commit, and that /buildinfo answers with it.
set -eu
cd "$(dirname "$0")"

if [ "${GITHUB_REF#refs/tags/rollback/*/}" != "$GITHUB_REF" ]; then
  tag=${GITHUB_REF#refs/tags/rollback/*/}
  # What follows the @ makes the tag of a second rollback to the same image another one. No image tag has an @ in it, and
  # git keeps no tag below another one, as a / would ask for.
  tag=${tag%%@*}
  printf '%s' "${tag##*-}" | grep -Eqx '[0-9a-f]{7,40}' || {
    echo "ERROR: $tag does not end in -COMMIT: give the tag of an image that this script has built"
    exit 2
  }
  sha=$(git rev-parse --verify --quiet "${tag##*-}^{commit}") || {
    echo "ERROR: $tag: no commit of this repository begins with ${tag##*-}"
    exit 2
  }
else
  : "${PACKAGE_URL:?give the repository variable PACKAGE_URL, for example https://git.example.com/api/packages/acme/generic/workspace-server}"
  sha=$(git rev-parse HEAD)
  tag=$GITHUB_REF_NAME-$(printf %.7s "$sha")
  printf '{"git_sha":"%s"}\n' "$sha" >server/buildinfo.json
  tar -czf image.tar.gz server
  # The header comes from standard input: arguments are visible to every process of the machine.
  status=$(printf 'Authorization: token %s\n' "$PACKAGE_TOKEN" |
    curl --silent --show-error --header @- --upload-file image.tar.gz --output /dev/null --write-out '%{http_code}' \
      "$PACKAGE_URL/$tag/image.tar.gz")
  case $status in
    201) echo "pushed $tag" ;;
    409) echo "$tag had been pushed before" ;;
    *)
      echo "ERROR: $tag could not be pushed (HTTP $status)"
      exit 1
      ;;
  esac
fi
if [ -n "${GITHUB_OUTPUT:-}" ]; then exec >>"$GITHUB_OUTPUT"; fi
printf 'tag=%s\nsha=%s\n' "$tag" "$sha"
