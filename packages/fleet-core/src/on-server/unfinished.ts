/** The result of a process that did not see the verdict of the rollout that it handed over. */
import type { Config } from '../config/config.js';
import type { ServerRollout } from '../contract.js';
import { buildResult } from '../report/build-result.js';
import type { Ending } from '../report/ending.js';
import { nextCommands } from '../report/next-commands.js';
import type { StopSignal } from '../result/outcome.js';
import type { FleetResult } from '../result/result.js';
import { Ledger } from '../verify/ledger.js';

export interface WatchFacts {
  config: Config;
  /** Milliseconds since 1970. */
  startedAt: number;
  finishedAt: number;
  warnings: string[];
  signal: StopSignal;
}

/** @param rollout undefined where the server was not known to have taken it. */
export function unfinished(
  how: 'handed_over' | 'detached' | Ending,
  rollout: Pick<ServerRollout, 'id' | 'takeovers'> | undefined,
  { config, startedAt, finishedAt, warnings, signal }: WatchFacts,
): FleetResult {
  const ending: Ending =
    how === 'handed_over'
      ? { outcome: 'handed_over', reason: `rollout ${rollout?.id} goes on on the server`, next: [] }
      : how === 'detached'
        ? {
            outcome: 'interrupted',
            reason: `no longer watched: rollout ${rollout?.id} goes on on the server`,
            next: [],
          }
        : how;
  const result = buildResult({
    ...ending,
    environment: config.environment ?? undefined,
    targetTag: config.targetTag || undefined,
    expectedSha: config.expectedSha ?? undefined,
    rollout: rollout && { id: rollout.id, takeovers: rollout.takeovers ?? 0, detached: true },
    startedAt,
    finishedAt: Math.max(startedAt, finishedAt),
    lock: null,
    branch: null,
    timeline: [],
    ledger: new Ledger(config.expectedSha, 1, []),
    calls: [],
    warnings: [...warnings],
    askedBy: config.askedBy,
    signal,
  });
  return { ...result, next_commands: nextCommands(result, config, ending.code) };
}
