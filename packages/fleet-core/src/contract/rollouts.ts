import * as z from 'zod';
import { fencingTokenSchema, holderViewSchema, orderSchema, sessionSchema } from './words.js';

/** Largest rollout record in bytes, as JSON. A release that carries a larger one is answered with 413 and counts. */
export const ROLLOUT_MAX_BYTES = 8 * 1024 * 1024;
/** Up to this many tenants a record has all of them; above it those that matter, and `slugs` names all. */
export const ROLLOUT_TENANTS_MAX = 2000;

/** The timeline of a record has at most as many entries. */
export const ROLLOUT_TIMELINE_MAX = 10_000;

const rolloutTenantSchema = z.looseObject({
  slug: z.string(),
  status: z.string().nullish(),
  phase: z.string().nullish(),
  baseline_sha: z.string().nullish(),
  observed_sha: z.string().nullish(),
  /** The canary was watched for the whole soak and stayed on target. */
  soaked: z.boolean().nullish(),
});

/** A roll that a client sent and whose end it has not seen; it may still run. */
const openCallSchema = z.looseObject({
  slugs: z.array(z.string()),
  target_tag: z.string(),
  expected_sha: z.string().nullish(),
  sent_at: z.string(),
  /** Seconds after `sent_at` by which the control plane has ended it at the latest. */
  may_last_seconds: z.number().min(0),
  /** Its idempotency key. */
  key: z.string().nullish(),
});

/** A tenant that was rolled to a commit and not seen on it: whatever it answers, it may still come to it. */
const unsettledSchema = z.looseObject({ slug: z.string(), sha: z.string().nullish() });
export type Unsettled = z.infer<typeof unsettledSchema>;

const flipsSchema = z.looseObject({
  /** Median, in milliseconds. */
  median_ms: z.number().positive(),
  /** Standard deviation of the natural logarithm. */
  spread: z.number().min(0),
  /** Tenants that were seen to flip. */
  tenants: z.number().int().min(1),
});
export type Flips = z.infer<typeof flipsSchema>;

/** What a run leaves behind: `POST .../claims/{id}/rollout`, and with the release. Servers keep unknown fields. */
export const rolloutSchema = z.looseObject({
  environment: z.string().nullish(),
  target_tag: z.string(),
  expected_sha: z.string().nullish(),
  outcome: z.string().nullish(),
  reason: z.string().nullish(),
  counts: z.record(z.string(), z.number()).nullish(),
  /** Absent in lists. */
  tenants: z.array(rolloutTenantSchema).nullish(),
  slugs: z.array(z.string()).nullish(),
  /** Of a part of the fleet: how many tenants it was about, and how many there were. */
  scope: z.looseObject({ tenants: z.number().int(), of: z.number().int() }).nullish(),
  /** Of a rollback: the rollout to which it went back. */
  rollback: z.looseObject({ claim_id: z.string(), fencing_token: z.number().int() }).nullish(),
  open_calls: z.array(openCallSchema).nullish(),
  unsettled: z.array(unsettledSchema).nullish(),
  /** Of a rollout that has ended: as in its result. */
  timeline: z
    .array(
      z.looseObject({
        at_ms: z.number().min(0),
        event: z.string(),
        phase: z.string().nullish(),
        slug: z.string().nullish(),
      }),
    )
    .nullish(),
  policy: z.record(z.string(), z.unknown()).nullish(),
  tool_version: z.string(),
  run_url: z.string().nullish(),
  /** How long its tenants took from their roll to the new commit: by this the next rollout knows when to ask. */
  flips: flipsSchema.nullish(),
});
export type RolloutRecord = z.infer<typeof rolloutSchema>;
export type OpenCall = z.infer<typeof openCallSchema>;

export const rolloutRequestSchema = z.looseObject({
  session: sessionSchema,
  fencing_token: fencingTokenSchema,
  rollout: rolloutSchema,
  /**
   * An order other than the claim's own, of a run under a lease that was lent to it: it rolls next, or is proven on the
   * fleet, and is marked so. Refused as `outdated` where a higher one of its key was before.
   */
  order: orderSchema.optional(),
});
export type RolloutRequest = z.infer<typeof rolloutRequestSchema>;

/** One rollout of the history; `lost`: its claim ended without a verdict. */
export const rolloutEntrySchema = z.looseObject({
  claim_id: z.string(),
  fencing_token: z.number().int().min(0),
  holder: holderViewSchema,
  state: z.enum(['running', 'ended', 'lost']),
  started_at: z.string(),
  ended_at: z.string().nullish(),
  rollout: rolloutSchema,
});
export type RolloutEntry = z.infer<typeof rolloutEntrySchema>;

/** `GET .../rollouts`, newest first. */
export const rolloutsSchema = z.looseObject({
  rollouts: z.array(rolloutEntrySchema),
  next_before: z.union([z.string(), z.number()]).nullish(),
});
