import type pg from 'pg';
import { expect } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { ManualClock } from './clock.js';
import { Caller, rollAnswer, short } from './lock-caller.js';
import { type Snapshot, Witness } from './lock-invariants.js';
import { type Answer, Client, eventually, startPlane } from './plane.js';
import {
  apply,
  type Call,
  claimAnswer,
  emptyRef,
  happen,
  overdue,
  QUEUE_LIMIT,
  type Ref,
} from './reference.js';

const ROLL_MS = 15_000;
const POLL_SECONDS = 20;
/** Longest time between two sweeps that is not yet late. */
const STEP_MS = 3_000;
const OWNER_DEAD_MS = 6_000;
const LOCK_GROUP = 'staging';

export interface Replica {
  plane: ControlPlane;
  clock: ManualClock;
  /** Since when it has looked without a break. */
  watching: number;
}
interface Pending {
  replica: number;
  due: number;
  answer: Promise<Answer>;
  /** Calls at the same time went on while it was open: it may tell of any moment between them. */
  amid?: boolean;
}

/** Two replicas on one database, the claims made so far, and the reference that predicts every answer. */
export class LockWorld {
  ref: Ref = emptyRef();
  private readonly caller = new Caller();
  readonly polls = new Map<number, Pending>();
  private roll: (Pending & { index: number; cut: boolean }) | null = null;
  private witness: Witness;

  private constructor(
    private readonly databaseUrl: string,
    db: pg.Client,
    private readonly replicas: Replica[],
  ) {
    this.witness = new Witness(db, LOCK_GROUP);
  }

  get plans(): Caller['plans'] {
    return this.caller.plans;
  }

  /** Empties the database; replicas of an earlier run go on. */
  static async open(databaseUrl: string, db: pg.Client, replicas: Replica[]): Promise<LockWorld> {
    // The log is only added to, but by who may switch triggers off.
    await db.query('SET session_replication_role = replica');
    await db.query(
      'TRUNCATE lock_groups, lock_claims, lock_events, lock_order_marks, lock_rollouts, rolls CASCADE',
    );
    await db.query('RESET session_replication_role');
    const world = new LockWorld(databaseUrl, db, replicas);
    if (replicas.length === 0) {
      const clocks = [new ManualClock(), new ManualClock()];
      for (const clock of clocks) replicas.push(await world.start(clock));
    }
    for (const replica of replicas) replica.watching = 0;
    return world;
  }

  /** Ends what still waits; after a failure the replicas are not used again. */
  async close(failed: boolean): Promise<void> {
    for (const { clock } of this.replicas) clock.step(failed ? 0 : POLL_SECONDS * 1000);
    if (failed) await Promise.all(this.replicas.splice(0).map(({ plane }) => plane.close()));
    await Promise.all([...this.polls.values(), ...(this.roll ? [this.roll] : [])].map((open) => open.answer));
    for (const { plane } of this.replicas) await plane.sweep();
  }

  private async start(clock: ManualClock): Promise<Replica> {
    const plane = await startPlane({
      databaseUrl: this.databaseUrl,
      clock,
      lockGroup: LOCK_GROUP,
      queueLimit: QUEUE_LIMIT,
      fleet: { defaults: { roll_ms: 0 }, tenants: [{ slug: 'slow', roll_ms: ROLL_MS }, 'acme'] },
    });
    return { plane, clock, watching: this.ref.now };
  }

  private at(replica: number): Replica {
    return this.replicas[replica] as Replica;
  }

  private client(replica: number): Client {
    return new Client(this.at(replica).plane.url, LOCK_GROUP);
  }

  private async send(call: Call, replica: number): Promise<string> {
    const client = this.client(replica);
    if (call.do === 'roll' && call.slow) return this.slowRoll(call, replica, client);
    return this.caller.send(call, client, this.at(replica).clock.wall() - this.ref.now);
  }

  /** Leaves an admitted roll running, and waits for the refusal of another. */
  private async slowRoll(
    call: Extract<Call, { do: 'roll' }>,
    replica: number,
    client: Client,
  ): Promise<string> {
    const before = (await this.witness.read()).rolls.length;
    const answer = this.caller.roll(call, client);
    let settled = false;
    answer.then(() => {
      settled = true;
    });
    await eventually(async () => settled || (await this.witness.read()).rolls.length > before);
    if (settled) return rollAnswer(await answer);
    const due = this.at(replica).clock.now() + ROLL_MS;
    this.roll = { replica, due, answer, index: this.ref.rolls.length, cut: false };
    return '200 rolled';
  }

