/** What somebody sees who looks at a fleet: the document of `fleet status`. */
import * as z from 'zod';
import { lockStatusSchema } from '../../contract.js';
import { nextCommandSchema } from '../result.js';
import { lastLookSchema } from './watch.js';

/** What could be found out, or why not. */
export type Known<T> = { known: true; value: T } | { known: false; why: string; next: string | null };

const known = <Value extends z.ZodType>(value: Value) =>
  z.discriminatedUnion('known', [
    z.object({ known: z.literal(true), value }),
    z.object({ known: z.literal(false), why: z.string(), next: z.string().nullable() }),
  ]);

const commitGroupSchema = z.object({
  commit: z.string().describe('40 lower-case hex digits, or `dev`'),
  tag: z.string().nullable().describe('tag under which a rollout on record brought it'),
  slugs: z.array(z.string()).describe('tenants that answered with it, in the order of the control plane'),
});
export type CommitGroup = z.infer<typeof commitGroupSchema>;

const unreadTenantSchema = z.object({
  slug: z.string(),
  status: z.enum(['unreachable', 'invalid']),
  why: z.string(),
});
/** A tenant that named no commit. */
export type UnreadTenant = z.infer<typeof unreadTenantSchema>;

const tenantsSeenSchema = z.object({
  listed: z.number().int(),
  commits: z.array(commitGroupSchema).describe('the largest group first'),
  unread: z.array(unreadTenantSchema).describe('tenants that named no commit'),
  ephemeral: z
    .array(z.string())
    .describe('tenants that come and go; they are in the groups too, and never off'),
  majority: z.string().nullable().describe('the commit of more tenants than any other'),
  off_majority: z.array(z.string()).describe('tenants on another commit than the majority'),
  off_proven: z
    .array(z.string())
    .nullable()
    .describe('tenants on another commit than the last proven one; null: none is known'),
});
export type TenantsSeen = z.infer<typeof tenantsSeenSchema>;

const lockSeenSchema = lockStatusSchema.extend({
  frees_in_seconds: z
    .number()
    .nullable()
    .describe(
      'until the lock frees itself, unless its holder renews; null: nobody holds it, or the server does not say',
    ),
});
export type LockSeen = z.infer<typeof lockSeenSchema>;

const rolloutSeenSchema = z.object({
  fencing_token: z.number().int(),
  claim_id: z.string(),
  target_tag: z.string(),
  expected_sha: z.string(),
  outcome: z.string().nullable().describe('null: it ended without a verdict'),
  by: z.string(),
  at: z.string().describe('ISO 8601'),
  run_url: z.string().nullable(),
});
/** A rollout on record. */
export type RolloutSeen = z.infer<typeof rolloutSeenSchema>;

export const statusSchema = z.object({
  schema: z.literal('fleet-status/1'),
  at: z.string().describe('ISO 8601'),
  took_ms: z.number(),
  environment: z.string().nullable(),
  control_plane: z.string(),
  tenants: known(tenantsSeenSchema),
  lock: known(lockSeenSchema).describe('who holds the lock, who waits, open rolls, a freeze'),
  last_proven: known(rolloutSeenSchema.nullable()).describe(
    'value null: no rollout on record proved the fleet',
  ),
  unfinished: rolloutSeenSchema.nullable().describe('the newest rollout, where it rolled and proved nothing'),
  last_look: known(lastLookSchema.nullable())
    .nullable()
    .describe('of `fleet watch`; null: no Gitea is configured, or nothing is proven'),
  next: nextCommandSchema.nullable().describe('what to type; null: nothing has to be done'),
  exit_code: z.union([z.literal(0), z.literal(5)]).describe('5 where the control plane could not be used'),
});
export type FleetStatus = z.infer<typeof statusSchema>;
