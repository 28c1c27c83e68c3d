/** Rollouts that the server runs. */
import * as z from 'zod';
import { label } from './label.js';
import { holderSchema, holderViewSchema, orderSchema, shaSchema, targetTagSchema } from './words.js';

export const SERVER_ROLLOUTS_PATH = '/cp/admin/rollouts';

/** `queued` until the lock is had; `pausing` until the wave under way has ended. */
export const SERVER_ROLLOUT_STATES = ['queued', 'running', 'pausing', 'paused', 'ended'] as const;
export type ServerRolloutState = (typeof SERVER_ROLLOUT_STATES)[number];

/** Settings of the roll by the names of their flags, each as it would be written for the flag. */
export const rolloutPolicySchema = z.record(
  z.string().max(40),
  z.union([z.string().max(300), z.number(), z.boolean(), z.array(z.string().max(300)).max(1000)]),
);
export type RolloutPolicy = z.infer<typeof rolloutPolicySchema>;

/** `POST /`, with `Idempotency-Key`. Strict as a roll: what is not understood could roll more than was meant. */
export const rolloutOrderSchema = z.strictObject({
  environment: label(63),
  target_tag: targetTagSchema,
  expected_sha: shaSchema,
  order: orderSchema.optional(),
  holder: holderSchema,
  policy: rolloutPolicySchema.optional(),
});
export type RolloutOrder = z.infer<typeof rolloutOrderSchema>;

/** What a person wants of a rollout under way, and has not got yet. */
export const rolloutWishSchema = z.looseObject({
  kind: z.string(),
  actor: z.string(),
  reason: z.string(),
  at: z.string(),
});

export const serverRolloutSchema = z.looseObject({
  id: z.uuid(),
  state: z.enum(SERVER_ROLLOUT_STATES),
  environment: z.string(),
  lock_group: z.string(),
  target_tag: z.string(),
  expected_sha: z.string(),
  holder: holderViewSchema,
  policy: rolloutPolicySchema.nullish(),
  created_at: z.string(),
  started_at: z.string().nullish(),
  ended_at: z.string().nullish(),
  /** How often another process went on with it. */
  takeovers: z.number().int().min(0).nullish(),
  wish: rolloutWishSchema.nullish(),
  outcome: z.string().nullish(),
  reason: z.string().nullish(),
  /** The document of section "result"; absent in lists, and where the rollout has not ended. */
  result: z.record(z.string(), z.unknown()).nullish(),
});
export type ServerRollout = z.infer<typeof serverRolloutSchema>;

export const serverRolloutsSchema = z.looseObject({ rollouts: z.array(serverRolloutSchema) });

/** `GET /{id}/events`: kept events after a number, oldest first; `next` goes into the next request as `after`. */
export const rolloutEventsSchema = z.looseObject({
  events: z.array(z.looseObject({ n: z.number().int().min(1), at: z.string(), code: z.string() })),
  next: z.number().int().min(0),
  /** No more events come. */
  ended: z.boolean().nullish(),
});
export type RolloutEvents = z.infer<typeof rolloutEventsSchema>;

/** `POST /{id}/pause`, `/resume`, `/abort`. */
export const ROLLOUT_DEEDS = ['pause', 'resume', 'abort'] as const;
export type RolloutDeed = (typeof ROLLOUT_DEEDS)[number];
export const rolloutDeedSchema = z.object({ reason: label(500), actor: label(200) });
