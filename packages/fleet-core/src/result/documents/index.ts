/**
 * Every document that `--json` may bring, by the name in its field `schema`. Fields are only ever added. Public as
 * `@tenant-fleet/fleet-core/documents`.
 */
import * as z from 'zod';
import { rolloutEntrySchema, serverRolloutSchema } from '../../contract.js';
import { RESULT_SCHEMA, resultSchema } from '../result.js';
import { configSchema } from './config.js';
import { doctorSchema } from './doctor.js';
import { gatesSchema } from './gates.js';
import { group, lockChainSchema, lockLogSchema, lockNoteSchema, lockStatusDocumentSchema } from './lock.js';
import { statusSchema } from './status.js';
import { watchSchema } from './watch.js';

const pastRolloutSchema = rolloutEntrySchema.extend({
  from_sha: z.string().nullable().describe('the commit that was proven before it; null: none is on record'),
});

export const historySchema = z.object({
  schema: z.literal('fleet-history/1'),
  group,
  rollouts: z.array(pastRolloutSchema).describe('the newest first, without their tenants'),
});

export const rolloutDocumentSchema = pastRolloutSchema.extend({
  schema: z.literal('fleet-rollout/1'),
  group,
});

export const serverRolloutsDocumentSchema = z.object({
  schema: z.literal('fleet-rollouts/1'),
  rollouts: z.array(serverRolloutSchema).describe('the newest first, without their results'),
});

export const serverRolloutDocumentSchema = serverRolloutSchema.extend({
  schema: z.literal('fleet-server-rollout/1'),
});

/** Of whatever ends before there is another document. */
export const errorSchema = z.object({
  schema: z.literal('fleet-error/1'),
  code: z.string().describe('stable: of the fault, `USAGE`, or `NOT_DONE` where somebody declined'),
  message: z.string(),
  next: z.string().nullish().describe('what to do about it'),
  exit_code: z.number().int(),
});

export const DOCUMENTS = {
  [RESULT_SCHEMA]: resultSchema,
  'fleet-status/1': statusSchema,
  'fleet-history/1': historySchema,
  'fleet-rollout/1': rolloutDocumentSchema,
  'fleet-rollouts/1': serverRolloutsDocumentSchema,
  'fleet-server-rollout/1': serverRolloutDocumentSchema,
  'fleet-gates/1': gatesSchema,
  'fleet-watch/1': watchSchema,
  'fleet-doctor/1': doctorSchema,
  'fleet-config/1': configSchema,
  'fleet-lock-status/1': lockStatusDocumentSchema,
  'fleet-lock-log/1': lockLogSchema,
  'fleet-lock-chain/1': lockChainSchema,
  'fleet-lock-note/1': lockNoteSchema,
  'fleet-error/1': errorSchema,
} as const;
