import type { Broken } from './breaks.js';
import type { Log } from './log.js';
import {
  type Bounds,
  type Claim,
  claimsOf,
  HELD,
  heldOf,
  NONE,
  OVER,
  orderOf,
  QUEUED,
  type State,
  waitingOf,
} from './world.js';

/** Tokens of one timeline; the real number is 2^40, and only the order of tokens counts. */
export const PER_TIMELINE = 16;

export type Answer = 'held' | 'queued' | 'over' | 'in_use';

/** The lock's transitions, each one transaction. */
export class Server {
  constructor(
    private readonly bounds: Bounds,
    private readonly broken: Broken,
    private readonly state: State,
    private readonly log: Log,
  ) {}

  private claim(index: number): Claim {
    const claim = this.state.db.claims[index];
    if (!claim) throw new Error(`no claim ${index}`);
    return claim;
  }

  /** A PUT of this process arrives, for the first time or again. */
  put(process: number): Answer {
    const { broken, state } = this;
    let index = this.bounds.processes[process]?.claim ?? 0;
    if (broken.claimPerRetry && this.claim(index).state !== NONE) index = claimsOf(this.bounds) + process;
    const claim = this.claim(index);
    if (claim.state === OVER && !broken.resurrect) return 'over';
    if (claim.state === QUEUED || claim.state === HELD) {
      if (claim.by !== process && !broken.sessionUnchecked) return 'in_use';
      // The answer counts as a renewal for the client, so it has to be one for the server.
      if (claim.state === HELD && state.seen === 1) state.seen = 2;
      if (claim.state === QUEUED && broken.newPlaceOnPoll) claim.place = this.lastPlace() + 1;
      return claim.state === HELD ? 'held' : 'queued';
    }
    claim.by = process;
    claim.token = 0;
    return this.arrive(index, claim);
  }

  private arrive(index: number, claim: Claim): Answer {
    const { broken, state, log } = this;
    const { key, number } = orderOf(this.bounds, index);
    const held = heldOf(state.db);
    const peers = key < 0 ? [] : waitingOf(state.db).filter((other) => this.keyOf(other) === key);
    const newest = Math.max(
      0,
      ...peers.map((other) => this.numberOf(other)),
      held >= 0 && key >= 0 && this.keyOf(held) === key && !broken.arrivalForgetsHolder
        ? this.numberOf(held)
        : 0,
      key >= 0 ? (state.db.marks[key] ?? 0) : 0,
    );
    if (key >= 0 && newest > number && !broken.supersedeByArrival) {
      this.end(index, 'outdated');
      return 'over';
    }
    const older = broken.supersedeOtherKey
      ? waitingOf(state.db)
      : peers.filter((other) => broken.supersedeByArrival || this.numberOf(other) < number);
    const places = older.map((other) => this.claim(other).place);
    for (const other of older) this.end(other, 'superseded');
    if (broken.supersedeHolder && held >= 0 && key >= 0 && this.keyOf(held) === key)
      this.end(held, 'superseded');
    claim.place =
      places.length === 0 || broken.newPlaceOnSupersede
        ? Math.max(this.lastPlace(), ...places) + 1
        : broken.latestPlaceOnSupersede
          ? Math.max(...places)
          : Math.min(...places);
    claim.state = QUEUED;
    log.arrived = index;
    this.handOver();
    if (this.claim(index).state === QUEUED) log.row(index, 'queued');
    return this.claim(index).state === HELD ? 'held' : 'queued';
  }

  private keyOf(claim: number): number {
    return orderOf(this.bounds, claim).key;
  }

  private numberOf(claim: number): number {
    return orderOf(this.bounds, claim).number;
  }

  private lastPlace(): number {
    return Math.max(0, ...waitingOf(this.state.db).map((index) => this.claim(index).place));
  }

  private end(index: number, kind: string): void {
    const claim = this.claim(index);
    if (claim.state === HELD) this.state.seen = 0;
    claim.state = OVER;
    claim.place = 0;
    this.log.row(index, kind);
  }

