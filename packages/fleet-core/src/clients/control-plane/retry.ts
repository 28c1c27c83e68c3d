/** Whether a call to the control plane may be sent again: one pure function, one table. */
import type { HttpFailureKind } from '../../io/http.js';

/** Milliseconds before each retry; their number is the number of retries. The contract fixes both. */
export const RETRY_WAITS_MS = [5_000, 10_000, 20_000] as const;

export type Exchange =
  /** An answer came; `readable`: it is a redeploy answer. */
  { status: number; readable: boolean; error?: string } | { failure: HttpFailureKind };

export type Next =
  /** It has its answer: read the rows. */
  | 'read'
  /** It had no effect: send the same again after the wait. */
  | 'retry'
  /** It had no effect: an older roll still runs; wait as the server says, then send the same again. */
  | 'wait'
  /** It hardly had its effect: ask the tenants, and send again only for those that are not on target. */
  | 'ask_then_retry'
  /** It may be having its effect: watch the tenants for a settle budget, then as above. */
  | 'look_then_retry'
  /** It may have had its effect: ask the tenants, and never send again. */
  | 'look'
  /** It had no effect and never will. */
  | 'give_up';

/** The control plane refuses it for as long as another roll of the fleet runs. */
export const isDraining = (exchange: Exchange): boolean =>
  'status' in exchange && exchange.status === 409 && exchange.error === 'draining';

/** The call provably changed nothing: it never left, or the control plane said no before any side effect. */
export function hadNoEffect(exchange: Exchange): boolean {
  if ('failure' in exchange) return exchange.failure === 'not_sent';
  return (exchange.status >= 300 && exchange.status < 500) || exchange.status === 501;
}

/**
 * What to do after one exchange.
 *
 * @param call `plan` changes nothing and may be repeated freely; `roll` changes tenants.
 * @param reachedBefore The control plane has answered in this run, so a refused connection is an outage, not a typo.
 */
export function nextStep(call: 'plan' | 'roll', exchange: Exchange, reachedBefore: boolean): Next {
  if ('failure' in exchange) {
    if (exchange.failure === 'not_sent') return reachedBefore ? 'retry' : 'give_up';
    if (exchange.failure === 'broken' && call === 'plan') return reachedBefore ? 'retry' : 'give_up';
    return call === 'plan' ? 'give_up' : 'look';
  }
  const { status, readable } = exchange;
  if (status === 200) return readable ? 'read' : call === 'plan' ? 'give_up' : 'look';
  // "Accepted" and its like: something may be rolling.
  if (status > 200 && status < 300) return call === 'plan' ? 'give_up' : 'look';
  // 500 with rows says that some tenant failed; the rows count.
  if (status === 500) return readable ? 'read' : call === 'plan' ? 'give_up' : 'look';
  if (isDraining(exchange)) return 'wait';
  if (status === 502 || status === 503) return call === 'plan' ? 'retry' : 'ask_then_retry';
  if (status === 504) return call === 'plan' ? 'retry' : 'look_then_retry';
  // Other edge errors (520-527): the origin may be rolling while the edge gave up.
  if (status > 504) return call === 'plan' ? 'give_up' : 'look';
  return 'give_up';
}