  /** Sends calls together and demands that some order of them explains every answer and the audit log. */
  async together(calls: { call: Call; replica: number }[]): Promise<void> {
    const answers = await Promise.all(calls.map(({ call, replica }) => this.send(call, replica)));
    const now = await this.witness.check();
    const log = this.caller.read(now.events);
    const seen = answers.map((answer) => this.caller.ordinal(answer));
    let why = '';
    for (const order of permutations(calls.map((_, index) => index))) {
      const ref = structuredClone(this.ref);
      const said: string[] = [];
      for (const index of order) said[index] = apply(ref, calls[index]?.call as Call, seen[index] ?? '');
      const fits = said.every((answer, index) => this.fits(answer, seen[index] ?? '', ref, calls, index));
      if (fits && JSON.stringify(ref.log) === JSON.stringify(log)) {
        this.ref = ref;
        if (calls.length > 1) for (const poll of this.polls.values()) poll.amid = true;
        await this.settle(now);
        return;
      }
      why ||= `the reference says ${JSON.stringify([said, ref.log.slice(this.ref.log.length)])}`;
    }
    const what = JSON.stringify(calls.map(({ call, replica }) => ({ ...call, replica })));
    const heard = JSON.stringify([seen, log.slice(this.ref.log.length)]);
    throw new Error(`${what}\nwas answered ${heard}\n${why}`);
  }

  private fits(said: string, seen: string, ref: Ref, calls: { call: Call }[], index: number): boolean {
    if (said === seen) return true;
    // A roll that was sent at the same time may still run, or be over already.
    if (calls.length > 1 && withoutDraining(said) === withoutDraining(seen)) return true;
    // Who waits is read after the claim itself, so calls at the same time may show in it, a grant included.
    if (calls.length === 1 || !said.startsWith('202')) return false;
    const call = calls[index]?.call as Extract<Call, { do: 'put' }>;
    return seen.startsWith('202') || seen.startsWith(`200 held token ${ref.claims[call.claim]?.token} `);
  }

  async poll(claim: number, replica: number): Promise<void> {
    const plan = this.plans[claim] as LockWorld['plans'][number];
    const call = { do: 'put', claim, plan, session: 'own', body: 'own' } as const;
    const before = await this.pollCount(claim);
    const answer = this.caller.put(call, this.client(replica), plan.session, POLL_SECONDS);
    this.polls.set(claim, { replica, due: this.at(replica).clock.now() + POLL_SECONDS * 1000, answer });
    await eventually(async () => (await this.pollCount(claim)) > before);
    const known = this.ref.claims[claim];
    if (known) known.aliveAt = this.ref.now;
  }

  private async pollCount(claim: number): Promise<number> {
    return (await this.witness.read()).claims.find((row) => row.id === this.plans[claim]?.id)?.polls ?? 0;
  }

  /** Lets time pass in steps with a sweep after each; a paused replica looks again only at the end. */
  async advance(ms: number, options: { paused?: number; each?: () => Promise<void> } = {}): Promise<void> {
    const paused = options.paused === undefined ? undefined : this.at(options.paused);
    for (let left = ms; left > 0; left -= STEP_MS) {
      const step = Math.min(left, STEP_MS);
      this.ref.now += step;
      for (const replica of this.replicas) if (replica !== paused) replica.clock.step(step);
      for (const replica of this.replicas) if (replica !== paused) await replica.plane.sweep();
      if (this.roll && this.roll.replica === options.paused && ms >= OWNER_DEAD_MS) this.roll.cut = true;
      await this.settle();
      await options.each?.();
    }
    if (paused) await this.resume([paused], ms);
  }

  /** All replicas stand still for so long. */
  async stall(ms: number): Promise<void> {
    this.ref.now += ms;
    await this.resume(this.replicas, ms);
  }

  private async resume(replicas: Replica[], ms: number): Promise<void> {
    for (const replica of replicas) {
      if (ms > STEP_MS) replica.watching = this.ref.now;
      replica.clock.step(ms);
    }
    for (const replica of replicas) await replica.plane.sweep();
    await this.settle();
  }

