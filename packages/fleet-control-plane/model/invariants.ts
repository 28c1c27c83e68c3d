import type { Broken } from './breaks.js';
import type { Log } from './log.js';
import { effective } from './rolls.js';
import { type Step, tokenOf } from './steps.js';
import {
  type Bounds,
  type Db,
  HELD,
  heldOf,
  isOpen,
  knowsToken,
  LOOKING,
  NONE,
  OVER,
  orderOf,
  QUEUED,
  RECORD_NONE,
  type State,
  waitingOf,
} from './world.js';

/**
 * The invariants, by their numbers in docs/lock.md. None of them asks the server what it thinks: they compare the
 * state before a step with the one after it, and with the oracle's own notes.
 */
export const INVARIANTS = {
  1: 'one holder',
  2: 'tokens grow with every grant, whatever was lost, and nobody shares one',
  3: 'no roll starts under a token older than that of a roll that has started',
  4: 'no two rolls overlap',
  5: 'first come, first served; a newer claim never moves its key back',
  6: 'only who waits is superseded, and only by a newer order of its key',
  7: 'what carries a stale token, claim or session changes nothing',
  8: 'what has ended stays ended',
  9: 'no grant to an order below one of its key that rolled, and nobody is outdated without a newer one',
  '9a': 'nobody waits below an order of its key that waits, holds or rolled',
  10: 'a retry makes no second claim and no second roll; one process per claim',
  11: 'every transition has one audit row',
  14: 'a proof rests on nothing that a roll of an older token, or of its own, may still change',
  12: 'a lock that is free and not frozen has no waiters; a frozen one grants nothing; draining ends',
} as const;

export type Invariant = keyof typeof INVARIANTS;

export interface Violation {
  invariant: Invariant;
  what: string;
}

/** Takes down what is wrong. */
export type Report = (invariant: Invariant, what: string) => void;

/** What is wrong with a state as it stands. */
export function checkState(state: State, bounds: Bounds, broken: Broken, no: Report): void {
  const { db, processes } = state;
  let held = 0;
  let open = 0;
  for (const claim of db.claims) if (claim.state === HELD) held++;
  for (const record of db.records) if (isOpen(record)) open++;
  if (held > 1) no(1, 'two claims hold');
  if (open > 1) no(4, 'two rolls are on record as open');
  if (effective(state, broken) > 1) no(4, 'two rolls can change tenants');
  const waiting = waitingOf(db);
  if (held === 0 && !db.frozen && waiting.length > 0) no(12, 'the lock is free and somebody waits');
  if (waiting.some((claim, at) => claim !== db.line[at])) no(5, 'the queue is not in the order of the line');
  const all = db.claims;
  for (let index = 0; index < all.length; index++) {
    const claim = all[index];
    if (!claim || claim.state === NONE || claim.state === OVER) continue;
    const { key, number } = orderOf(bounds, index);
    for (let other = 0; other < all.length; other++) {
      const second = all[other];
      if (other === index || !second || second.state === NONE) continue;
      if (claim.token !== 0 && second.token === claim.token) no(2, 'two claims share a token');
      if (second.state === OVER) continue;
      if (second.by === claim.by) no(10, 'one process owns two live claims');
      const order = orderOf(bounds, other);
      if (claim.state === QUEUED && key >= 0 && order.key === key && order.number > number)
        no('9a', 'a claim waits below a newer one of its key');
    }
    if (claim.state === QUEUED && key >= 0 && (db.rolled[key] ?? 0) > number)
      no('9a', 'a claim waits below one of its key that rolled');
  }
  for (let index = 1; index < processes.length; index++) {
    const self = processes[index];
    for (let other = 0; other < index; other++) {
      if (self && knowsToken(self) && self.token === processes[other]?.token)
        no(10, 'two processes know the same token as theirs');
    }
  }
}

/** What is wrong with a step. Also keeps the oracle's line. */
export function checkStep(
  before: State,
  step: Step,
  after: State,
  log: Log,
  bounds: Bounds,
  no: Report,
): void {
  if (log.failover) return;
  checkStart(before, log, bounds, no);
  checkProof(before, log, bounds, no);
  checkClaims(before.db, after.db, log, bounds, no);
  checkGrant(before, after, log, bounds, no);
  if (isStale(before, step, bounds) && !same(before, after)) no(7, `a stale ${step.kind} changed something`);
  if (log.expired >= 0 && before.seen !== 1) no(7, 'a holder that had renewed was expired');
}

function checkStart(
  { db, processes }: State,
  { started, startedToken }: Log,
  bounds: Bounds,
  no: Report,
): void {
  if (started < 0) return;
  const process = bounds.processes[Math.floor(started / bounds.rolls)];
  if (process && heldOf(db) !== process.claim) no(7, 'a roll started for a claim that does not hold');
  if (startedToken < db.rolledToken) no(3, 'an older token started a roll after a newer one');
  if ((db.records[started] ?? RECORD_NONE) !== RECORD_NONE) no(10, 'one request started two rolls');
  if (db.records.some(isOpen)) no(4, 'a roll started while another was open');
  if (db.claims[heldOf(db)]?.token !== startedToken) no(7, 'a roll started under a token that does not hold');
  const looks = process && processes[Math.floor(started / bounds.rolls)]?.at === LOOKING;
  if (looks && remembers(bounds)) no(14, 'a roll started after its run had looked for its verdict');
}

/** A failover or a backup may forget which requests were given up, as it forgets rolls. */
const remembers = ({ failovers, restores }: Bounds) => failovers + restores === 0;

