/**
 * The wire contract of the control plane and of the tenants, as schemas that client and server share.
 *
 * Answers accept unknown fields, since a control plane may grow. Requests of the lock drop them, since a client may be
 * newer than its server. The roll request alone is strict: a restriction that is not understood would roll more.
 */
import { z } from 'zod';

// ── Words ────────────────────────────────────────────────────────────────────────────────────────────────────

/** A tenant's slug: one DNS label (RFC 1123). Never put a string into a URL or a log that has not passed this. */
export const slugSchema = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'not a DNS label');

/** Name of a lock group: one lock per fleet. */
export const lockGroupSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'must match ^[a-z0-9][a-z0-9._-]{0,62}$');

/** A full commit id: 40 hex digits, letter case aside. */
export const shaSchema = z
  .string()
  .regex(/^[0-9a-fA-F]{40}$/, 'must be a full 40-hex commit id')
  .transform((sha) => sha.toLowerCase());

/** A container image tag, by the grammar of the OCI distribution specification. */
export const tagSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/,
    'must be an image tag: letters, digits, "_", "." and "-", at most 128',
  );

/** Integers below 2^53 survive JSON in every language. */
export const fencingTokenSchema = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);

// ── Paths and headers ────────────────────────────────────────────────────────────────────────────────────────

export const REDEPLOY_PATH = '/cp/admin/tenants/redeploy-fleet';
export const LOCKS_PATH = '/cp/admin/fleet-locks';
export const FENCE_HEADER = 'fleet-fence';
export const LOCK_GROUP_HEADER = 'fleet-lock-group';
/** The claim that the token of `FENCE_HEADER` was granted to: a restored backup may repeat a number, never a claim. */
export const CLAIM_HEADER = 'fleet-claim';
export const IDEMPOTENCY_HEADER = 'idempotency-key';

// ── POST redeploy-fleet ──────────────────────────────────────────────────────────────────────────────────────

export const redeployRequestSchema = z.strictObject({
  target_tag: tagSchema,
  confirm: z.literal(true),
  dry_run: z.boolean().optional(),
  canary_slug: slugSchema.optional(),
  soak_seconds: z.number().int().min(0).optional(),
  batch_size: z.number().int().min(1).optional(),
  only_slugs: z.array(slugSchema).min(1).optional(),
  max_stragglers: z.number().int().min(0).optional(),
});
export type RedeployRequest = z.infer<typeof redeployRequestSchema>;

/** `null` and an absent field mean the same everywhere but in `verified_on_target`, where `null` is "no". */
export const redeployRowSchema = z.looseObject({
  slug: z.string().nullish(),
  phase: z.string().nullish(),
  ssm_status: z.string().nullish(),
  ssm_exit_code: z.number().nullish(),
  healthz_ok: z.boolean().nullish(),
  verified_on_target: z.boolean().nullish(),
  running_image: z.string().nullish(),
  error: z.string().nullish(),
});
export type RedeployRow = z.infer<typeof redeployRowSchema>;

export const redeployAnswerSchema = z.looseObject({
  ok: z.boolean(),
  error: z.string().nullish(),
  results: z
    .array(redeployRowSchema)
    .nullish()
    .transform((rows) => rows ?? []),
});
export type RedeployAnswer = z.infer<typeof redeployAnswerSchema>;

// ── GET /buildinfo ───────────────────────────────────────────────────────────────────────────────────────────

/** What a tenant says it runs: a commit, or `dev` from a build into which no commit was wired. */
export const buildinfoSchema = z.looseObject({
  git_sha: z.preprocess(
    // The line end that `git rev-parse` writes behind the commit, and that a build took along.
    (value) => (typeof value === 'string' ? value.replace(/\r?\n$/, '') : value),
    z.union([shaSchema, z.literal('dev')]),
  ),
});

// ── Lock ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** Longest text that a holder, a step or a reason may carry. */
const label = (max: number) => z.string().min(1).max(max);

/** What a person needs to see of whoever holds or waits for the lock. */
export const holderSchema = z.object({
  name: label(200),
  actor: label(200).optional(),
  run_url: z
    .url({ protocol: /^https?$/ })
    .max(2000)
    .optional(),
  repository: label(200).optional(),
  branch: label(255).optional(),
  sha: label(64).optional(),
  host: label(255).optional(),
});
export type Holder = z.infer<typeof holderSchema>;

/** Orders the waiters of one key, for example the id of the CI run of `owner/repo@branch`: the higher number wins. */
export const orderSchema = z.object({
  key: label(400),
  number: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
});
export type Order = z.infer<typeof orderSchema>;

export const claimIdSchema = z.uuid();
export const sessionSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{8,128}$/, 'must be 8 to 128 letters, digits, "_" or "-"');

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

/** A holder as others see it; loose, since it comes back from a server that may know more fields. */
export const holderViewSchema = z.looseObject({
  name: z.string(),
  actor: z.string().nullish(),
  run_url: z.string().nullish(),
  repository: z.string().nullish(),
  branch: z.string().nullish(),
  sha: z.string().nullish(),
  host: z.string().nullish(),
  /** Name of the token that claimed, as the server knows it; missing for a token without a name. */
  token_name: z.string().nullish(),
});
export type HolderView = z.infer<typeof holderViewSchema>;

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
  rollout: z.lazy(() => rolloutSchema).optional(),
});
export const releaseAnswerSchema = z.looseObject({ state: z.string(), already: z.boolean() });

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

// ── Rollouts ─────────────────────────────────────────────────────────────────────────────────────────────────

/** Largest rollout record in bytes, as JSON. A release that carries a larger one is answered with 413 and counts. */
export const ROLLOUT_MAX_BYTES = 8 * 1024 * 1024;
/** Up to this many tenants a record has all of them; above it those that matter, and `slugs` names all. */
export const ROLLOUT_TENANTS_MAX = 2000;

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
});

/** A tenant that was rolled to a commit and not seen on it: whatever it answers, it may still come to it. */
const unsettledSchema = z.looseObject({ slug: z.string(), sha: z.string().nullish() });
export type Unsettled = z.infer<typeof unsettledSchema>;

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
  open_calls: z.array(openCallSchema).nullish(),
  unsettled: z.array(unsettledSchema).nullish(),
  policy: z.record(z.string(), z.unknown()).nullish(),
  tool_version: z.string(),
  run_url: z.string().nullish(),
});
export type RolloutRecord = z.infer<typeof rolloutSchema>;
export type OpenCall = z.infer<typeof openCallSchema>;

export const rolloutRequestSchema = z.looseObject({
  session: sessionSchema,
  fencing_token: fencingTokenSchema,
  rollout: rolloutSchema,
});

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

// ── Errors ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Every refusal: `error` is the stable code, `detail` and `next` are for people (RFC 9457 with a code). */
export const problemSchema = z.looseObject({
  error: z.string(),
  status: z.number().int().optional(),
  title: z.string().optional(),
  detail: z.string().optional(),
  next: z.string().optional(),
  reason: z.string().optional(),
  state: z.string().optional(),
  by: supersederSchema.nullish(),
  /** The freeze that stands, with `already_frozen`. */
  frozen: frozenSchema.nullish(),
  /** A name that is known, with `unknown_group`. */
  nearest: z.string().nullish(),
});
export type Problem = z.infer<typeof problemSchema>;
