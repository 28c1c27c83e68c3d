/** Addresses that people open; the one that a runner talks to is often an inner one. */

/** The address as a base for links: no slash at its end, a path below which the server runs kept. */
const baseOf = (webUrl: string) => webUrl.trim().replace(/\/+$/, '');

/**
 * Page of an Actions run.
 *
 * Gitea up to 1.25 addresses runs by number, later ones by id; `by_index` is understood by those and harmless to these.
 *
 * @param number `GITHUB_RUN_NUMBER`.
 * @returns undefined where a part is missing.
 */
export function runUrlOf(
  webUrl: string | undefined,
  repository: string | undefined,
  number: string | undefined,
): string | undefined {
  if (!webUrl || !repository || !number) return undefined;
  return `${baseOf(webUrl)}/${repository}/actions/runs/${number}?by_index=1`;
}

/** Page of an issue. */
export const issueUrlOf = (webUrl: string, repository: string, number: number): string =>
  `${baseOf(webUrl)}/${repository}/issues/${number}`;
