/** The published document: its schema, and the checks that it cannot contradict itself. */
import * as z from 'zod';
import { isDeployed, OUTCOMES, type Outcome } from './outcome.js';

export const RESULT_SCHEMA = 'fleet-result/1';

export const TENANT_STATUSES = [
  'on_target',
  'stale',
  'unreachable',
  'invalid',
  'unhealthy',
  'excused',
] as const;
export type TenantStatus = (typeof TENANT_STATUSES)[number];

/** A document as its fields are: more are taken when it is read, and none but these may be used. */
type Closed<T> = T extends readonly (infer Item)[]
  ? Closed<Item>[]
  : T extends object
    ? { [Key in keyof T as string extends Key ? never : Key]: Closed<T[Key]> }
    : T;

const count = z.number().int().min(0);
export const countsSchema = z.looseObject({
  enumerated: count,
  on_target: count,
  stale: count,
  unreachable: count,
  invalid: count,
  unhealthy: count,
  excused: count,
});
export type Counts = Closed<z.infer<typeof countsSchema>>;

export const tenantResultSchema = z.looseObject({
  slug: z.string(),
  status: z.enum(TENANT_STATUSES),
  /** `canary` or `batch-N` of the call that rolled it (in a dry run: would roll it); null: not rolled. */
  phase: z.string().nullable(),
  /** Calls that rolled it, or may have: more than one where the answer to the first was lost. */
  rolls: count.optional(),
  /** The commit of its last answer, `dev`, or null where that answer named none. */
  observed_sha: z.string().nullable(),
  /** How often it was asked. */
  probes: count,
  /** Milliseconds from the first probe of the run, or from the start of its roll, to its first answer on target. */
  on_target_after_ms: z.number().min(0).nullable(),
  /** Why it has its status, for people; null where there is nothing to say. */
  detail: z.string().nullable(),
  /** What it answered before anything was rolled: where a rollback would lead. */
  baseline_sha: z.string().nullable(),
});
export type TenantResult = Closed<z.infer<typeof tenantResultSchema>>;

export const callResultSchema = z.looseObject({
  kind: z.enum(['plan', 'roll']),
  phase: z.string().nullable(),
  slugs: z.array(z.string()).nullable(),
  started_at: z.string(),
  duration_ms: z.number().min(0),
  /** HTTP status; null where no answer came. */
  http_status: z.number().int().nullable(),
  /** `unknown`: sent, and the answer was lost or says nothing; what happened was then read off the tenants. */
  outcome: z.enum(['answered', 'refused', 'not_sent', 'unknown']),
  ok: z.boolean().nullable(),
});
export type CallResult = Closed<z.infer<typeof callResultSchema>>;

export const nextCommandSchema = z.looseObject({ why: z.string(), command: z.string() });
export type NextCommand = z.infer<typeof nextCommandSchema>;

export const scopeSchema = z.looseObject({
  only: z.array(z.string()),
  exclude: z.array(z.string()),
  /** Tenants that were meant, and how many the fleet has. */
  tenants: count,
  of: count,
});
export type Scope = Closed<z.infer<typeof scopeSchema>>;

/** What the run went by, as resolved from flags, variables, file and defaults: an option that was not wired shows here. */
export const policySchema = z.looseObject({
  strategy: z.enum(['scoped', 'single-call']),
  canary: z.string().nullable(),
  soak_ms: z.number().min(0),
  /** Tenants, or a share of the fleet such as `5%`. */
  batch_size: z.union([z.number().int().min(1), z.templateLiteral([z.number(), '%'])]),
  batch_growth: z.number().int().min(1).optional(),
  batch_max: z.number().int().min(1).nullable().optional(),
  max_stragglers: count,
  settle_budget_ms: z.number().min(0),
  confirmations: z.number().int().min(1),
  ephemeral: z.array(z.string()),
  lock_group: z.string().nullable(),
  superseded_by: z.enum(['claim', 'head', 'off']),
});
export type Policy = Closed<z.infer<typeof policySchema>>;

/**
 * What a timeline tells: the queue and the lock, waves and soak, and of each tenant when its roll was sent, when it first
 * answered with another commit, with the expected one, was proven, fell back after that, and was given up.
 */
export type TimelineEvent =
  | 'lock.waiting'
  | 'lock.acquired'
  | 'lock.draining'
  | 'lock.lost'
  | 'wave.started'
  | 'wave.proven'
  | 'wave.unproven'
  | 'soak.started'
  | 'soak.passed'
  | 'tenant.rolled'
  | 'tenant.answered'
  | 'tenant.flipped'
  | 'tenant.proven'
  | 'tenant.flapped'
  | 'tenant.given_up';

