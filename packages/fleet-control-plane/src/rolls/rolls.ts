import { createHash, randomUUID } from 'node:crypto';
import type { RedeployAnswer, RedeployRequest, SettledRoll } from '@tenant-fleet/fleet-core/contract';
import { type Clock, sleep } from '../clock.js';
import type { Database, Query } from '../db/database.js';
import { drainingOf } from '../lock/rules/claim.js';
import type { LockStore } from '../lock/store/store.js';
import { shuttingDown } from '../problem.js';
import { checkFence, checkHolder, type Fence, parseFence } from './fence.js';
import { CUT } from './owner.js';
import { keyConflict, keyGivenUp, stillRunning, untried } from './refusals.js';
import type { Prospect, Roll, RollEnd, Roller, RollRef, RollSeen } from './roll.js';
import {
  endRoll,
  givenUp,
  giveUp,
  insertRoll,
  leaveUnseen,
  nextRollId,
  openRolls,
  openRollsOf,
  readRoll,
  refuseRoll,
  removeRoll,
  resumeRoll,
  rollByKey,
  rollsByKeys,
} from './store.js';
import { UnseenRolls } from './unseen.js';

export interface RedeployDeps {
  db: Database;
  store: LockStore;
  roller: Roller;
  clock: Clock;
  owner: string;
  lockGroup: string;
  /** Knows no lock and takes no fence. */
  legacy: boolean;
  log: (line: string) => void;
  /** Told of each roll that this process carried out. */
  onRollEnd: (end: RollSeen) => void;
}

export interface RedeployHeaders {
  group: string | undefined;
  fence: string | undefined;
  claim: string | undefined;
  idempotencyKey: string | undefined;
}

export interface Outcome {
  status: number;
  answer: RedeployAnswer;
  replayed: boolean;
}

type Admission = { kind: 'new'; roll: RollRef } | { kind: 'known'; roll: Roll };

/** Seconds of a dry run that may have rolled the whole fleet. */
const TRIAL: Prospect = { may_last_seconds: 1200, settle_sha: null };

/** The redeploy endpoint: plans, admits a roll under the lock, runs it to its end whoever listens, and records it. */
export class Redeploy {
  private readonly running = new Map<string, Promise<Outcome>>();
  private readonly unseen: UnseenRolls;
  /** Ends that could not be written because the database was away. */
  private unwritten: Query[] = [];
  /** Open records of this process that nothing here carried out at the last look. */
  private forgotten = new Set<string>();
  private leaving = false;

  constructor(private readonly deps: RedeployDeps) {
    const { db, clock, roller, log } = deps;
    this.unseen = new UnseenRolls(db, clock, (roll) => roller.isSettled(roll), log);
  }

  async call(request: RedeployRequest, headers: RedeployHeaders, signal: AbortSignal): Promise<Outcome> {
    const { roller, legacy, lockGroup } = this.deps;
    const slugs = roller.slugsOf(request);
    if (request.dry_run) {
      const preview = () => roller.preview(request, slugs, signal);
      if (!(await roller.previewMayRoll())) return outcomeOf(await preview());
      return this.carryOut(await this.admitTrial(request, slugs), preview, true);
    }
    const admission = legacy
      ? await this.admitLegacy(request, slugs)
      : await this.admit(request, slugs, headers, parseFence(headers, lockGroup));
    if (admission.kind === 'known') return this.join(admission.roll, signal);
    const { roll } = admission;
    return this.carryOut(roll, () => roller.roll(roll, slugs, request));
  }

