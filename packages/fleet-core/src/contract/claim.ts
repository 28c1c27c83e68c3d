import * as z from 'zod';
import { label } from './label.js';
import { rolloutSchema } from './rollouts.js';
import { fencingTokenSchema, holderSchema, holderViewSchema, orderSchema, sessionSchema } from './words.js';

/** Seconds a lease lives without renewal. The lower bound leaves room for a margin and a lost renewal. */
export const TTL_SECONDS = { min: 2, max: 3600, default: 30 } as const;
/** Seconds that a claim or status request may wait on the server. */
export const WAIT_SECONDS_MAX = 25;
/** Seconds after which a waiter that stopped polling leaves the queue. */
export const ABANDONED_AFTER_SECONDS = 60;

export const claimRequestSchema = z.object({
  session: sessionSchema,
  ttl_seconds: z.number().min(TTL_SECONDS.min).max(TTL_SECONDS.max),
  holder: holderSchema,
  order: orderSchema.optional(),
  max_hold_seconds: z.number().min(1).max(604_800).optional(),
});
export type ClaimRequest = z.infer<typeof claimRequestSchema>;

/** A roll under an older token that still runs: until it ends, a lease of this group is held but not usable. */
export const drainingSchema = z.looseObject({
  fencing_token: z.number().int().min(0),
  /** Tenants of the open rolls; empty: the whole fleet. */
  slugs: z.array(z.string()),
  since_seconds: z.number().min(0),
});
export type Draining = z.infer<typeof drainingSchema>;

export const claimHeldSchema = z.looseObject({
  state: z.literal('held'),
  fencing_token: fencingTokenSchema,
  ttl_seconds: z.number().positive(),
  acquired_at: z.string(),
  draining: drainingSchema.nullish(),
});

export const frozenSchema = z.looseObject({
  reason: z.string().nullish(),
  actor: z.string().nullish(),
  since: z.string().nullish(),
  until: z.string().nullish(),
});
export type Frozen = z.infer<typeof frozenSchema>;

/** The holder as a waiter sees it: who, and where known since when, doing what, and whether still renewing. */
export const waitedForSchema = holderViewSchema.extend({
  held_for_seconds: z.number().nullish(),
  last_renew_seconds_ago: z.number().nullish(),
  step: z.string().nullish(),
  alive: z.boolean().nullish(),
});
export type WaitedFor = z.infer<typeof waitedForSchema>;

export const claimQueuedSchema = z.looseObject({
  state: z.literal('queued'),
  position: z.number().int().min(1),
  queue_length: z.number().int().min(1),
  holder: waitedForSchema.nullish(),
  frozen: frozenSchema.nullish(),
});
export type ClaimQueued = z.infer<typeof claimQueuedSchema>;

/** Ends of a claim. They are for ever: a claim never comes back from one. */
export const CLAIM_ENDS = [
  'released',
  'left',
  'lost',
  'broken',
  'abandoned',
  'superseded',
  'outdated',
] as const;
export type ClaimEnd = (typeof CLAIM_ENDS)[number];
export type ClaimState = 'queued' | 'held' | ClaimEnd;

/** What supersedes or outdates a claim. */
export const supersederSchema = z.looseObject({
  number: z.number().nullish(),
  sha: z.string().nullish(),
  run_url: z.string().nullish(),
  repository: z.string().nullish(),
  holder: holderViewSchema.nullish(),
  state: z.string().nullish(),
});
export type Superseder = z.infer<typeof supersederSchema>;

export const renewRequestSchema = z.object({
  session: sessionSchema,
  fencing_token: fencingTokenSchema,
  step: label(300).optional(),
});
export const renewAnswerSchema = z.looseObject({
  state: z.literal('held'),
  ttl_seconds: z.number().positive(),
  draining: drainingSchema.nullish(),
});

export const releaseRequestSchema = z.object({
  session: sessionSchema,
  fencing_token: fencingTokenSchema.optional(),
  /** `none` for work that is no rollout. */
  result: z.enum(['proven', 'not_proven', 'none']).optional(),
  rollout: rolloutSchema.optional(),
});
export const releaseAnswerSchema = z.looseObject({ state: z.string(), already: z.boolean() });
