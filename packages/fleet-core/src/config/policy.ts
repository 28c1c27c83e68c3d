import type { Config } from './config.js';

/** The effective settings of a rollout: an option that was not wired shows here. */
export interface Policy {
  strategy: 'scoped' | 'single-call';
  canary: string | null;
  soak_ms: number;
  batch_size: number;
  max_stragglers: number;
  settle_budget_ms: number;
  confirmations: number;
  ephemeral: string[];
  lock_group: string | null;
  superseded_by: 'claim' | 'head' | 'off';
}

/** What a run goes by. */
export function policyOf(config: Config): Policy {
  return {
    strategy: config.strategy,
    canary: config.canary,
    soak_ms: config.soakMs,
    batch_size: config.batchSize,
    max_stragglers: config.maxStragglers,
    settle_budget_ms: config.settleBudgetMs,
    confirmations: config.confirmations,
    ephemeral: config.ephemeral,
    lock_group: config.lock?.group ?? null,
    superseded_by: config.supersededBy,
  };
}