  private async admit(
    request: RedeployRequest,
    slugs: string[],
    headers: RedeployHeaders,
    fence: Fence,
  ): Promise<Admission> {
    const { store, roller, lockGroup, owner } = this.deps;
    const prospect = await roller.prepare(request, slugs, { group: lockGroup, fencing_token: fence.token });
    const key = headers.idempotencyKey ?? null;
    const fingerprint = fingerprintOf(request);
    const writes: Query[] = [];
    return store.transact<Admission>(
      lockGroup,
      { reads: [nextRollId, openRolls(lockGroup), rollByKey(key), givenUp(key)], writes: () => writes },
      (draft, reads) => {
        const { state } = draft;
        const [[next], open, [known], gone] = reads as [[{ id: number }], Roll[], Roll[], unknown[]];
        if (known && known.fingerprint !== fingerprint) throw keyConflict();
        // What hardly began is sent again by its holder, and by nobody else.
        const mayRepeat = ({ unseen, fencing_token: token }: Roll) =>
          unseen === 'unavailable' && token === fence.token;
        if (known && (known.ended_at || !mayRepeat(known))) return { kind: 'known', roll: known };
        if (gone.length > 0) throw keyGivenUp();
        const { held, lastToken } = state;
        checkFence(
          fence,
          held,
          lastToken,
          open.filter((roll) => !mayRepeat(roll)),
          drainingOf(state.openRolls, null),
        );
        if (this.leaving) throw shuttingDown();
        if (known) {
          writes.push(resumeRoll(known, owner));
          return { kind: 'new', roll: known };
        }
        const roll = { id: next.id, nonce: randomUUID() };
        writes.push(
          insertRoll({
            ...roll,
            ...prospect,
            ...{ group: lockGroup, owner, fingerprint, target_tag: request.target_tag, slugs },
            fencing_token: fence.token,
            claim_id: held?.claimId ?? null,
            idempotency_key: key,
          }),
        );
        if (held) draft.mark(held);
        return { kind: 'new', roll };
      },
    );
  }

  /**
   * What became of requests whose end their sender does not know. One that has not arrived is given up: it starts no
   * roll any more, however late the network delivers it, and none is sent on once more.
   */
  settle(keys: string[], headers: RedeployHeaders): Promise<SettledRoll[]> {
    const { store, lockGroup } = this.deps;
    const fence = parseFence(headers, lockGroup);
    const writes: Query[] = [];
    return store.transact(
      lockGroup,
      { reads: [rollsByKeys(keys)], writes: () => writes },
      ({ state }, reads) => {
        checkHolder(fence, state.held, state.lastToken);
        const known = new Map((reads[0] as Roll[]).map((roll) => [roll.idempotency_key, roll]));
        writes.push(giveUp(lockGroup, fence.token, keys));
        return keys.map((key) => {
          const roll = known.get(key);
          return { key, state: !roll ? 'given_up' : roll.ended_at === null ? 'open' : 'ended' } as const;
        });
      },
    );
  }

  private async admitLegacy(request: RedeployRequest, slugs: string[]): Promise<Admission> {
    const roll = {
      id: (await this.deps.db.rows<{ id: number }>(nextRollId))[0]?.id ?? 0,
      nonce: randomUUID(),
    };
    await this.deps.db.rows(
      this.unfenced(roll, request, slugs, { may_last_seconds: null, settle_sha: null }),
    );
    return { kind: 'new', roll };
  }

  /** A dry run that nobody knows not to roll: it counts as a roll, and waits for those under way. */
  private admitTrial(request: RedeployRequest, slugs: string[]): Promise<RollRef> {
    const { store, lockGroup } = this.deps;
    const writes: Query[] = [];
    return store.transact<RollRef>(
      lockGroup,
      { reads: [nextRollId, openRolls(lockGroup)], writes: () => writes },
      (_draft, reads) => {
        const [[next], [open]] = reads as [[{ id: number }], Roll[]];
        if (open) throw untried();
        const roll = { id: next.id, nonce: randomUUID() };
        writes.push(this.unfenced(roll, request, slugs, TRIAL));
        return roll;
      },
    );
  }

  private unfenced(roll: RollRef, request: RedeployRequest, slugs: string[], prospect: Prospect): Query {
    const { lockGroup: group, owner } = this.deps;
    return insertRoll({
      ...roll,
      ...prospect,
      ...{ group, owner, fingerprint: fingerprintOf(request), target_tag: request.target_tag, slugs },
      ...{ fencing_token: null, claim_id: null, idempotency_key: null },
    });
  }

