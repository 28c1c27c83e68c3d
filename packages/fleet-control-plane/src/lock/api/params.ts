import { claimIdSchema, lockGroupSchema, WAIT_SECONDS_MAX } from '@tenant-fleet/fleet-core/contract';
import * as z from 'zod';

/** Of `/cp/admin/fleet-locks/{group}`. */
export const groupParams = z.object({ group: lockGroupSchema });
/** Of `.../claims/{claim_id}`, as PostgreSQL writes an id. */
export const claimParams = groupParams.extend({ claim_id: claimIdSchema.toLowerCase() });

export const waitSeconds = z.coerce.number().min(0).max(WAIT_SECONDS_MAX).default(0);
