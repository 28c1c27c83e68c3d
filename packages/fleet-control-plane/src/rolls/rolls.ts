import { createHash, randomUUID } from 'node:crypto';
import type { RedeployAnswer, RedeployRequest } from '@tenant-fleet/fleet-core/contract';
import { type Clock, sleep } from '../clock.js';
import type { Database, Query } from '../db/database.js';
import type { LockStore } from '../lock/store/store.js';
import { badRequest, Problem } from '../problem.js';
import { checkFence, type Fence, parseFence } from './fence.js';
import { CUT } from './owner.js';
import { DEFAULT_BATCH_SIZE, dryRun, type Phase, planPhases } from './phases.js';
import type { NewRoll, Roll, Roller, RollRef } from './roll.js';
import { endRoll, insertRoll, nextRollId, openRolls, openRollsOf, readRoll, rollByKey } from './store.js';

export interface RedeployDeps {
  db: Database;
  store: LockStore;
  roller: Roller;
  clock: Clock;
  owner: string;
  lockGroup: string;
  legacy: boolean;
  /** Ignores a canary that is no tenant, as the first control planes did. */
  legacyCanary: boolean;
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

/** The redeploy endpoint: plans, admits a roll under the lock, runs it to its end whoever listens, and records it. */
export class Redeploy {
  private readonly running = new Map<string, Promise<Outcome>>();
  /** Ends that could not be written because the database was away. */
  private unwritten: Query[] = [];
  /** Open records of this process that nothing here carried out at the last look. */
  private forgotten = new Set<string>();

  constructor(private readonly deps: RedeployDeps) {}

  async call(request: RedeployRequest, headers: RedeployHeaders, signal: AbortSignal): Promise<Outcome> {
    const { legacy, lockGroup } = this.deps;
    const phases = this.plan(request);
    if (request.dry_run) return { status: 200, answer: dryRun(phases), replayed: false };
    const admission = legacy
      ? await this.admitLegacy(request, phases)
      : await this.admit(request, phases, headers, parseFence(headers, lockGroup));
    if (admission.kind === 'known') return this.join(admission.roll, signal);
    const { roll } = admission;
    const outcome = this.run(roll, phases, request);
    this.running.set(roll.nonce, outcome);
    outcome.finally(() => this.running.delete(roll.nonce)).catch(() => {});
    return outcome;
  }

  private plan(request: RedeployRequest): Phase[] {
    const { roller, legacy, legacyCanary } = this.deps;
    const all = roller.list();
    const wanted = request.only_slugs && new Set(request.only_slugs);
    const unknown = [...(wanted ?? [])].filter((slug) => !all.includes(slug));
    if (unknown.length > 0) {
      throw badRequest(
        `only_slugs names tenants that this fleet does not have: ${unknown.slice(0, 10).join(', ')}.`,
        'Read the fleet with a dry run first.',
      );
    }
    const slugs = wanted ? all.filter((slug) => wanted.has(slug)) : all;
    const canary = request.canary_slug;
    if (canary !== undefined && !slugs.includes(canary) && !legacy && !legacyCanary) {
      throw badRequest(
        `The canary "${canary}" is not among the tenants to roll.`,
        'Name a tenant of this fleet, or leave canary_slug out.',
      );
    }
    return planPhases(slugs, canary, request.batch_size ?? DEFAULT_BATCH_SIZE);
  }

  private admit(
    request: RedeployRequest,
    phases: Phase[],
    headers: RedeployHeaders,
    fence: Fence,
  ): Promise<Admission> {
    const { store, lockGroup, owner } = this.deps;
    const key = headers.idempotencyKey ?? null;
    const fingerprint = fingerprintOf(request);
    const writes: Query[] = [];
    return store.transact<Admission>(
      lockGroup,
      { reads: [nextRollId, openRolls(lockGroup), rollByKey(key)], writes: () => writes },
      (draft, reads) => {
        const { state } = draft;
        const [[next], open, [known]] = reads as [[{ id: number }], Roll[], Roll[]];
        if (known) {
          if (known.fingerprint !== fingerprint) throw keyConflict();
          return { kind: 'known', roll: known };
        }
        checkFence(fence, state.held, state.lastToken, open);
        const { held } = state;
        const roll = { id: next.id, nonce: randomUUID() };
        writes.push(
          insertRoll({
            ...newRoll(request, phases, fingerprint),
            ...roll,
            group: lockGroup,
            owner,
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

  private async admitLegacy(request: RedeployRequest, phases: Phase[]): Promise<Admission> {
    const { db, lockGroup, owner } = this.deps;
    const roll = { id: (await db.rows<{ id: number }>(nextRollId))[0]?.id ?? 0, nonce: randomUUID() };
    await db.rows(
      insertRoll({
        ...newRoll(request, phases, fingerprintOf(request)),
        ...roll,
        group: lockGroup,
        owner,
        fencing_token: null,
        claim_id: null,
        idempotency_key: null,
      }),
    );
    return { kind: 'new', roll };
  }

  private async run(roll: RollRef, phases: Phase[], request: RedeployRequest): Promise<Outcome> {
    const answer = await this.deps.roller.roll(roll, phases, request);
    const status = answer.ok ? 200 : 500;
    await this.record(endRoll(roll, answer.ok ? 'ok' : 'failed', status, answer));
    return { status, answer, replayed: false };
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
   * Closes open records of this process that nothing here carries out: the answer to their commit was lost, or a
   * failover brought them back. Two looks in a row, since a record is committed a moment before its roll runs. Closing
   * is safe: a tenant is only changed under an open record.
   */
  async closeForgotten(): Promise<void> {
    const { db, owner } = this.deps;
    const open = await db.rows<RollRef>(openRollsOf(owner));
    const idle = open.filter((roll) => !this.running.has(roll.nonce));
    for (const roll of idle)
      if (this.forgotten.has(roll.nonce)) await db.rows(endRoll(roll, 'cut', 500, CUT));
    this.forgotten = new Set(idle.map((roll) => roll.nonce));
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
    if (!current?.answer || current.status === null) {
      throw new Problem(
        503,
        'still_running',
        'The roll of this key is still running.',
        'Send the same request again.',
        {
          retryAfterSeconds: 2,
        },
      );
    }
    return { status: current.status, answer: current.answer, replayed: true };
  }

  /** Resolves when no roll of this process runs any more. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.running.values());
  }
}

const fingerprintOf = (request: RedeployRequest) =>
  createHash('sha256').update(JSON.stringify(request)).digest('hex');

function newRoll(
  request: RedeployRequest,
  phases: Phase[],
  fingerprint: string,
): Pick<NewRoll, 'fingerprint' | 'target_tag' | 'slugs'> {
  return { fingerprint, target_tag: request.target_tag, slugs: phases.flatMap((phase) => phase.slugs) };
}

const keyConflict = () =>
  new Problem(
    422,
    'idempotency_key_reused',
    'This Idempotency-Key was used for another body.',
    'Use a new key for a new roll.',
  );
