/** The result of a run, built and checked. */
import { exitCodeOf, isDeployed, type Outcome, type StopSignal } from '../result/outcome.js';
import {
  type CallResult,
  type FleetResult,
  isPart,
  RESULT_SCHEMA,
  resultSchema,
  type Scope,
} from '../result/result.js';
import type { Ledger } from '../verify/ledger.js';

export interface ReportInput {
  outcome: Outcome;
  reason: string;
  next: string[];
  environment?: string;
  scope?: Scope;
  targetTag?: string;
  expectedSha?: string;
  startedAt: number;
  finishedAt: number;
  lock: FleetResult['lock'];
  branch: FleetResult['branch'];
  ledger: Ledger;
  calls: CallResult[];
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
    ...(input.environment === undefined ? {} : { environment: input.environment }),
    ...(input.scope === undefined ? {} : { scope: input.scope }),
    target_tag: input.targetTag ?? null,
    expected_sha: input.expectedSha ?? null,
    started_at: new Date(input.startedAt).toISOString(),
    finished_at: new Date(input.finishedAt).toISOString(),
    lock: input.lock,
    counts: input.ledger.counts(),
    tenants: input.ledger.results(),
    calls: input.calls,
    branch: input.branch ?? null,
    exit_code: exitCodeOf(input.outcome, { askedBy: input.askedBy, signal: input.signal }),
    warnings: input.warnings,
    next: input.next,
  });
}
