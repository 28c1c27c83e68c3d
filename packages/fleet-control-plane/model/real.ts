/**
 * Takes the steps of the model with the server's own code, on the same state, and compares what becomes of it. So the
 * model cannot drift away from the rules that it stands for.
 */
import type { ClaimRequest } from '@tenant-fleet/fleet-core/contract';
import type { Claim, GroupState } from '../src/lock/rules/claim.js';
import { Draft } from '../src/lock/rules/draft.js';
import * as transitions from '../src/lock/rules/transitions.js';
import { Problem } from '../src/problem.js';
import { checkFence, checkHolder } from '../src/rolls/fence.js';
import type { Roll } from '../src/rolls/roll.js';
import type { Log } from './log.js';
import { Packer } from './pack.js';
import { type Step, tell, tokenOf } from './steps.js';
import {
  type Bounds,
  type Db,
  HELD,
  heldOf,
  isOpen,
  NONE,
  orderOf,
  QUEUED,
  RECORD_NONE,
  type State,
  waitingOf,
} from './world.js';

const PER_TIMELINE = { model: 16, real: 2 ** 40 };
const WHO = { actor: 'somebody', reason: 'because', confirmed: true, ip: '' };
const NOW = new Date(0);

const realToken = (token: number): number =>
  Math.floor(token / PER_TIMELINE.model) * PER_TIMELINE.real + (token % PER_TIMELINE.model);
const idOf = (claim: number): string => `claim ${claim}`;
const sessionOf = (process: number): string => `process ${process}`;

function bodyOf(bounds: Bounds, claim: number, process: number): ClaimRequest {
  const { key, number } = orderOf(bounds, claim);
  return {
    session: sessionOf(process),
    ttl_seconds: 30,
    holder: { name: idOf(claim) },
    ...(key >= 0 && { order: { key: `key ${key}`, number } }),
  };
}

const prints = new Map<string, string>();

/** Made from the body without its session; a state has many claims, so each body is hashed once. */
function printOf(body: ClaimRequest): string {
  const name = JSON.stringify([body.holder.name, body.order]);
  const print = prints.get(name) ?? transitions.fingerprintOf(body);
  prints.set(name, print);
  return print;
}

function realClaim(bounds: Bounds, db: Db, index: number): Claim | null {
  const claim = db.claims[index];
  if (!claim || claim.state === NONE) return null;
  const body = bodyOf(bounds, index, claim.by);
  return {
    claimId: idOf(index),
    state: claim.state === HELD ? 'held' : claim.state === QUEUED ? 'queued' : 'released',
    session: body.session,
    fingerprint: printOf(body),
    holder: body.holder,
    ttlSeconds: body.ttl_seconds,
    maxHoldSeconds: null,
    orderKey: body.order?.key ?? null,
    orderNumber: body.order?.number ?? null,
    place: claim.place,
    token: claim.token === 0 ? null : realToken(claim.token),
    confirmed: true,
    renewSeq: 0,
    pollSeq: 0,
    heldMs: 0,
    step: null,
    queuedAt: NOW,
    acquiredAt: null,
    endedAt: null,
    endReason: null,
    endedBy: null,
    result: null,
  };
}

function realState(bounds: Bounds, { db, timeline }: State, subject: number): GroupState {
  const claim = (index: number) => realClaim(bounds, db, index);
  const waiting = waitingOf(db).flatMap((index) => claim(index) ?? []);
  return {
    name: 'staging',
    version: 0,
    lastToken: realToken(db.lastToken),
    lastPlace: Math.max(0, ...waiting.map(({ place }) => place)),
    lastEvent: 0,
    lastHash: null,
    frozen: db.frozen ? { reason: 'because', actor: 'somebody', since: '', until: null } : null,
    timeline,
    now: NOW,
    held: claim(heldOf(db)),
    waiting,
    waitingCount: waiting.length,
    subject: claim(subject),
    marks: db.marks.flatMap((number, key) =>
      number > 0 ? [{ key: `key ${key}`, number, holder: { name: 'rolled' } }] : [],
    ),
    openRolls: [],
  };
}

/** Takes the step with the real code. False: it is none that the lock's transitions take. */
function takeReal(bounds: Bounds, before: State, step: Step, draft: Draft): boolean {
  const process = 'process' in step ? step.process : 0;
  const subject = bounds.processes[process]?.claim ?? 0;
  const token = before.processes[process]?.token ?? 0;
  const session = sessionOf(process);
  switch (step.kind) {
    case 'put':
      transitions.claim(draft, idOf(subject), bodyOf(bounds, subject, process), { queue: 100 });
      return true;
    case 'release':
    case 'prove':
      if (step.kind === 'prove' && step.goesOn) {
        const { order } = bodyOf(bounds, subject, process);
        if (order) transitions.markLent(draft, session, realToken(token), order);
        return true;
      }
      transitions.release(draft, idOf(subject), {
        session,
        ...(token !== 0 && { fencing_token: realToken(token) }),
        ...(step.kind === 'prove' && { result: 'proven' }),
      });
      return true;
    case 'renew':
      transitions.renew(draft, session, realToken(token), undefined, 0);
      return true;
    case 'expire':
      transitions.expire(draft, idOf(heldOf(before.db)), 0, 'expired');
      return true;
    case 'abandon':
      transitions.abandon(draft, idOf(step.claim), 0);
      return true;
    case 'break':
      transitions.breakHold(draft, realToken(tokenOf(step, before)), WHO);
      return true;
    case 'freeze':
      transitions.freeze(draft, { reason: 'because', actor: 'somebody', since: '', until: null }, false);
      return true;
    case 'unfreeze':
      transitions.unfreeze(draft, { actor: 'somebody', reason: 'because' });
      return true;
    default:
      return false;
  }
}

