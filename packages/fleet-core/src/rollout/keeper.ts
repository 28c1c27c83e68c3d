/** What a rollout learns from the record of the one before it, and leaves to the next one. */
import type { CallLog, OpenRoll } from '../clients/control-plane/call-log.js';
import { ROLL_MAY_LAST_MS } from '../clients/control-plane/redeploy.js';
import type { Config } from '../config/config.js';
import { policyOf } from '../config/policy.js';
import type { StageContext } from '../context.js';
import type { Flips, Order, RolloutEntry } from '../contract.js';
import type { RolloutRecords } from '../lock/records.js';
import { type LastRollout, lastRolloutOf } from '../plan/history.js';
import type { TimelineEntry } from '../result/result.js';
import type { Ledger } from '../verify/ledger.js';
import type { Verifier } from '../verify/verify.js';
import { awaitOpenCalls } from './open-calls.js';
import { type RecordFacts, recordOf } from './record.js';
import type { RollTools } from './roll.js';

export interface RecordKeeper {
  last: LastRollout | null;
  /** How quick the tenants of the last rollouts were. */
  flips: Flips[];
  /** Tenants that an earlier process of this run may have rolled without seeing the end of it; asked once its calls are settled. */
  left: () => string[];
  /** Tells those who wait for the lock what is being done. */
  tell: (step: string) => void;
  /** The fleet is known and may be rolled: from here on the run leaves a record. */
  start: (fleet: string[], verifier: Pick<Verifier, 'flips'>) => Promise<void>;
  keep: RollTools['keep'];
}

/** Without a lock of its own a run neither learns nor leaves anything. */
export const noRecord: RecordKeeper = {
  last: null,
  flips: [],
  left: () => [],
  tell: () => {},
  start: async () => {},
  keep: async () => {},
};

export interface KeeperFacts {
  context: StageContext;
  config: Config;
  ledger: Ledger;
  calls: CallLog;
  timeline: readonly TimelineEntry[];
  /** How the run ended; undefined while it goes on. */
  ending: () => RecordFacts['ending'];
  /** Another process has worked on this run before. */
  takenOver: boolean;
}

/** Whose lease it is that the run rolls under. */
export interface Holding {
  records: RolloutRecords;
  /** Tells those who wait for the lock what is being done. */
  tell: (step: string) => void;
  /** Of a run whose lease was lent to it: the lease's own claim has another, or none. */
  order?: Order | undefined;
}

/** Reads the record of the last rollout, and waits for what that one left open. */
export async function keeperOf(
  { records, tell, order }: Holding,
  { context, config, ledger, calls, timeline, ending, takenOver }: KeeperFacts,
): Promise<RecordKeeper> {
  const { clock, emit, signal } = context;
  const { entry, flips } = await records.last(signal);
  const last = entry && lastRolloutOf(entry);
  // Where the control plane itself tells of open rolls, the lease has waited for them already.
  const tells = records.tellsOpenRolls && config.lock?.url === config.controlPlane;
  if (last && !tells) {
    await awaitOpenCalls(context, config, last.openCalls, ({ slugs }, sinceMs, leftMs) =>
      emit({
        code: 'lock.draining',
        group: config.lock?.group ?? '',
        fencing_token: last.fencingToken,
        slugs,
        since_ms: Math.round(sinceMs),
        at_most_ms: Math.round(leftMs),
      }),
    );
  } else {
    // Those rolls have ended; what they made of their tenants nobody has seen.
    for (const { slugs, expected_sha: sha } of last?.openCalls ?? [])
      last?.unsettled.push(...slugs.map((slug) => ({ slug, sha })));
  }
  // Left by another run under this very lease, and so not outwaited by its grant; or by a process of this very run.
  const own = takenOver || last?.fencingToken === records.fencingToken;
  for (const { key, slugs, sent_at } of (own && last?.openCalls) || []) {
    if (takenOver) calls.inherit(slugs, sent_at);
    if (key) calls.sends(key, { phase: 'earlier', slugs, sentAt: Date.parse(sent_at), mayLastMs: 0 });
  }
  const mayLastMs = ROLL_MAY_LAST_MS[config.strategy];
  let next: OpenRoll[] = [];
  return {
    last,
    flips,
    // The last record is the one that the process before has left, with all that it had learned from those before it.
    left: () => (takenOver && entry ? leftOpen(entry, config.expectedSha, calls) : []),
    tell,
    start: (fleet, verifier) => {
      records.start(() => {
        const { outcome, reason } = ending() ?? {};
        return recordOf({
          ...{
            environment: config.environment,
            targetTag: config.targetTag,
            expectedSha: config.expectedSha,
            rollback: config.rollback,
          },
          ...{ policy: policyOf(config), runUrl: config.trigger.runUrl ?? null, ledger, fleet, timeline },
          inherited: last?.unsettled ?? [],
          openRolls: [...calls.openRolls(clock.wall()), ...next],
          flips: verifier.flips,
          ...(outcome !== undefined && reason !== undefined ? { ending: { outcome, reason } } : {}),
        });
      });
      return records.keep(signal);
    },
    keep: async (call) => {
      next = call ? [{ ...call, sentAt: clock.wall(), mayLastMs }] : [];
      await records.keep(signal, call && order);
      next = [];
    },
  };
}

/** Tenants that a rollout may have rolled to this commit without seeing them there. */
function leftOpen({ rollout }: RolloutEntry, expectedSha: string | null, calls: CallLog): string[] {
  const begun = (rollout.open_calls ?? []).filter(({ key }) => !(key && calls.neverBegan.has(key)));
  const rolled = begun.flatMap(({ slugs, expected_sha: sha }) => slugs.map((slug) => ({ slug, sha })));
  const same = [...rolled, ...(rollout.unsettled ?? [])].filter(
    ({ sha }) => (sha?.toLowerCase() ?? null) === expectedSha,
  );
  return [...new Set(same.map(({ slug }) => slug))];
}
