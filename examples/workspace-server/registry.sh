# Read by the scripts that push and move images: curl for the container registry of IMAGE, which is HOST/OWNER/NAME.
: "${IMAGE:?give the repository variable IMAGE, for example git.example.com/acme/workspace-server}"
case $IMAGE in
  127.0.0.1:* | localhost:*) api=http://${IMAGE%%/*}/v2/${IMAGE#*/} ;;
  *) api=https://${IMAGE%%/*}/v2/${IMAGE#*/} ;;
esac

# The credentials come from standard input: arguments are visible to every process of the machine.
registry() {
  credentials=$(printf '%s:%s' "$REGISTRY_USER" "$REGISTRY_PASSWORD" | base64 | tr -d '\n')
  printf 'Authorization: Basic %s\n' "$credentials" | curl --silent --show-error --fail --header @- "$@"
}

digest_of() { printf 'sha256:%s' "$(sha256sum "$1" | cut -c1-64)"; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