export const timelineEntrySchema = z.looseObject({
  /** Milliseconds since the run started. */
  at_ms: z.number().min(0),
  /** A {@link TimelineEvent}; a newer version may know more of them. */
  event: z.string(),
  phase: z.string().optional(),
  slug: z.string().optional(),
});
export type TimelineEntry = Closed<z.infer<typeof timelineEntrySchema>>;

export const leadTimeSchema = z.looseObject({
  committed_at: z.string(),
  proven_at: z.string(),
  /** Milliseconds between the two. */
  ms: z.number().min(0),
});
export type LeadTime = Closed<z.infer<typeof leadTimeSchema>>;

/** Something of the fleet was left out: whatever was proven, the environment is not deployed by it. */
export const isPart = (scope: Scope | undefined): boolean => scope !== undefined && scope.tenants < scope.of;

/** The document behind `--json`, `--report-json` and the action's `result-json`. Fields are only ever added. */
export const resultSchema = z
  .looseObject({
    schema: z.literal(RESULT_SCHEMA),
    outcome: z.enum(OUTCOMES),
    deployed: z.boolean(),
    reason: z.string(),
    environment: z.string().optional(),
    /** The part of the fleet that the run was about; absent: all of it. */
    scope: scopeSchema.optional(),
    /** The rollout on record to which this run went back. */
    rollback: z.looseObject({ claim_id: z.string(), fencing_token: z.number().int() }).optional(),
    target_tag: z.string().nullable(),
    expected_sha: z.string().nullable(),
    started_at: z.string(),
    finished_at: z.string(),
    lock: z
      .looseObject({
        group: z.string(),
        fencing_token: z.number().int().nullable(),
        waited_ms: z.number().min(0),
      })
      .nullable(),
    /** The rollout on the server that this is about; absent where this process rolled. */
    rollout: z
      .looseObject({ id: z.string(), takeovers: z.number().int().min(0), detached: z.boolean().optional() })
      .optional(),
    counts: countsSchema,
    tenants: z.array(tenantResultSchema),
    calls: z.array(callResultSchema),
    /** In the order in which it happened. */
    timeline: z.array(timelineEntrySchema).optional(),
    /**
     * How long the commit took to every tenant: from its committer's date to the last proof of a tenant that this run
     * rolled. Absent where the date is not known, the fleet is not deployed, nothing was rolled, or it was a rollback.
     */
    lead_time: leadTimeSchema.optional(),
    /** Who asked for the run, where that is known, and its page. */
    actor: z.string().optional(),
    run_url: z.string().optional(),
    control_plane: z.string().optional(),
    /** Absent for `verify`. */
    policy: policySchema.optional(),
    /** Version of fleet that wrote the document. */
    tool_version: z.string().optional(),
    /** Head of the branch, and how many of its commits the expected one lacks; null where that is not known. */
    branch: z
      .looseObject({ name: z.string(), head: z.string(), behind_by: z.number().int().min(0).nullable() })
      .nullish(),
    exit_code: z.number().int().min(0).max(255),
    warnings: z.array(z.string()),
    /** What to do next, for people. */
    next: z.array(z.string()),
    /** Whole commands for a shell, the likeliest first, and what each is for. */
    next_commands: z.array(nextCommandSchema).optional(),
  })
  .refine((result) => addsUp(result.counts), 'counts do not add up')
  .refine((result) => countsMatch(result.counts, result.tenants), '`counts` contradict `tenants`')
  .refine(
    (result) => result.deployed === (isDeployed(result.outcome) && !isPart(result.scope)),
    '`deployed` contradicts `outcome`',
  )
  .refine((result) => isProven(result), '`outcome` claims more than the tenants proved');
export type FleetResult = Closed<z.infer<typeof resultSchema>>;

/** Every enumerated tenant is in exactly one status. */
export function addsUp(counts: Counts): boolean {
  const { on_target, stale, unreachable, invalid, unhealthy, excused } = counts;
  return counts.enumerated === on_target + stale + unreachable + invalid + unhealthy + excused;
}

/** Every tenant that was asked answered with the expected commit, and there was one. */
export function isOnTarget({ on_target, enumerated, excused }: Counts): boolean {
  return on_target > 0 && on_target === enumerated - excused;
}

/** Every tenant stands in the list once, with the status under which it was counted. */
function countsMatch(counts: Counts, tenants: TenantResult[]): boolean {
  if (new Set(tenants.map(({ slug }) => slug)).size !== tenants.length) return false;
  return TENANT_STATUSES.every(
    (status) => counts[status] === tenants.filter((tenant) => tenant.status === status).length,
  );
}

/** Nobody but the excused is off target in a success; with quarantine, more than half are on target. */
function isProven({ outcome, counts }: { outcome: Outcome; counts: Counts }): boolean {
  const asked = counts.enumerated - counts.excused;
  if (outcome === 'succeeded') return isOnTarget(counts);
  if (outcome === 'succeeded_with_quarantine') return counts.on_target * 2 > asked;
  return true;
}