  async restart(index: number): Promise<void> {
    const { clock, plane } = this.at(index);
    await plane.close();
    for (const [claim, { replica, answer }] of this.polls) {
      if (replica !== index) continue;
      // 202 where something, a freeze for one, had woken the poll a moment before: either way its place is kept.
      expect([202, 503]).toContain((await answer).status);
      const known = this.ref.claims[claim];
      if (known) known.aliveAt = this.ref.now;
      this.polls.delete(claim);
    }
    if (this.roll?.replica === index) await this.rollEnds();
    this.replicas[index] = await this.start(clock);
    await this.settle();
  }

  private async rollEnds(): Promise<void> {
    if (!this.roll) return;
    await this.roll.answer;
    this.closeRoll();
    this.roll = null;
  }

  /** Takes in what the server did by itself, then compares everything. */
  private async settle(known?: Snapshot): Promise<void> {
    const { ref, replicas } = this;
    if (!known && this.roll && this.at(this.roll.replica).clock.now() >= this.roll.due) await this.rollEnds();
    const now = await this.witness.check();
    const cut = now.rolls.findIndex((roll) => roll.result === 'cut');
    const open = this.roll?.cut ? now.rolls[this.roll.index] : undefined;
    if (open && open.end !== null) this.closeRoll();
    expect(cut === -1 || ref.rolls[cut]?.open === false, 'a roll is cut though its owner lives').toBe(true);
    const log = this.caller.read(now.events);
    while (ref.log.length < log.length) {
      const from = ref.log.length;
      const line = log[from] ?? '';
      expect(happen(ref, line, Math.min(...replicas.map(({ watching }) => watching)))).toBeNull();
      expect(log.slice(from, ref.log.length), line).toEqual(ref.log.slice(from));
    }
    expect(ref.log).toEqual(log);
    const latest = Math.max(...replicas.map(({ watching }) => watching));
    expect(overdue(ref, latest, (claim) => this.polls.has(claim))).toBeNull();
    this.compare(now);
    await this.checkPolls();
  }

  private closeRoll(): void {
    const known = this.roll && this.ref.rolls[this.roll.index];
    if (known) known.open = false;
  }

  private compare(now: Snapshot): void {
    const { ref } = this;
    const numberOf = (id: string) => this.plans.findIndex((plan) => plan.id === id);
    const states = now.claims.map(({ id, state }) => [numberOf(id), state] as const);
    expect(Object.fromEntries(states)).toEqual(
      Object.fromEntries(Object.entries(ref.claims).map(([id, { state }]) => [id, state])),
    );
    const queued = now.claims.filter((claim) => claim.state === 'queued');
    expect(
      queued.map((claim) => numberOf(claim.id)),
      'first come, first served',
    ).toEqual(ref.queue);
    expect(now.frozen !== null).toBe(ref.frozen !== null);
    expect(now.marks).toEqual(ref.marks);
    const rolls = now.rolls.map(({ token, end }) => ({
      token: this.caller.ordinalOf(token),
      open: end === null,
    }));
    expect(rolls).toEqual(ref.rolls);
  }

  /** A long poll is answered as soon as there is something to say, and at its end. */
  private async checkPolls(): Promise<void> {
    for (const [claim, { replica, due, answer, amid }] of this.polls) {
      const known = this.ref.claims[claim];
      const over = this.at(replica).clock.now() >= due;
      if (!known || (known.state === 'queued' && !this.ref.frozen && !over)) continue;
      const late = new Promise<never>((_, fail) => {
        setTimeout(() => fail(new Error(`the poll of claim ${claim} is not answered`)), 5_000).unref();
      });
      const seen = this.caller.ordinal(short(await Promise.race([answer, late])));
      const fits =
        (over || amid) &&
        (seen.startsWith('202') || (amid && seen.startsWith(`200 held token ${known.token} `)));
      if (known.state === 'queued') known.aliveAt = this.ref.now;
      // It was answered at the grant; a roll may have ended since.
      if (!fits) expect(withoutDraining(seen)).toBe(withoutDraining(claimAnswer(this.ref, claim)));
      this.polls.delete(claim);
    }
  }
}

const withoutDraining = (answer: string) => answer.replace(/ draining$/, '');

function* permutations(items: number[]): Generator<number[]> {
  if (items.length <= 1) yield items;
  for (const [index, item] of items.entries()) {
    for (const rest of permutations(items.toSpliced(index, 1))) yield [item, ...rest];
  }
}
