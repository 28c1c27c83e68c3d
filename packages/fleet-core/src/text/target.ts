/** What is rolled to, in its parts: `main-4f2c1a9@sha256:...` names the tag and the image that it must be. */
export function parseTarget(target: string): { tag: string; digest: string | null } {
  const at = target.indexOf('@');
  return at < 0 ? { tag: target, digest: null } : { tag: target.slice(0, at), digest: target.slice(at + 1) };
}
