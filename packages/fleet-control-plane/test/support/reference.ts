/**
 * The lock as the contract describes it, small enough to be checked by reading. Tokens are counted from 1 here, and
 * claims are numbers; what only a replica's own observation decides (who went silent) is taken in by `happen`.
 */
export const QUEUE_LIMIT = 4;
/** A grant that nobody has renewed yet ends after this. */
const CONFIRM_MS = 15_000;
const ABANDONED_MS = 60_000;
/** How late a replica may notice, for the steps in which the tests let time pass. */
const SLACK_MS = 7_000;

export interface Plan {
  order: { key: string; number: number } | null;
  ttlMs: number;
  maxHoldMs: number | null;
}

export interface RefClaim {
  state: string;
  plan: Plan;
  token: number | null;
  confirmed: boolean;
  /** When it last gave a sign of life, and when it was granted. */
  aliveAt: number;
  grantedAt: number;
  by: number | null;
}

export interface Ref {
  now: number;
  claims: Record<number, RefClaim>;
  queue: number[];
  holder: number | null;
  tokens: number;
  frozen: { until: number | null } | null;
  marks: Record<string, number>;
  rolls: { token: number; open: boolean }[];
  /** One line per transition. */
  log: string[];
}

export type Call =
  | { do: 'put'; claim: number; plan: Plan; session: 'own' | 'other'; body: 'own' | 'other' }
  | { do: 'renew'; claim: number; session: 'own' | 'other'; token: number; step: string | null }
  | { do: 'release'; claim: number; session: 'own' | 'other'; token: number | null; proven: boolean }
  | { do: 'break'; token: number; confirm: boolean }
  | { do: 'freeze'; until: number | null; replace: boolean }
  | { do: 'unfreeze' }
  | { do: 'roll'; token: number | null; group: 'own' | 'foreign'; slow: boolean; contended: boolean };

export const emptyRef = (): Ref => ({
  now: 0,
  claims: {},
  queue: [],
  holder: null,
  tokens: 0,
  frozen: null,
  marks: {},
  rolls: [],
  log: [],
});

export const holding = (ref: Ref): RefClaim | null =>
  ref.holder === null ? null : (ref.claims[ref.holder] ?? null);

export const leaseMs = (claim: RefClaim) =>
  claim.confirmed ? claim.plan.ttlMs : Math.min(claim.plan.ttlMs, CONFIRM_MS);

/** What one call answers, in short, and what it does. `seen` settles what the contract leaves open. */
export function apply(ref: Ref, call: Call, seen: string): string {
  switch (call.do) {
    case 'put':
      return put(ref, call);
    case 'renew':
      return renew(ref, call, seen);
    case 'release':
      return release(ref, call);
    case 'break':
      return breakHold(ref, call, seen);
    case 'freeze':
      if (ref.frozen && !call.replace) return '409 already_frozen';
      ref.frozen = { until: call.until };
      ref.log.push('frozen');
      return '200 frozen';
    case 'unfreeze':
      return unfreeze(ref);
    case 'roll':
      return roll(ref, call, seen);
  }
}

function put(ref: Ref, { claim, plan, session, body }: Extract<Call, { do: 'put' }>): string {
  const known = ref.claims[claim];
  if (!known) return arrive(ref, claim, plan);
  if (known.state !== 'queued' && known.state !== 'held') return overAnswer(known);
  if (session === 'other') return '409 claim_in_use';
  if (body === 'other') return '422 claim_differs';
  known.aliveAt = ref.now;
  return claimAnswer(ref, claim);
}