  /** Grants a free lock to the earliest place, in the transaction that freed it. */
  private handOver(): void {
    const { broken, state, log } = this;
    const { db } = state;
    if (db.frozen && !broken.frozenGrants) return;
    if (heldOf(db) >= 0 && !broken.grantBesideHolder) return;
    const waiting = waitingOf(db);
    if (broken.newestFirst) waiting.reverse();
    for (const index of waiting) {
      const { key, number } = orderOf(this.bounds, index);
      if (key >= 0 && (db.marks[key] ?? 0) > number && !broken.notAskedAtGrant) {
        this.end(index, 'outdated');
        continue;
      }
      const claim = this.claim(index);
      const floor = broken.failoverSameTokens ? 0 : state.timeline * PER_TIMELINE;
      db.lastToken = broken.tokenPerArrival ? floor + index + 1 : Math.max(db.lastToken, floor) + 1;
      claim.state = HELD;
      claim.token = db.lastToken;
      claim.place = 0;
      if (broken.markAtGrant && key >= 0) db.marks[key] = Math.max(db.marks[key] ?? 0, number);
      state.highest = Math.max(state.highest, db.lastToken);
      log.granted = index;
      if (!broken.unlogged) log.row(index, 'granted');
      return;
    }
  }

  /** A release of this process arrives; without a token it comes from one that gave up waiting. */
  release(process: number, token: number, proven = false): void {
    const { broken, state } = this;
    const index = this.bounds.processes[process]?.claim ?? 0;
    const claim = this.claim(index);
    if (broken.releaseByGroup) {
      const held = heldOf(state.db);
      if (held >= 0) this.end(held, 'released');
      this.handOver();
      return;
    }
    if (claim.state === NONE) {
      // Its request may still be on the way, and must not come in after it has left.
      claim.by = process;
      this.end(index, 'left');
      return;
    }
    if (proven && broken.proofOfAnyClaim && claim.state === OVER) this.prove(process, index);
    if (claim.state === OVER) return;
    if (claim.by !== process && !broken.sessionUnchecked) return;
    if (claim.state === QUEUED) {
      this.end(index, 'left');
      return;
    }
    if (token !== 0 && token !== claim.token && !broken.releaseNoToken) return;
    if (proven) this.prove(process, index);
    this.end(index, 'released');
    if (!broken.releaseForgets) this.handOver();
  }

  /** A proof arrives whose lease goes on. */
  proveOn(process: number, token: number): void {
    const index = this.bounds.processes[process]?.claim ?? 0;
    const claim = this.claim(index);
    const holds = claim.state === HELD && claim.by === process && claim.token === token;
    const { key, number } = orderOf(this.bounds, index);
    if (key >= 0 && (this.state.db.marks[key] ?? 0) > number) return;
    if (holds || (this.broken.proofOfAnyClaim && claim.state === OVER)) this.prove(process, index);
  }

  /** The fleet was seen on the commit of this claim: no lower order of its key comes after it. */
  private prove(process: number, index: number): void {
    const { broken, state, log } = this;
    log.proved = process;
    const { key, number } = orderOf(this.bounds, index);
    if (key < 0) return;
    state.db.rolled[key] = Math.max(state.db.rolled[key] ?? 0, number);
    if (!broken.proofUnmarked) state.db.marks[key] = Math.max(state.db.marks[key] ?? 0, number);
  }

  /** True: the answer is that it holds. */
  renew(process: number, token: number): boolean {
    const { broken, state } = this;
    const claim = this.claim(this.bounds.processes[process]?.claim ?? 0);
    if (claim.by !== process || claim.token !== token) return false;
    if (claim.state === HELD && state.seen === 1) state.seen = 2;
    if (claim.state === OVER && broken.renewRevives) claim.state = HELD;
    return claim.state === HELD;
  }

  /** The sweep acts on what it saw: that the holder did not renew for a whole TTL. */
  expire(): boolean {
    const { broken, state } = this;
    const held = heldOf(state.db);
    if (held < 0 || state.seen === 0) return false;
    if (state.seen === 2 && !broken.expireUnseen) return false;
    this.log.expired = held;
    this.end(held, 'lost');
    if (!broken.expireForgets) this.handOver();
    return true;
  }

  abandon(index: number): void {
    this.end(index, 'abandoned');
  }

  /** A person breaks the hold whose token they saw, now or long ago. */
  breakHold(token: number): void {
    const held = heldOf(this.state.db);
    if (held < 0) return;
    if (this.claim(held).token !== token && !this.broken.breakByGroup) return;
    this.end(held, 'broken');
    this.handOver();
  }

  freeze(): void {
    this.state.db.frozen = true;
    this.log.row(-1, 'frozen');
  }

  unfreeze(): void {
    this.state.db.frozen = false;
    this.log.row(-1, 'unfrozen');
    if (!this.broken.unfreezeForgets) this.handOver();
  }
}
