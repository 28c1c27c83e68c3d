import type { Broken } from './breaks.js';
import type { Log } from './log.js';
import { PER_TIMELINE } from './server.js';
import {
  type Bounds,
  copyDb,
  heldOf,
  isOpen,
  orderOf,
  RECORD_ENDED,
  RECORD_GIVEN_UP,
  RECORD_LEFT,
  RECORD_NONE,
  RECORD_OPEN,
  type State,
} from './world.js';

/** More than the grants that any of these worlds can make; in the server a billion. */
const RESTORE_JUMP = 8;

/** The redeploy endpoint and the life of a roll after it was admitted. */
export class Rolls {
  constructor(
    private readonly bounds: Bounds,
    private readonly broken: Broken,
    private readonly state: State,
    private readonly log: Log,
  ) {}

  /**
   * A roll request arrives, for the first time or again. Where the control plane does not hear that its transaction was
   * committed, the roll is on record and nobody carries it out.
   */
  request(process: number, call: number, heard: boolean): void {
    const { broken, state, bounds } = this;
    const { db } = state;
    const id = process * bounds.rolls + call;
    const token = state.processes[process]?.token ?? 0;
    const forgotten = db.records[id] === RECORD_GIVEN_UP && broken.givenUpForgotten;
    if (db.records[id] !== RECORD_NONE && !broken.keyIgnored && !forgotten) return;
    if (!this.holds(process, token) && !broken.noFence) return;
    if (this.drains(token)) return;
    this.start(id, token, heldOf(db));
    this.state.running[id] = heard;
  }

  private holds(process: number, token: number): boolean {
    const { broken, bounds } = this;
    const { db } = this.state;
    const held = heldOf(db);
    const own = broken.fenceIgnoresClaim || held === bounds.processes[process]?.claim;
    return broken.fenceByLastToken ? token === db.lastToken : db.claims[held]?.token === token && own;
  }

  /** The holder gives a request up; one that has arrived before goes on. */
  giveUp(process: number, call: number): void {
    const { broken, state, bounds } = this;
    const id = process * bounds.rolls + call;
    if (state.db.records[id] !== RECORD_NONE) return;
    if (!this.holds(process, state.processes[process]?.token ?? 0) && !broken.givenUpByAnybody) return;
    state.db.records[id] = RECORD_GIVEN_UP;
  }

  /** Whether every request of the process has ended or was given up. */
  settled(process: number): boolean {
    const { state, bounds } = this;
    const own = state.db.records.slice(process * bounds.rolls, (process + 1) * bounds.rolls);
    return own.every((record) => record === RECORD_ENDED || record === RECORD_GIVEN_UP);
  }

  /** Whether an answer to the holder with this token tells of an open roll of an older one. */
  tells(token: number): boolean {
    const { state, bounds, broken } = this;
    if (broken.drainingHidden) return false;
    return state.db.records.some(
      (record, id) => isOpen(record) && (state.processes[Math.floor(id / bounds.rolls)]?.token ?? 0) < token,
    );
  }

  private drains(token: number): boolean {
    const { broken, state, bounds } = this;
    if (broken.noDraining) return false;
    return state.db.records.some((record, id) => {
      if (!isOpen(record)) return false;
      const other = state.processes[Math.floor(id / bounds.rolls)]?.token ?? 0;
      if (broken.drainsOnlyOlder) return other < token;
      return broken.drainsOnlySame ? other === token : true;
    });
  }

  private start(id: number, token: number, held: number): void {
    const { broken, state, log } = this;
    const { db } = state;
    log.started = id;
    log.startedToken = token;
    db.records[id] = RECORD_OPEN;
    if (state.orphan && broken.rollsByNumber && state.sameId === 0) state.sameId = id + 1;
    db.rolledToken = Math.max(db.rolledToken, token);
    if (held < 0) return;
    const { key, number } = orderOf(this.bounds, held);
    if (key < 0) return;
    db.rolled[key] = Math.max(db.rolled[key] ?? 0, number);
    if (!broken.markNeverRaised && !broken.markAtGrant) db.marks[key] = Math.max(db.marks[key] ?? 0, number);
  }

  /** A request without the fence headers arrives, from somebody who knows nothing of the lock. */
  unfenced(): void {
    const { broken, state, log } = this;
    if (!broken.fenceMissingAllowed || state.db.records.some(isOpen)) return;
    log.started = state.db.records.length;
    log.startedToken = 0;
  }

  /** The control plane that carries a roll out comes to its end and writes it. */
  finish(id: number): void {
    this.state.running[id] = false;
    this.state.db.records[id] = RECORD_ENDED;
  }

  /** Another control plane takes the roll's owner for dead, rightly or not. */
  close(id: number): boolean {
    const { state, broken } = this;
    const left = state.db.records[id] === RECORD_LEFT && !broken.deadRollStaysOpen;
    if (!left && !state.running[id]) return false;
    if (!isOpen(state.db.records[id])) return false;
    state.db.records[id] = RECORD_ENDED;
    return true;
  }

  /** The owner finds a roll of its own open that it is not carrying out. */
  tidy(id: number): boolean {
    const { state, broken } = this;
    if (state.db.records[id] !== RECORD_OPEN || state.running[id] || broken.ownRollForgotten) return false;
    state.db.records[id] = RECORD_ENDED;
    return true;
  }

  /** Every control plane dies and starts again: what ran in memory is gone, and so is what was seen. */
  restart(): void {
    const { state } = this;
    state.running.fill(false);
    leave(state.db);
    if (state.standby) {
      // Copies of the state share it.
      state.standby = copyDb(state.standby);
      leave(state.standby);
    }
    state.orphan = false;
    state.sameId = 0;
    state.seen = 0;
  }

  /** The database is put back to a backup, with all control planes stopped and no roll under way. */
  restore(): void {
    const { broken, state, log } = this;
    const { standby } = state;
    if (!standby) return;
    log.failover = true;
    state.db = copyDb(standby);
    state.standby = null;
    state.restored++;
    this.restart();
    if (!broken.restoreUnchecked)
      state.db.lastToken = Math.max(state.db.lastToken, state.timeline * PER_TIMELINE) + RESTORE_JUMP;
  }

  /** A standby that may have missed the last commits is promoted; the control planes live on. */
  failover(): void {
    const { broken, state, log } = this;
    const { standby, db } = state;
    if (!standby) return;
    log.failover = true;
    state.db = copyDb(standby);
    if (broken.effectsOutside) {
      state.db.rolled = db.rolled.slice();
      state.db.rolledToken = db.rolledToken;
    }
    state.standby = null;
    state.timeline++;
    state.seen = 0;
    state.running.forEach((running, id) => {
      if (!running || state.db.records[id] !== RECORD_NONE) return;
      state.running[id] = false;
      state.orphan = true;
    });
  }
}

function leave(db: State['db']): void {
  db.records = db.records.map((record) => (record === RECORD_OPEN ? RECORD_LEFT : record));
}

/** How many rolls could change a tenant now: a change is written only while its roll's record is open. */
export function effective(state: State, broken: Broken): number {
  const { db, running, orphan, sameId } = state;
  let count = 0;
  for (let id = 0; id < running.length; id++) {
    if (running[id] && (db.records[id] === RECORD_OPEN || broken.closedRollWrites)) count++;
  }
  const asAnother = sameId > 0 && isOpen(db.records[sameId - 1]);
  if (orphan && (broken.closedRollWrites || asAnother)) count++;
  return count;
}
