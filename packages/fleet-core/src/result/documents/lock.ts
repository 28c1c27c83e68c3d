/** What the commands below `fleet lock` print. */
import * as z from 'zod';
import { lockEventSchema, lockStatusSchema } from '../../contract.js';

/** Of the documents that are about one lock. */
export const group = z.string().describe('the lock group');

export const lockStatusDocumentSchema = lockStatusSchema.extend({
  schema: z.literal('fleet-lock-status/1'),
});

export const lockLogSchema = z.object({
  schema: z.literal('fleet-lock-log/1'),
  group,
  events: z.array(lockEventSchema).describe('oldest first'),
});

export const lockChainSchema = z.object({
  schema: z.literal('fleet-lock-chain/1'),
  group,
  verified: z.number().int().min(0).describe('rows whose hash is right and follows from the row before'),
  unchained: z.number().int().min(0).describe('rows from before the log was a chain'),
  head: z.string().nullable().describe('hash of the last row; null: no chain yet'),
  broken: z
    .object({ seq: z.number().int(), why: z.string() })
    .nullable()
    .describe('the first row that does not fit; null where all is well'),
});

/** What a person did to a lock. */
export const lockNoteSchema = z.object({
  schema: z.literal('fleet-lock-note/1'),
  group,
  done: z.enum(['frozen', 'unfrozen', 'broken']),
  fencing_token: z.number().int().nullish().describe('of the hold that was broken; null: nobody held it'),
  actor: z.string(),
  reason: z.string(),
  until: z.string().optional().describe('when the freeze lifts itself; absent: when it is lifted'),
  replace: z.boolean().optional().describe('it took the place of a freeze that stood'),
});
