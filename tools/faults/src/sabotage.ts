/** Broken behaviour on purpose. An oracle that does not see each of these is blind, and what it calls good means nothing. */
import type { Pool } from 'pg';
import { claimOf, type History, isRollout, resultOf, rollsInOrder } from './history.js';
import { toldRolls } from './oracle/twice.js';
import { until } from './processes.js';
import type { Meddle } from './proxy.js';

export interface Sabotage {
  /** The rule that must see it. */
  rule: string;
  /** Falsifies a record in place, as the broken system would have left it; false where it has nothing to falsify. */
  falsify?: (history: History) => boolean;
  /** Breaks the system itself, on the way to the control plane. */
  meddle?: (pool: Pool) => Meddle;
}

/** What a run said that deployed last, of a tenant that it proved; under a claim that it released. */
function lastProof(history: History) {
  for (const run of history.runs.toReversed()) {
    const result = isRollout(run) ? resultOf(run) : undefined;
    const claim = claimOf(history, run);
    const slug = result?.tenants.find(({ status }) => status === 'on_target')?.slug;
    if (!result?.deployed || claim?.state !== 'released' || !claim.ended || !slug) continue;
    return { slug, sha: result.expected_sha ?? '', claim, ended: claim.ended };
  }
  return null;
}

/** From this moment the tenant runs something else. */
function swapAway(
  history: History,
  at: number,
  { slug, sha }: { slug: string; sha: string },
  rolls: number[],
) {
  history.swaps.push({ at, slug, from: sha, to: 'f'.repeat(40), rolls });
  history.swaps.sort((a, b) => a.at - b.at);
}

/** A roll of a run that ended with a report, and how many rolls of its first tenant that tells. */
function reportedRoll(history: History) {
  for (const roll of rollsInOrder(history)) {
    const claim = history.claims.find(({ claim_id }) => claim_id === roll.claim_id);
    const run = history.runs.find(({ command }) => command.run === claim?.run);
    const tenant = run && isRollout(run) && resultOf(run)?.tenants.find(({ slug }) => slug === roll.slugs[0]);
    if (tenant && roll.ended !== null) return { roll, told: Math.max(1, toldRolls(tenant)) };
  }
  return null;
}

const LATE_MS = 15_000;

/** Keeps a copy of every roll until somebody else holds the lock, and delivers it in the name of that one. */
const deliverLate =
  (pool: Pool): Meddle =>
  async ({ path, headers }, onceMore) => {
    const { 'fleet-fence': fence, 'idempotency-key': _key, ...rest } = headers;
    if (!path.endsWith('/redeploy-fleet') || !fence) return;
    const read = () => pool.query(`SELECT token, claim_id FROM lock_claims WHERE state = 'held'`);
    const deliver = async () => {
      const { rows } = await read().catch(() => ({ rows: [] }));
      const [held] = rows;
      if (!held || Number(held.token) <= Number(fence)) return false;
      const claim = headers['fleet-claim'] === undefined ? {} : { 'fleet-claim': held.claim_id };
      await onceMore({ ...rest, 'fleet-fence': String(held.token), ...claim }).catch(() => {});
      return true;
    };
    await until(deliver, LATE_MS);
  };

/** The record as this sabotage would have left it; null where there is nothing in it to falsify. */
export function falsified({ falsify }: Sabotage, history: History): History | null {
  const copy = structuredClone(history);
  return falsify?.(copy) ? copy : null;
}

export const SABOTAGES: Record<string, Sabotage> = {
  /** A control plane without a fence: a roll that comes late, when another holds the lock, is taken for the holder's. */
  'no-fence': { rule: 'overlap', meddle: deliverLate },
  'overlapping-rolls': {
    rule: 'overlap',
    falsify: (history) => {
      const [first] = rollsInOrder(history).filter((roll) => roll.ended !== null);
      if (!first?.ended) return false;
      const started = (first.started + first.ended) / 2;
      history.rolls.push({ ...first, id: first.id + 10_000, started, token: (first.token ?? 0) + 1 });
      return true;
    },
  },
  'older-token': {
    rule: 'overlap',
    falsify: (history) => {
      const last = rollsInOrder(history).at(-1);
      if (!last?.ended || !last.token) return false;
      const after = { id: last.id + 10_000, started: last.ended + 1, ended: last.ended + 2 };
      history.rolls.push({ ...last, ...after, token: last.token - 1 });
      return true;
    },
  },
  'late-flip': {
    rule: 'verdict',
    falsify: (history) => {
      const said = lastProof(history);
      const roll = rollsInOrder(history)[0];
      if (!said || !roll) return false;
      swapAway(history, said.ended + 5, said, [roll.id]);
      return true;
    },
  },
  'untrue-verdict': {
    rule: 'verdict',
    falsify: (history) => {
      const said = lastProof(history);
      if (!said) return false;
      history.swaps = history.swaps.filter(({ slug, to }) => slug !== said.slug || to !== said.sha);
      swapAway(history, said.ended - 1, said, []);
      return true;
    },
  },
  'proof-from-before': {
    rule: 'verdict',
    falsify: (history) => {
      const said = lastProof(history);
      if (!said) return false;
      const times = { started: (said.claim.acquired ?? 0) - 100, ended: said.ended };
      const token = (said.claim.token ?? 0) - 1;
      const more = { id: 10_000, claim_id: null, target_tag: 'x', slugs: [said.slug], result: 'ok' };
      history.rolls.push({ ...more, token, ...times });
      return true;
    },
  },
  backwards: {
    rule: 'order',
    falsify: (history) => {
      const roll = history.rolls.find(({ claim_id }) =>
        history.claims.some((claim) => claim.claim_id === claim_id && claim.order_number !== null),
      );
      const claim = history.claims.find(({ claim_id }) => claim_id === roll?.claim_id);
      if (!roll || !claim) return false;
      const before = { claim_id: 'newer', order_number: (claim.order_number ?? 0) + 10, token: null };
      const proof = { state: 'released', result: 'proven', acquired: null, ended: roll.started - 1 };
      history.claims.push({ ...claim, ...before, ...proof });
      return true;
    },
  },
  'silent-second-roll': {
    rule: 'twice',
    falsify: (history) => {
      const { roll, told } = reportedRoll(history) ?? {};
      if (!roll || told === undefined) return false;
      // One more than the report tells, whatever it tells.
      for (let more = 1; more <= told; more++) {
        const started = (roll.ended ?? 0) + more / 1000;
        history.rolls.push({ ...roll, id: roll.id + 10_000 * more, started, ended: started });
      }
      return true;
    },
  },
  'wrong-exit-code': {
    rule: 'report',
    falsify: (history) => {
      const run = history.runs.find((one) => one.code !== null && resultOf(one));
      if (!run) return false;
      run.code = run.code === 0 ? 1 : 0;
      return true;
    },
  },
  'printed-secret': {
    rule: 'secret',
    falsify: (history) => {
      history.outputs.push({ who: 'a server', text: `x${history.secrets[0]}x` });
      return true;
    },
  },
  'lease-for-ever': {
    rule: 'remains',
    falsify: (history) => history.remains.push('a lease was held beyond its TTL') > 0,
  },
};
