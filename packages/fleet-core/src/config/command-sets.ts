/** Which commands take a row of the table of settings. */
import type { Command } from './setting.js';

export const REACHES = [
  'redeploy',
  'rollback',
  'plan',
  'verify',
  'status',
  'history',
  'lock',
  'lock run',
  'watch',
  'rollout',
] as const;
export const EVERY: readonly Command[] = [...REACHES, 'gates'];
export const LOOKS = ['redeploy', 'rollback', 'plan', 'verify'] as const;
/** A rollback finds its target by itself. */
export const NAMES_TARGET = ['redeploy', 'plan', 'verify', 'gates'] as const;
/** Whatever asks tenants. */
export const ASKS = [...LOOKS, 'status', 'watch'] as const;
/** A plan takes whatever the roll takes, so that the word is all one has to change. */
export const ROLLS = ['redeploy', 'rollback', 'plan'] as const;
/** A rollback takes the lock always, and has an order of its own. */
export const GOES_ON = ['redeploy', 'plan'] as const;
export const ORDERS = [...GOES_ON, 'gates'] as const;
export const GATED = [...ROLLS, 'gates'] as const;
export const LOCKS = [...ROLLS, 'status', 'history', 'lock', 'lock run', 'watch'] as const;
export const WAITS = [...ROLLS, 'lock run'] as const;
/** Who waits for a lock is shown with branch, repository and a link to the run. */
export const NAMES_RUN = [...LOOKS, 'lock run', 'gates', 'watch', 'status'] as const;
/** Whoever tells people how it ended. */
export const ALERTS = [...ROLLS, 'watch'] as const;
export const READS_GITEA = [...LOOKS, 'gates', 'watch', 'status'] as const;
