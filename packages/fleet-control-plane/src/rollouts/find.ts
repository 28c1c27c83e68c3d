import * as z from 'zod';
import type { Reader } from '../db/database.js';
import { mayName } from '../http/auth/callers.js';
import type { Token } from '../http/auth/tokens.js';
import { Problem } from '../problem.js';
import { type RolloutRow, readServerRollout } from './store.js';

/** Of `/cp/admin/rollouts/{id}`, as PostgreSQL writes an id. */
export const idParams = z.object({ id: z.uuid().toLowerCase() });

/** Finds a rollout for a caller. It throws Problem 404 where there is none, 403 where it is none of the caller's groups. */
export const finder =
  (db: Reader) =>
  async (id: string, caller: Token | null): Promise<RolloutRow> => {
    const row = await readServerRollout(db, id);
    if (!row) {
      throw new Problem(
        404,
        'unknown_rollout',
        'This server has no such rollout.',
        'GET /cp/admin/rollouts, or `fleet rollout list`, shows those that there are.',
      );
    }
    mayName(caller, row.group);
    return row;
  };
