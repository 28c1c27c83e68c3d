/** Small words that events, results and errors share. */

/** How many names are spelled out before "and N more". */
export const NAMED = 20;

/** Names joined for a sentence; a long list ends in "and N more". */
export function nameList(names: readonly string[], max = NAMED, between = ', '): string {
  if (names.length <= max) return names.join(between);
  return `${names.slice(0, max).join(between)} and ${names.length - max} more`;
}

/** First seven digits of a commit; other words (`dev`) whole. */
export const shortSha = (sha: string): string => (/^[0-9a-f]{40}$/i.test(sha) ? sha.slice(0, 7) : sha);

/** `3 tenants`, `1 tenant`. */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
