/** Whoever holds or waits for a lock, in words. All texts in a holder were written by somebody else. */
import type { HolderView, WaitedFor } from '../contract.js';
import { isWebAddress } from '../io/address.js';
import { formatDuration } from '../text/duration.js';
import { oneLine } from '../text/sanitize.js';
import { shortSha } from '../text/words.js';

/** `fleet redeploy staging (ann)`. */
export const holderName = ({ name, actor }: HolderView): string =>
  [oneLine(name, 160), actor && `(${oneLine(actor, 160)})`].filter(Boolean).join(' ');

/** Who, since when, doing what, and where to look. */
export function holderInWords(holder: WaitedFor): string {
  const { held_for_seconds: seconds, step, alive, host, sha, run_url: url } = holder;
  return [
    typeof seconds === 'number'
      ? `${holderName(holder)} for ${formatDuration(Math.max(0, seconds) * 1000)}`
      : holderName(holder),
    step && `doing: ${oneLine(step, 160)}`,
    alive === false && 'does not renew any more',
    host && `on ${oneLine(host, 160)}`,
    sha && `commit ${oneLine(shortSha(sha), 40)}`,
    isWebAddress(url) && oneLine(url, 300),
  ]
    .filter(Boolean)
    .join(', ');
}
