/** Broken behaviour on purpose. An oracle that does not see each of these is blind, and what it calls good means nothing. */
import type { Pool } from 'pg';
import { claimOf, type History, isRollout, resultOf, rollsInOrder } from './history.js';
import { toldRolls } from './oracle/twice.js';
import { until } from './processes.js';
import type { Meddle } from './proxy.js';

export interface Sabotage {
  /** The rule that must see it. */
  rule: string;
  /** Falsifies a record, as the broken system would have left it; null where the round has nothing to falsify. */
  doctor?: (history: History) => History | null;
  /** Breaks the system itself, on the way to the control plane. */
  meddle?: (pool: Pool) => Meddle;
}

const copy = (history: History): History => structuredClone(history);

/** A run that said "deployed" under a claim that it released, and that has nothing after it. */
function lastDeployed(history: History) {
  return history.runs
    .filter((run) => isRollout(run) && resultOf(run)?.deployed && claimOf(history, run)?.state === 'released')
    .map((run) => ({ run, claim: claimOf(history, run), result: resultOf(run) }))
    .at(-1);
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

export const SABOTAGES: Record<string, Sabotage> = {
  /** A control plane without a fence: a roll that comes late, when another holds the lock, is taken for the holder's. */
  'no-fence': { rule: 'overlap', meddle: deliverLate },
  'overlapping-rolls': {
    rule: 'overlap',
    doctor: (history) => {
      const doctored = copy(history);
      const [first] = rollsInOrder(doctored).filter((roll) => roll.ended !== null);
      if (!first?.ended) return null;
      const started = (first.started + first.ended) / 2;
      doctored.rolls.push({ ...first, id: first.id + 10_000, started, token: (first.token ?? 0) + 1 });
      return doctored;
    },
  },
  'older-token': {
    rule: 'overlap',
    doctor: (history) => {
      const doctored = copy(history);
      const last = rollsInOrder(doctored).at(-1);
      if (!last?.ended || !last.token) return null;
      const after = { id: last.id + 10_000, started: last.ended + 1, ended: last.ended + 2 };
      doctored.rolls.push({ ...last, ...after, token: last.token - 1 });
      return doctored;
    },
  },
  'late-flip': {
    rule: 'verdict',
    doctor: (history) => {
      const doctored = copy(history);
      const said = lastDeployed(doctored);
      const slug = said?.result?.tenants.find(({ status }) => status === 'on_target')?.slug;
      const roll = rollsInOrder(doctored)[0];
      if (!said?.claim?.ended || !slug || !roll) return null;
      const from = said.result?.expected_sha ?? '';
      doctored.swaps.push({ at: said.claim.ended + 5, slug, from, to: 'f'.repeat(40), rolls: [roll.id] });
      doctored.swaps.sort((a, b) => a.at - b.at);
      return doctored;
    },
  },
  'untrue-verdict': {
    rule: 'verdict',
    doctor: (history) => {
      const doctored = copy(history);
      const said = lastDeployed(doctored);
      const slug = said?.result?.tenants.find(({ status }) => status === 'on_target')?.slug;
      if (!said?.claim?.ended || !slug) return null;
      doctored.swaps = doctored.swaps.filter(
        (swap) => swap.slug !== slug || swap.to !== said.result?.expected_sha,
      );
      const at = said.claim.ended - 1;
      doctored.swaps.push({ at, slug, from: said.result?.expected_sha ?? '', to: 'f'.repeat(40), rolls: [] });
      doctored.swaps.sort((a, b) => a.at - b.at);
      return doctored;
    },
  },
  'proof-from-before': {
    rule: 'verdict',
    doctor: (history) => {
      const doctored = copy(history);
      const said = lastDeployed(doctored);
      const slug = said?.result?.tenants.find(({ status }) => status === 'on_target')?.slug;
      if (!said?.claim?.ended || !slug) return null;
      const times = { started: (said.claim.acquired ?? 0) - 100, ended: said.claim.ended };
      const token = (said.claim.token ?? 0) - 1;
      const more = { id: 10_000, claim_id: null, target_tag: 'x', slugs: [slug], result: 'ok' };
      doctored.rolls.push({ ...more, token, ...times });
      return doctored;
    },
  },
  backwards: {
    rule: 'order',
    doctor: (history) => {
      const doctored = copy(history);
      const roll = doctored.rolls.find(({ claim_id }) =>
        doctored.claims.some((claim) => claim.claim_id === claim_id && claim.order_number !== null),
      );
      const claim = doctored.claims.find(({ claim_id }) => claim_id === roll?.claim_id);
      if (!roll || !claim) return null;
      const before = { claim_id: 'newer', order_number: (claim.order_number ?? 0) + 10, token: null };
      const proof = { state: 'released', result: 'proven', acquired: null, ended: roll.started - 1 };
      doctored.claims.push({ ...claim, ...before, ...proof });
      return doctored;
    },
  },
  'silent-second-roll': {
    rule: 'twice',
    doctor: (history) => {
      const doctored = copy(history);
      const { roll, told } = reportedRoll(doctored) ?? {};
      if (!roll || told === undefined) return null;
      // One more than the report tells, whatever it tells.
      for (let more = 1; more <= told; more++) {
        const started = (roll.ended ?? 0) + more / 1000;
        doctored.rolls.push({ ...roll, id: roll.id + 10_000 * more, started, ended: started });
      }
      return doctored;
    },
  },
  'wrong-exit-code': {
    rule: 'report',
    doctor: (history) => {
      const doctored = copy(history);
      const run = doctored.runs.find((one) => one.code !== null && resultOf(one));
      if (!run) return null;
      run.code = run.code === 0 ? 1 : 0;
      return doctored;
    },
  },
  'printed-secret': {
    rule: 'secret',
    doctor: (history) => {
      const doctored = copy(history);
      doctored.outputs.push({ who: 'a server', text: `x${doctored.secrets[0]}x` });
      return doctored;
    },
  },
  'lease-for-ever': {
    rule: 'remains',
    doctor: (history) => ({ ...copy(history), remains: ['a lease was held beyond its TTL'] }),
  },
};
