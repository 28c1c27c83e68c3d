import * as z from 'zod';
import { drainingSchema, frozenSchema } from './claim.js';
import { label } from './label.js';
import { fencingTokenSchema, holderViewSchema, orderSchema } from './words.js';

export const heldViewSchema = z.looseObject({
  claim_id: z.string(),
  fencing_token: fencingTokenSchema,
  holder: holderViewSchema,
  held_for_seconds: z.number(),
  last_renew_seconds_ago: z.number(),
  step: z.string().nullish(),
  alive: z.boolean(),
  /** Life of the lease without renewal. */
  ttl_seconds: z.number().positive().nullish(),
});
export type HeldView = z.infer<typeof heldViewSchema>;

export const queueEntrySchema = z.looseObject({
  claim_id: z.string(),
  position: z.number().int().min(1),
  holder: holderViewSchema,
  waiting_for_seconds: z.number(),
  order: orderSchema.nullish(),
});

export const lockStatusSchema = z.looseObject({
  group: z.string(),
  version: z.number().int().min(0),
  held: heldViewSchema.nullable(),
  queue: z.array(queueEntrySchema),
  frozen: frozenSchema.nullable(),
  draining: drainingSchema.nullish(),
  last_fencing_token: z.number().int().min(0),
});
export type LockStatus = z.infer<typeof lockStatusSchema>;

export const breakRequestSchema = z.object({
  fencing_token: fencingTokenSchema,
  reason: label(500),
  actor: label(200),
  confirm_alive: z.boolean().optional(),
});
export const freezeRequestSchema = z.object({
  reason: label(500),
  actor: label(200),
  until: z.iso.datetime({ offset: true }).optional(),
  /** Takes the place of a freeze that stands; without it such a freeze is refused. */
  replace: z.boolean().optional(),
});

/** What a server can do beyond the first version of the lock; a server that lists none can do none of it. */
export const LOCK_FEATURES = ['draining', 'rollouts', 'named-tokens', 'server-rollouts'] as const;
export type LockFeature = (typeof LOCK_FEATURES)[number];

/** `GET /cp/admin/fleet-locks`. */
export const lockCollectionSchema = z.looseObject({
  groups: z.array(
    z.looseObject({
      group: z.string(),
      held: heldViewSchema.nullish(),
      queue_length: z.number().int().min(0).nullish(),
      frozen: frozenSchema.nullish(),
      last_fencing_token: z.number().int().min(0).nullish(),
    }),
  ),
  features: z
    .array(z.string())
    .nullish()
    .transform((names) => names ?? []),
});
export type LockCollection = z.infer<typeof lockCollectionSchema>;

export const lockEventSchema = z.looseObject({
  seq: z.number().int().min(1),
  at: z.string(),
  kind: z.string(),
  claim_id: z.string().nullish(),
  fencing_token: z.number().nullish(),
  actor: z.string().nullish(),
  detail: z.record(z.string(), z.unknown()).nullish(),
  /** SHA-256 in hex of `auditText`; absent in rows of an older server. */
  hash: z.string().nullish(),
  /** The hash of the row before; null in the first row of the chain. */
  prev: z.string().nullish(),
});
export type LockEvent = z.infer<typeof lockEventSchema>;

/** What the hash of a row of the audit log is taken over: JSON without spaces, the keys of objects in order. */
export function auditText(
  prev: string | null,
  event: Pick<LockEvent, 'seq' | 'at' | 'kind' | 'claim_id' | 'fencing_token' | 'actor' | 'detail'>,
): string {
  const { seq, at, kind, claim_id, fencing_token, actor, detail } = event;
  const row = [prev, seq, at, kind, claim_id ?? null, fencing_token ?? null, actor ?? null, detail ?? null];
  return JSON.stringify(row, (_key, value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
export const lockEventsSchema = z.looseObject({ group: z.string(), events: z.array(lockEventSchema) });
