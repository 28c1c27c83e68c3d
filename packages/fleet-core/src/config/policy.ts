import type { Policy } from '../result/result.js';
import type { Config } from './config.js';

/** What a run goes by. */
export function policyOf(config: Config): Policy {
  return {
    strategy: config.strategy,
    canary: config.canary,
    soak_ms: config.soakMs,
    batch_size: config.batchSize,
    batch_growth: config.batchGrowth,
    batch_max: config.batchMax,
    max_stragglers: config.maxStragglers,
    settle_budget_ms: config.settleBudgetMs,
    confirmations: config.confirmations,
    ephemeral: config.ephemeral,
    lock_group: config.lock?.group ?? null,
    superseded_by: config.supersededBy,
  };
}