function arrive(ref: Ref, claim: number, plan: Plan): string {
  const { order } = plan;
  const numbers = (ids: number[]) =>
    ids.flatMap((id) => {
      const other = ref.claims[id]?.plan.order;
      return order && other?.key === order.key ? [other.number] : [];
    });
  const live = ref.holder === null ? ref.queue : [ref.holder, ...ref.queue];
  const newest = order ? Math.max(-1, ref.marks[order.key] ?? -1, ...numbers(live)) : -1;
  const fresh: RefClaim = {
    state: 'queued',
    plan,
    token: null,
    confirmed: false,
    aliveAt: ref.now,
    grantedAt: 0,
    by: null,
  };
  if (order && newest > order.number) {
    ref.claims[claim] = fresh;
    end(ref, claim, 'outdated', newest);
    return overAnswer(fresh);
  }
  const older = ref.queue.filter((id) => numbers([id]).some((number) => order && number < order.number));
  if (older.length === 0 && ref.queue.length >= QUEUE_LIMIT) return '429 queue_full';
  const place = older[0] === undefined ? ref.queue.length : ref.queue.indexOf(older[0]);
  for (const id of older) end(ref, id, 'superseded', order?.number ?? null);
  ref.claims[claim] = fresh;
  ref.queue.splice(place, 0, claim);
  handOver(ref);
  // Whoever is granted by its own request needs no confirmation.
  if (fresh.state === 'held') fresh.confirmed = true;
  else ref.log.push(`queued ${claim}`);
  return claimAnswer(ref, claim);
}

function renew(ref: Ref, call: Extract<Call, { do: 'renew' }>, seen: string): string {
  const known = ref.claims[call.claim];
  if (known?.state !== 'held' || call.session === 'other' || known.token !== call.token) return '409';
  if (seen === '409' && overHeld(ref, known)) {
    end(ref, call.claim, 'lost');
    handOver(ref);
    return '409';
  }
  known.aliveAt = ref.now;
  known.confirmed = true;
  return `200 held ttl ${known.plan.ttlMs}${drains(ref, known)}`;
}

function release(ref: Ref, { claim, session, token, proven }: Extract<Call, { do: 'release' }>): string {
  const known = ref.claims[claim];
  if (!known) {
    const plan = { order: null, ttlMs: 0, maxHoldMs: null };
    const gone = { state: 'left', plan, token: null, confirmed: false, aliveAt: 0, grantedAt: 0, by: null };
    ref.claims[claim] = gone;
    ref.log.push(`left ${claim}`);
    return '200 left';
  }
  if (known.state !== 'queued' && known.state !== 'held') return `200 ${known.state} already`;
  if (session === 'other') return '409 claim_in_use';
  if (known.state === 'held' && token !== null && token !== known.token) return '409 lease_lost';
  const state = known.state === 'held' ? 'released' : 'left';
  if (state === 'released' && proven) mark(ref, known);
  end(ref, claim, state);
  handOver(ref);
  return `200 ${state}`;
}

function breakHold(ref: Ref, call: Extract<Call, { do: 'break' }>, seen: string): string {
  const held = holding(ref);
  if (ref.holder === null || !held || held.token !== call.token) return '409 token_mismatch';
  const silent = ref.now - held.aliveAt >= leaseMs(held) / 2;
  if (!call.confirm && !(silent && seen === '200 broken')) return '409 holder_alive';
  end(ref, ref.holder, 'broken');
  handOver(ref);
  return '200 broken';
}

function unfreeze(ref: Ref): string {
  if (!ref.frozen) return '409 not_frozen';
  ref.frozen = null;
  ref.log.push('unfrozen');
  handOver(ref);
  return '200 unfrozen';
}

function roll(ref: Ref, call: Extract<Call, { do: 'roll' }>, seen: string): string {
  if (call.token === null) return '428 fence_missing';
  const held = holding(ref);
  if (call.group === 'foreign' || held?.token !== call.token) return '412 stale_fence';
  if (ref.rolls.some((other) => other.open)) return '409 draining';
  // Of two that are sent together the second may meet the first while it runs.
  if (call.contended && seen === '409 draining') return seen;
  ref.rolls.push({ token: call.token, open: call.slow });
  mark(ref, held);
  return '200 rolled';
}

/** No lower order of its key comes after one that was rolled or proven. */
function mark(ref: Ref, { plan: { order } }: RefClaim): void {
  if (order) ref.marks[order.key] = Math.max(order.number, ref.marks[order.key] ?? -1);
}