/** Compares steps of the model with the real code, each once for each state of the database. */
export class Comparison {
  private readonly done = new Set<string>();
  private readonly packer: Packer;
  /** What differs first, in words; null as long as all agrees. */
  difference: string | null = null;

  constructor(private readonly bounds: Bounds) {
    this.packer = new Packer(bounds);
  }

  get size(): number {
    return this.done.size;
  }

  readonly visit = (before: State, step: Step, after: State, log: Log): void => {
    if (this.difference !== null) return;
    const knows = step.kind === 'break' ? tokenOf(step, before) : 'process' in step ? step.process : 0;
    const token = 'process' in step ? before.processes[step.process]?.token : 0;
    const key = `${tell(step)} ${knows} ${token} ${before.seen} ${before.timeline} ${this.packer.wordOf(before.db)}`;
    if (this.done.has(key)) return;
    this.done.add(key);
    this.difference = differs(this.bounds, before, step, after, log);
  };
}

/** Null: they agree, or the step is none of the lock's. */
function differs(bounds: Bounds, before: State, step: Step, after: State, log: Log): string | null {
  if (step.kind === 'roll') return differsInRoll(bounds, before, step, log);
  if (step.kind === 'give_up_roll') return differsInGivingUp(bounds, before, step, after);
  const subject = 'process' in step ? (bounds.processes[step.process]?.claim ?? 0) : -1;
  let draft = new Draft(realState(bounds, before, subject));
  try {
    if (!takeReal(bounds, before, step, draft)) return null;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    // A refused call commits nothing.
    draft = new Draft(realState(bounds, before, subject));
  }
  const model = picture(after.db, log.rows, before.seen === 1 && after.seen === 2);
  const real = pictureOfReal(draft, before, subject);
  return model === real ? null : `${tell(step)}: the model says ${model}, the server ${real}`;
}

function differsInRoll(
  bounds: Bounds,
  before: State,
  step: Extract<Step, { kind: 'roll' }>,
  log: Log,
): string | null {
  const { db } = before;
  const id = step.process * bounds.rolls + step.call;
  // The endpoint answers a known key before it asks for the fence.
  if (db.records[id] !== RECORD_NONE) return log.started >= 0 ? 'the model started a roll twice' : null;
  const open = db.records.flatMap((record, other) =>
    isOpen(record) ? [{ id: other, slugs: [], fencing_token: 1, target_tag: 'tag' } as unknown as Roll] : [],
  );
  let admitted = true;
  try {
    const token = realToken(before.processes[step.process]?.token ?? 0);
    checkFence(
      { token, claimId: idOf(bounds.processes[step.process]?.claim ?? 0) },
      realClaim(bounds, db, heldOf(db)),
      realToken(db.lastToken),
      open,
    );
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    admitted = false;
  }
  return admitted === log.started >= 0
    ? null
    : `${tell(step)}: the server ${admitted ? 'admits' : 'refuses'} it`;
}

function differsInGivingUp(
  bounds: Bounds,
  { db, processes }: State,
  step: Extract<Step, { kind: 'give_up_roll' }>,
  after: State,
): string | null {
  const id = step.process * bounds.rolls + step.call;
  const claimId = idOf(bounds.processes[step.process]?.claim ?? 0);
  const token = realToken(processes[step.process]?.token ?? 0);
  let holds = true;
  try {
    checkHolder({ token, claimId }, realClaim(bounds, db, heldOf(db)), realToken(db.lastToken));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    holds = false;
  }
  const gives = holds && db.records[id] === RECORD_NONE;
  return gives === (after.db.records[id] !== db.records[id])
    ? null
    : `${tell(step)}: the server ${gives ? 'takes' : 'refuses'} it`;
}

function picture(db: Db, rows: Log['rows'], renewed: boolean): string {
  const claims = db.claims.map(({ state, token }, index) =>
    state === NONE
      ? ''
      : `${state === HELD ? 'held' : state === QUEUED ? `queued ${waitingOf(db).indexOf(index)}` : 'over'} ${token === 0 ? '-' : realToken(token)}`,
  );
  const events = rows.map(({ claim, kind }) => (claim < 0 ? kind : `${idOf(claim)} ${kind}`)).sort();
  const marks = db.marks.map((number) => number || null);
  return JSON.stringify({ claims, last: realToken(db.lastToken), frozen: db.frozen, marks, events, renewed });
}

function pictureOfReal({ state, changed, events, renewed }: Draft, before: State, subject: number): string {
  const claims = before.db.claims.map((claim, index) => {
    const id = idOf(index);
    const now = changed.get(id);
    const is = now?.state ?? ['', 'queued', 'held', 'over'][claim.state] ?? '';
    const token = now ? now.token : claim.token === 0 ? null : realToken(claim.token);
    if (is === '') return '';
    const place = state.waiting.findIndex((other) => other.claimId === id);
    return `${is === 'queued' ? `queued ${place}` : is === 'held' ? is : 'over'} ${token ?? '-'}`;
  });
  return JSON.stringify({
    claims,
    last: state.lastToken,
    frozen: state.frozen !== null,
    marks: before.db.marks.map(
      (_, key) => state.marks.find((mark) => mark.key === `key ${key}`)?.number ?? null,
    ),
    events: events.map(({ claimId, kind }) => (claimId === null ? kind : `${claimId} ${kind}`)).sort(),
    // Only a renewal of a holder that was looked at makes a difference in the model.
    renewed: before.seen === 1 && renewed.has(idOf(subject)),
  });
}
