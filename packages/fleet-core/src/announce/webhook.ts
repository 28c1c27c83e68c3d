/** Tells a chat by its webhook. The address is a secret: it reaches no event and no error. */

import type { Clock } from '../io/clock.js';
import { type Http, HttpFailure } from '../io/http.js';
import { sleep } from '../io/sleep.js';
import { NotAnnounced } from './fault.js';

export interface Webhook {
  url: string;
  http: Http;
  clock: Clock;
  signal: AbortSignal;
}

const TIMEOUT_MS = 8_000;
const WAITS_MS = [1_000, 3_000] as const;
const LONGEST_TEXT = 3_000;

/** The three characters that Slack gives a meaning (https://api.slack.com/reference/surfaces/formatting#escaping). */
const escaped = (text: string) =>
  text.replace(/[&<>]/g, (sign) => (sign === '&' ? '&amp;' : sign === '<' ? '&lt;' : '&gt;'));

/**
 * Posts a text. Sent again where that may help: a message that comes twice is better than none.
 *
 * @throws NotAnnounced; the reason of the signal.
 */
export async function tellChat({ url, http, clock, signal }: Webhook, text: string): Promise<void> {
  const body = JSON.stringify({ text: escaped(text.slice(0, LONGEST_TEXT)) });
  for (let attempt = 0; ; attempt++) {
    const problem = await http({ method: 'POST', url, body, timeoutMs: TIMEOUT_MS, maxBytes: 65_536, signal })
      .then(({ status }) => problemOf(status))
      .catch((error) => {
        if (!(error instanceof HttpFailure)) throw error;
        if (error.kind === 'aborted') throw signal.reason;
        return { why: error.message, again: error.kind !== 'too_large' };
      });
    if (problem === null) return;
    const wait = WAITS_MS[attempt];
    if (!problem.again || wait === undefined)
      throw new NotAnnounced(`FLEET_ALERT_WEBHOOK did not take it: ${problem.why}`);
    await sleep(clock, wait, signal);
  }
}

function problemOf(status: number): { why: string; again: boolean } | null {
  if (status >= 200 && status < 300) return null;
  // A redirect would hand the message, and the secret in its address, to another server.
  if (status >= 300 && status < 400) return { why: `it redirects (HTTP ${status})`, again: false };
  return { why: `HTTP ${status}`, again: status === 429 || status >= 500 };
}