/** Whether a lease still has to outwait a roll of an older token. */
const drains = (ref: Ref, { token }: RefClaim): string =>
  ref.rolls.some((roll) => roll.open && roll.token < (token ?? 0)) ? ' draining' : '';

function end(ref: Ref, claim: number, state: string, by: number | null = null): void {
  const known = ref.claims[claim];
  if (!known) return;
  Object.assign(known, { state, by });
  if (ref.holder === claim) ref.holder = null;
  ref.queue = ref.queue.filter((other) => other !== claim);
  ref.log.push(`${state} ${claim}`);
}

function handOver(ref: Ref): void {
  while (ref.holder === null && !ref.frozen) {
    const next = ref.queue.shift();
    const claim = next === undefined ? undefined : ref.claims[next];
    if (next === undefined || !claim) return;
    const { order } = claim.plan;
    if (order && (ref.marks[order.key] ?? -1) > order.number) {
      end(ref, next, 'outdated', ref.marks[order.key]);
      continue;
    }
    ref.holder = next;
    Object.assign(claim, { state: 'held', token: ++ref.tokens, aliveAt: ref.now, grantedAt: ref.now });
    ref.log.push(`granted ${next}`);
  }
}

const overHeld = (ref: Ref, { plan, grantedAt }: RefClaim) =>
  plan.maxHoldMs !== null && ref.now - grantedAt >= plan.maxHoldMs;

export function overAnswer({ state, by }: RefClaim): string {
  return state === 'superseded' || state === 'outdated' ? `409 ${state} by ${by}` : `410 ${state}`;
}

export function claimAnswer(ref: Ref, claim: number): string {
  const known = ref.claims[claim];
  if (!known) return 'unknown';
  if (known.state === 'held')
    return `200 held token ${known.token} ttl ${leaseMs(known)}${drains(ref, known)}`;
  if (known.state !== 'queued') return overAnswer(known);
  const place = `${ref.queue.indexOf(claim) + 1} of ${ref.queue.length}`;
  return `202 queued ${place} behind ${ref.holder}${ref.frozen ? ' frozen' : ''}`;
}

/**
 * Takes in what the server did by itself.
 *
 * @param watching Since when some replica has looked without a break: nobody is judged by a time nobody watched.
 * @returns What was wrong with it, or null.
 */
export function happen(ref: Ref, line: string, watching: number): string | null {
  const [kind, id] = line.split(' ');
  if (kind === 'unfrozen') {
    const until = ref.frozen?.until ?? null;
    if (until === null || ref.now < until) return `${line}: its time was not over`;
    unfreeze(ref);
    return null;
  }
  const claim = ref.claims[Number(id)];
  const silent = ref.now - Math.max(claim?.aliveAt ?? 0, watching);
  if (kind === 'lost' && claim?.state === 'held') {
    if (silent < leaseMs(claim) && !overHeld(ref, claim)) return `${line}: silent for ${silent} ms only`;
  } else if (kind === 'abandoned' && claim?.state === 'queued') {
    if (silent < ABANDONED_MS) return `${line}: it polled ${silent} ms ago`;
  } else return `${line}: nothing explains it`;
  end(ref, Number(id), kind);
  handOver(ref);
  return null;
}

/** What should have happened by now and has not; null when all is well. `watching`: every replica looked since then. */
export function overdue(ref: Ref, watching: number, polling: (claim: number) => boolean): string | null {
  const silent = (claim: RefClaim) => ref.now - Math.max(claim.aliveAt, watching) - SLACK_MS;
  const held = holding(ref);
  if (held && silent(held) >= leaseMs(held)) return `claim ${ref.holder} should be lost`;
  if (held?.plan.maxHoldMs && ref.now - Math.max(held.grantedAt, watching) >= held.plan.maxHoldMs + SLACK_MS)
    return `claim ${ref.holder} holds for too long`;
  for (const id of ref.queue) {
    const claim = ref.claims[id];
    if (claim && !polling(id) && silent(claim) >= ABANDONED_MS) return `claim ${id} should be abandoned`;
  }
  const until = ref.frozen?.until ?? null;
  return until !== null && ref.now >= until + SLACK_MS ? 'the freeze should be over' : null;
}
