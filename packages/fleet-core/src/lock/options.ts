/** What a claim of the lock is made of. */
import type { LockServer } from '../clients/control-plane/lock.js';
import type { ClaimHandle } from '../context.js';
import type { Holder, Order, Superseder } from '../contract.js';

export interface LockOptions {
  server: Omit<LockServer, 'http'>;
  /** `^[a-z0-9][a-z0-9._-]{0,62}$`. */
  group: string;
  holder: Holder;
  /** How long to wait in the queue, milliseconds, at least 0. */
  waitMs: number;
  /** Life of the lease without renewal, milliseconds, 2 000 to 3 600 000. */
  ttlMs: number;
  order?: Order;
  /** A claim id that this job would make again, so that a later step can release it; default: random. */
  claimId?: string;
  /** A claim that this process has taken over from another one: it is asked for as it is, and no other is made in its place. */
  claim?: ClaimHandle;
  /**
   * Told of every claim before it is first sent: whoever keeps it can release what a killed process left. The session
   * proves the claim, so it belongs into no log.
   */
  onClaim?: (claim: ClaimHandle) => void;
  /**
   * Whether a claim that goes before this one by its number really is newer; else why not.
   *
   * Default: it is.
   */
  doubt?: (by: Superseder, signal: AbortSignal) => Promise<string | null>;
}
