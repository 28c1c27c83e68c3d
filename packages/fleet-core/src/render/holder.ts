/** Whoever holds or waits for a lock, in words. All texts in a holder were written by somebody else. */
import type { HolderView, WaitedFor } from '../contract.js';
import { isWebAddress } from '../io/address.js';
import { formatDuration } from '../text/duration.js';
import { oneLine } from '../text/sanitize.js';
import { shortSha } from '../text/words.js';

/** `ann@host-7`, as far as both are known. */
const personOf = ({ actor, host }: HolderView): string =>
  [actor, host].flatMap((part) => (part ? [oneLine(part, 160)] : [])).join('@');

/** `fleet redeploy staging (ann@host-7)`. */
export const holderName = (holder: HolderView): string =>
  [oneLine(holder.name, 160), holder.actor && `(${personOf(holder)})`].filter(Boolean).join(' ');

/** Who, since when, doing what, and where to look. */
export function holderInWords(holder: WaitedFor): string {
  const { held_for_seconds: seconds, step, alive, actor, host, sha, run_url: url } = holder;
  return [
    typeof seconds === 'number'
      ? `${holderName(holder)} for ${formatDuration(Math.max(0, seconds) * 1000)}`
      : holderName(holder),
    step && `doing: ${oneLine(step, 160)}`,
    alive === false && 'does not renew any more',
    !actor && host && `on ${oneLine(host, 160)}`,
    sha && `commit ${oneLine(shortSha(sha), 40)}`,
    isWebAddress(url) && oneLine(url, 300),
  ]
    .filter(Boolean)
    .join(', ');
}
