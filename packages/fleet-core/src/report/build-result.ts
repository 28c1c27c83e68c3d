/** The result of a run, built and checked. */
import type { Config } from '../config/config.js';
import { exitCodeOf, isDeployed, type Outcome, type StopSignal } from '../result/outcome.js';
import {
  type CallResult,
  type FleetResult,
  isPart,
  type LeadTime,
  type Policy,
  RESULT_SCHEMA,
  resultSchema,
  type Scope,
  type TimelineEntry,
} from '../result/result.js';
import { oneLine } from '../text/sanitize.js';
import type { Ledger } from '../verify/ledger.js';
import { VERSION } from '../version.js';

export interface ReportInput {
  outcome: Outcome;
  reason: string;
  next: string[];
  environment?: string;
  scope?: Scope;
  rollback?: Config['rollback'];
  rollout?: FleetResult['rollout'];
  targetTag?: string;
  expectedSha?: string;
  startedAt: number;
  finishedAt: number;
  lock: FleetResult['lock'];
  branch: FleetResult['branch'];
  ledger: Ledger;
  calls: CallResult[];
  timeline: TimelineEntry[];
  leadTime?: LeadTime;
  actor?: string;
  runUrl?: string;
  controlPlane?: string;
  policy?: Policy;
  warnings: string[];
  askedBy: 'ci' | 'human';
  signal?: StopSignal;
}

/** Builds the result document; the accounting is checked here, at run time, by the published schema. */
export function buildResult(input: ReportInput): FleetResult {
  return resultSchema.parse({
    schema: RESULT_SCHEMA,
    outcome: input.outcome,
    deployed: isDeployed(input.outcome) && !isPart(input.scope),
    reason: input.reason,
    ...known({ environment: input.environment, scope: input.scope, rollback: input.rollback }),
    target_tag: input.targetTag ?? null,
    expected_sha: input.expectedSha ?? null,
    started_at: new Date(input.startedAt).toISOString(),
    finished_at: new Date(input.finishedAt).toISOString(),
    lock: input.lock,
    ...(input.rollout === undefined ? {} : { rollout: input.rollout }),
    counts: input.ledger.counts(),
    tenants: input.ledger.results(),
    calls: input.calls,
    timeline: input.timeline,
    ...known({
      lead_time: input.leadTime,
      actor: input.actor && oneLine(input.actor),
      run_url: input.runUrl,
      control_plane: input.controlPlane,
      policy: input.policy,
    }),
    tool_version: VERSION,
    branch: input.branch ?? null,
    exit_code: exitCodeOf(input.outcome, { askedBy: input.askedBy, signal: input.signal }),
    warnings: input.warnings,
    next: input.next,
  });
}

/** Without what nobody knows: a field of the document is absent then. */
const known = (fields: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