/**
 * Not where a standby may be promoted: there a roll that was closed while it went on may be open again, and changes
 * tenants after it had been outwaited.
 */
function checkProof({ db, processes, running }: State, { proved }: Log, bounds: Bounds, no: Report): void {
  if (proved < 0) return;
  const process = bounds.processes[proved];
  if (db.claims[process?.claim ?? 0]?.state !== HELD) no(14, 'a proof counts whose lease is over');
  if (bounds.failovers > 0) return;
  const token = processes[proved]?.token ?? 0;
  for (let id = 0; id < running.length; id++) {
    const of = processes[Math.floor(id / bounds.rolls)]?.token ?? 0;
    const outwaited = of < token || (of === token && remembers(bounds));
    if (outwaited && running[id] && isOpen(db.records[id]))
      no(14, 'a proof counts while a roll runs that it should have waited for');
  }
}

function checkClaims(before: Db, after: Db, log: Log, bounds: Bounds, no: Report): void {
  let changes = before.frozen === after.frozen ? 0 : 1;
  for (let index = 0; index < before.claims.length; index++) {
    const was = before.claims[index]?.state;
    if (was === after.claims[index]?.state) continue;
    changes++;
    if (was === OVER) no(8, 'a claim came back');
  }
  if (changes !== log.rows.length) no(11, `${changes} transitions wrote ${log.rows.length} rows`);
  for (const { claim, kind } of log.rows) {
    if (kind !== 'superseded' && kind !== 'outdated') continue;
    const was = before.claims[claim]?.state;
    const { key, number } = orderOf(bounds, claim);
    if (was === HELD) no(6, `a holder was ${kind}`);
    if (kind === 'superseded') {
      const by = log.arrived < 0 ? null : orderOf(bounds, log.arrived);
      if (was !== QUEUED || by?.key !== key || by.number <= number)
        no(6, 'a claim was superseded by one that is not newer');
    } else if (!hasNewer(before, bounds, claim, key, number)) {
      no(9, 'a claim was outdated though nothing newer waits, holds or rolled');
    }
  }
}

function hasNewer(db: Db, bounds: Bounds, index: number, key: number, number: number): boolean {
  if ((db.rolled[key] ?? 0) > number) return true;
  return db.claims.some((claim, other) => {
    if (other === index || (claim.state !== QUEUED && claim.state !== HELD)) return false;
    const order = orderOf(bounds, other);
    return order.key === key && order.number > number;
  });
}

function checkGrant(before: State, after: State, log: Log, bounds: Bounds, no: Report): void {
  const { db } = after;
  keepLine(db, log, before);
  if (log.granted < 0) return;
  const { key, number } = orderOf(bounds, log.granted);
  if ((db.claims[log.granted]?.token ?? 0) <= before.highest)
    no(2, 'a grant got a token that is not the highest ever');
  if (key >= 0 && (before.db.rolled[key] ?? 0) > number) no(9, 'an order below one that rolled was granted');
  if (before.db.frozen && db.frozen) no(12, 'a frozen lock was granted');
  if (db.line[0] !== log.granted) no(5, 'somebody else was first in line');
  db.line = db.line.filter((claim) => claim !== log.granted);
}

/** The queue on paper: whoever supersedes stands where the first of the superseded stood; others stand at the end. */
function keepLine(db: Db, log: Log, before: State): void {
  if (log.rows.length === 0 && log.arrived < 0) return;
  const ended = new Set<number>();
  let front = -1;
  for (const { claim, kind } of log.rows) {
    if (kind === 'granted' || kind === 'queued' || claim < 0) continue;
    ended.add(claim);
    const at = before.db.line.indexOf(claim);
    if (kind === 'superseded' && at >= 0 && (front < 0 || at < front)) front = at;
  }
  const line = db.line.slice();
  if (log.arrived >= 0) line.splice(front < 0 ? line.length : front, 0, log.arrived);
  db.line = line.filter((claim) => !ended.has(claim));
}

/** Whether a message may change nothing, judged by what it carries and by what was true when it arrived. */
function isStale(before: State, step: Step, bounds: Bounds): boolean {
  const { db } = before;
  if (step.kind === 'break') return db.claims[heldOf(db)]?.token !== tokenOf(step, before);
  if (!('process' in step)) return false;
  const claim = db.claims[bounds.processes[step.process]?.claim ?? 0];
  const self = before.processes[step.process];
  if (!claim || !self) return false;
  const mine = claim.state === NONE || claim.by === step.process;
  switch (step.kind) {
    case 'put':
      return claim.state === OVER || !mine;
    case 'release':
    case 'prove':
      if (step.kind === 'prove' && step.goesOn && claim.state !== HELD) return true;
      if (claim.state === OVER || !mine) return true;
      return claim.state === HELD && self.token !== 0 && self.token !== claim.token;
    case 'give_up_roll':
      return db.claims[heldOf(db)]?.token !== self.token;
    case 'renew':
      return claim.state !== HELD || !mine || self.token !== claim.token;
    case 'roll':
      return db.claims[heldOf(db)]?.token !== self.token;
    default:
      return false;
  }
}

function same(before: State, after: State): boolean {
  const a = before.db;
  const b = after.db;
  return (
    before.seen === after.seen &&
    a.frozen === b.frozen &&
    a.lastToken === b.lastToken &&
    a.records.every((record, index) => record === b.records[index]) &&
    a.marks.every((mark, index) => mark === b.marks[index]) &&
    a.claims.every((claim, index) => {
      const other = b.claims[index];
      return claim.state === other?.state && claim.by === other.by && claim.token === other.token;
    })
  );
}
