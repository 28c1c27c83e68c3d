import { type Bounds, type Db, firstState, QUEUED, type State } from './world.js';

/** Packs states into bytes of one fixed length, so that equal states are equal bytes. */
export class Packer {
  readonly size: number;
  private readonly dbSize: number;
  private readonly claims: number;
  private readonly keys: number;
  private readonly requests: number;
  private readonly processes: number;
  private at = 0;

  constructor(bounds: Bounds) {
    const { db, processes } = firstState(bounds);
    this.claims = db.claims.length;
    this.keys = db.marks.length;
    this.requests = db.records.length;
    this.processes = processes.length;
    this.dbSize = this.claims * 4 + 3 + this.keys * 2 + this.requests + this.claims;
    this.size =
      this.dbSize * (bounds.failovers + bounds.restores > 0 ? 2 : 1) + 7 + this.processes * 2 + this.requests;
  }

  pack(state: State, into: Uint8Array): void {
    this.at = 0;
    this.packDb(state.db, into);
    into[this.at++] = state.timeline;
    into[this.at++] = state.restored;
    into[this.at++] = state.highest;
    into[this.at++] = state.orphan ? 1 : 0;
    into[this.at++] = state.sameId;
    into[this.at++] = state.seen;
    for (const process of state.processes) {
      into[this.at++] = process.at;
      into[this.at++] = process.token;
    }
    for (const running of state.running) into[this.at++] = running ? 1 : 0;
    into[this.at++] = state.standby ? 1 : 0;
    if (state.standby) this.packDb(state.standby, into);
    into.fill(0, this.at, this.size);
  }

  /** A database as a word, to tell equal ones. */
  wordOf(db: Db): string {
    const bytes = new Uint8Array(this.dbSize);
    this.at = 0;
    this.packDb(db, bytes);
    return Buffer.from(bytes).toString('latin1');
  }

  private packDb(db: Db, into: Uint8Array): void {
    for (const claim of db.claims) {
      into[this.at++] = claim.state;
      into[this.at++] = claim.by;
      into[this.at++] = claim.token;
      into[this.at++] = claim.state === QUEUED ? rank(db, claim.place) : 0;
    }
    into[this.at++] = db.lastToken;
    into[this.at++] = db.frozen ? 1 : 0;
    into[this.at++] = db.rolledToken;
    for (const mark of db.marks) into[this.at++] = mark;
    for (const rolled of db.rolled) into[this.at++] = rolled;
    for (const record of db.records) into[this.at++] = record;
    for (let i = 0; i < this.claims; i++) into[this.at++] = (db.line[i] ?? -1) + 1;
  }

  unpack(from: Uint8Array): State {
    this.at = 0;
    const next = () => from[this.at++] ?? 0;
    const db = this.unpackDb(from);
    const timeline = next();
    const restored = next();
    const highest = next();
    const orphan = next() === 1;
    const sameId = next();
    const seen = next();
    const processes = times(this.processes, () => ({ at: next(), token: next() }));
    const running = times(this.requests, () => next() === 1);
    const standby = next() === 1 ? this.unpackDb(from) : null;
    return { db, standby, timeline, restored, highest, processes, running, orphan, sameId, seen };
  }

  private unpackDb(from: Uint8Array): Db {
    const next = () => from[this.at++] ?? 0;
    const claims = times(this.claims, () => ({ state: next(), by: next(), token: next(), place: next() }));
    const lastToken = next();
    const frozen = next() === 1;
    const rolledToken = next();
    const marks = times(this.keys, next);
    const rolled = times(this.keys, next);
    const records = times(this.requests, next);
    const line: number[] = [];
    for (let i = 0; i < this.claims; i++) {
      const entry = next();
      if (entry > 0) line.push(entry - 1);
    }
    return { claims, lastToken, frozen, marks, records, rolled, rolledToken, line };
  }
}

/** Places grow for ever; what decides is who stands before whom. */
function rank(db: Db, place: number): number {
  let lower = 1;
  for (const other of db.claims) if (other.state === QUEUED && other.place < place) lower++;
  return lower;
}

function times<T>(count: number, make: () => T): T[] {
  const made: T[] = [];
  for (let i = 0; i < count; i++) made.push(make());
  return made;
}