  /** @param trial nothing was rolled where it is answered, so no record stays. */
  private carryOut(roll: RollRef, work: () => Promise<RollEnd>, trial = false): Promise<Outcome> {
    const outcome = this.toItsEnd(roll, work, trial);
    this.running.set(roll.nonce, outcome);
    outcome
      .finally(() => {
        // It may have been sent again by now.
        if (this.running.get(roll.nonce) === outcome) this.running.delete(roll.nonce);
      })
      .catch(() => {});
    return outcome;
  }

  private async toItsEnd(roll: RollRef, work: () => Promise<RollEnd>, trial: boolean): Promise<Outcome> {
    this.unseen.sent(roll);
    const begun = this.deps.clock.now();
    const end = await work();
    const ms = this.deps.clock.now() - begun;
    if (!trial) this.deps.onRollEnd({ group: this.deps.lockGroup, kind: end.kind, ms });
    if (end.kind !== 'unseen') this.unseen.forget(roll);
    await this.record(endingOf(roll, end));
    if (trial && end.kind === 'answered' && !end.problem) await this.record(removeRoll(roll));
    return outcomeOf(end);
  }

  private async record(end: Query): Promise<void> {
    await this.deps.db.rows(end).catch(() => this.unwritten.push(end));
  }

  /** Writes the ends of rolls that outlived a database outage; without it they would drain for ever. */
  async catchUp(): Promise<void> {
    const ends = this.unwritten;
    this.unwritten = [];
    for (const end of ends) await this.record(end);
  }

  /**
   * Looks after the open records of this process. One that nothing here carries out is closed, or watched where rolls
   * outlive their process: the answer to its commit was lost, or a failover brought it back. Two looks in a row, since a
   * record is committed a moment before its roll runs.
   */
  async tend(): Promise<void> {
    const { db, owner, roller } = this.deps;
    const open = await db.rows<Roll>(openRollsOf(owner));
    const idle = open.filter((roll) => roll.unseen === null && !this.running.has(roll.nonce));
    for (const roll of idle) {
      if (this.forgotten.has(roll.nonce))
        await db.rows(roller.outlives ? leaveUnseen(roll, 'lost') : endRoll(roll, 'cut', 500, CUT));
    }
    this.forgotten = new Set(idle.map((roll) => roll.nonce));
    await this.unseen.look(open.filter((roll) => roll.unseen !== null));
  }

  /** The answer of a roll that was started before with the same key, here or in another replica. */
  private async join(roll: Roll, signal: AbortSignal): Promise<Outcome> {
    const { db, clock } = this.deps;
    const mine = this.running.get(roll.nonce);
    if (mine && roll.ended_at === null) return { ...(await mine), replayed: true };
    let current: Roll | undefined = roll;
    while (current && current.ended_at === null && !signal.aborted) {
      await sleep(clock, 250, signal);
      current = await readRoll(db, roll);
    }
    if (!current?.answer || current.status === null) throw stillRunning();
    return { status: current.status, answer: current.answer, replayed: true };
  }

  /** Resolves when no roll of this process runs any more. @param leaving begins none from here on. */
  async idle(leaving = false): Promise<void> {
    this.leaving ||= leaving;
    await Promise.allSettled(this.running.values());
    await this.unseen.idle();
  }
}

/** What is written down of an end. */
function endingOf(roll: RollRef, end: RollEnd): Query {
  switch (end.kind) {
    case 'answered':
      return endRoll(roll, end.answer.ok ? 'ok' : 'failed', statusOf(end.answer), end.answer);
    case 'refused':
      return refuseRoll(roll, end.problem.status);
    case 'unseen':
      return leaveUnseen(roll, end.why);
  }
}

/** What the caller gets of it. */
function outcomeOf(end: RollEnd): Outcome {
  if (end.kind !== 'answered' || end.problem) throw end.problem;
  return { status: statusOf(end.answer), answer: end.answer, replayed: false };
}

const statusOf = (answer: RedeployAnswer) => (answer.ok ? 200 : 500);

const fingerprintOf = (request: RedeployRequest) =>
  createHash('sha256').update(JSON.stringify(request)).digest('hex');
