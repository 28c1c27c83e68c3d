/** What a rollout learns from the record of the one before it, and leaves to the next one. */
import type { CallLog, OpenRoll } from '../clients/control-plane/call-log.js';
import { ROLL_MAY_LAST_MS } from '../clients/control-plane/redeploy.js';
import type { Config } from '../config/config.js';
import { policyOf } from '../config/policy.js';
import type { StageContext } from '../context.js';
import type { Lease } from '../lock/lease.js';
import { type LastRollout, lastRolloutOf } from '../plan/history.js';
import type { Ledger } from '../verify/ledger.js';
import { awaitOpenCalls } from './open-calls.js';
import { type RecordFacts, recordOf } from './record.js';

export interface RecordKeeper {
  last: LastRollout | null;
  /** Tells those who wait for the lock what is being done. */
  tell: (step: string) => void;
  /** The fleet is known and may be rolled: from here on the run leaves a record. */
  start: (fleet: string[]) => Promise<void>;
  /** Keeps the state; `about` are the tenants of a call that is sent next. */
  keep: (about: string[]) => Promise<void>;
}

/** Without a lock of its own a run neither learns nor leaves anything. */
export const noRecord: RecordKeeper = {
  last: null,
  tell: () => {},
  start: async () => {},
  keep: async () => {},
};

export interface KeeperFacts {
  context: StageContext;
  config: Config;
  ledger: Ledger;
  calls: CallLog;
  /** How the run ended; undefined while it goes on. */
  ending: () => RecordFacts['ending'];
}

/** Reads the record of the last rollout, and waits for what that one left open. */
export async function keeperOf(
  lease: Lease,
  { context, config, ledger, calls, ending }: KeeperFacts,
): Promise<RecordKeeper> {
  const { clock, emit, signal } = context;
  const { records } = lease;
  const entry = await records.last(signal);
  const last = entry && lastRolloutOf(entry);
  // Where the control plane itself tells of open rolls, the lease has waited for them already.
  const tells = records.tellsOpenRolls && config.lock?.url === config.controlPlane;
  if (last && !tells) {
    await awaitOpenCalls(context, config, last.openCalls, ({ slugs }, sinceMs) =>
      emit({
        code: 'lock.draining',
        group: lease.group,
        fencing_token: last.fencingToken,
        slugs,
        since_ms: Math.round(sinceMs),
      }),
    );
  } else {
    // Those rolls have ended; what they made of their tenants nobody has seen.
    for (const { slugs, expected_sha: sha } of last?.openCalls ?? [])
      last?.unsettled.push(...slugs.map((slug) => ({ slug, sha })));
  }
  let intended: OpenRoll[] = [];
  return {
    last,
    tell: (step) => {
      lease.step = step;
    },
    start: (fleet) => {
      records.start(() => {
        const { outcome, reason } = ending() ?? {};
        return recordOf({
          ...{
            environment: config.environment,
            targetTag: config.targetTag,
            expectedSha: config.expectedSha,
            rollback: config.rollback,
          },
          ...{ policy: policyOf(config), runUrl: config.trigger.runUrl ?? null, ledger, fleet },
          inherited: last?.unsettled ?? [],
          openRolls: [...calls.openRolls(clock.wall()), ...intended],
          ...(outcome !== undefined && reason !== undefined ? { ending: { outcome, reason } } : {}),
        });
      });
      return records.keep(signal);
    },
    keep: async (about) => {
      const mayLastMs = ROLL_MAY_LAST_MS[config.strategy];
      intended = about.length ? [{ slugs: about, sentAt: clock.wall(), mayLastMs }] : [];
      await records.keep(signal);
      intended = [];
    },
  };
}
