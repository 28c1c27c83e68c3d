/** What the model's world consists of, how large it is, and how a state is packed. */

export const NONE = 0;
export const QUEUED = 1;
export const HELD = 2;
/**
 * Released, left, lost, broken, abandoned, superseded or outdated. After its end no claim behaves differently by how
 * it ended, so one value stands for all; the checks of a step see the kind in the step's audit rows.
 */
export const OVER = 3;

export const WAITING = 0;
/** Knows a token, and may use it for ever: no client of the model notices by itself that its lease is over. */
export const HOLDING = 1;
/** Has given up waiting and sent a release without a token. */
export const GONE = 2;
/** Holds, and has had an answer that told of no open roll of an older token. */
export const USABLE = 3;
/** Looks at the tenants, or has: of its own roll requests none may come to anything any more. */
export const LOOKING = 4;
export const knowsToken = ({ at }: Process): boolean => at === HOLDING || at === USABLE || at === LOOKING;

export const RECORD_NONE = 0;
export const RECORD_OPEN = 1;
export const RECORD_ENDED = 2;
/** Open, and the control plane that carried it out has died. */
export const RECORD_LEFT = 3;
/** Its holder gave it up before it arrived. */
export const RECORD_GIVEN_UP = 4;
export const isOpen = (record: number | undefined): boolean =>
  record === RECORD_OPEN || record === RECORD_LEFT;

export interface Claim {
  state: number;
  /** The process that made it: its session. */
  by: number;
  /** 0: never granted. */
  token: number;
  /** Order in the queue; only comparisons count. */
  place: number;
}

/** What the database holds, and an asynchronous failover may lose the end of. */
export interface Db {
  claims: Claim[];
  lastToken: number;
  frozen: boolean;
  /** Per key: the highest order number that ever started a roll, as the server notes it. */
  marks: number[];
  /** Per roll request: the record under its idempotency key. */
  records: number[];
  /** Oracle: per key, the highest order number that did start a roll, or was proven on the fleet. */
  rolled: number[];
  /** Oracle: the highest token under which a roll started. */
  rolledToken: number;
  /** Oracle: the queue as a person would keep it on paper. */
  line: number[];
}

export interface Process {
  at: number;
  token: number;
}

export interface State {
  db: Db;
  /** What a standby has that follows no more, or a backup; null while there is none. */
  standby: Db | null;
  timeline: number;
  /** How many times a backup was restored. */
  restored: number;
  /** Oracle: the highest token ever handed out, lost commits included. */
  highest: number;
  processes: Process[];
  /** Per roll request: a control plane is carrying it out now. */
  running: boolean[];
  /** A roll is being carried out whose record a failover has lost. */
  orphan: boolean;
  /** The roll request, plus one, that got the orphan's number a second time. */
  sameId: number;
  /** What the server last saw of the holder: nothing, no renewal since, or a renewal since. */
  seen: number;
}

export interface ProcessBound {
  /** Two processes with one claim id are two copies of a job. */
  claim: number;
  /** Which key its order has; -1 without an order. */
  key: number;
  number: number;
}

export interface Bounds {
  processes: ProcessBound[];
  /** Roll requests that each process may send with its token. */
  rolls: number;
  freeze: boolean;
  restart: boolean;
  /** How many times a standby is promoted. */
  failovers: number;
  /** How many times a backup is restored. */
  restores: number;
}

export const keysOf = (bounds: Bounds): number => Math.max(0, ...bounds.processes.map(({ key }) => key + 1));
export const claimsOf = (bounds: Bounds): number =>
  Math.max(...bounds.processes.map(({ claim }) => claim + 1));
export const requestsOf = (bounds: Bounds): number => bounds.processes.length * bounds.rolls;

/** The order that comes with a claim: processes that share a claim id send the same body. */
export function orderOf(bounds: Bounds, claim: number): ProcessBound {
  const shared = claimsOf(bounds);
  // Claim ids beyond the shared ones exist only where a mutant makes a second claim for a process.
  const of = bounds.processes.find((process, index) =>
    claim < shared ? process.claim === claim : index === claim - shared,
  );
  if (!of) throw new Error(`no process has claim ${claim}`);
  return of;
}

export function firstState(bounds: Bounds): State {
  const zeros = (count: number) => new Array<number>(count).fill(0);
  const processes = bounds.processes.length;
  return {
    db: {
      claims: Array.from({ length: claimsOf(bounds) + processes }, () => ({
        state: NONE,
        by: 0,
        token: 0,
        place: 0,
      })),
      lastToken: 0,
      frozen: false,
      marks: zeros(keysOf(bounds)),
      records: zeros(requestsOf(bounds)),
      rolled: zeros(keysOf(bounds)),
      rolledToken: 0,
      line: [],
    },
    standby: null,
    timeline: 1,
    restored: 0,
    highest: 0,
    processes: Array.from({ length: processes }, () => ({ at: WAITING, token: 0 })),
    running: new Array<boolean>(requestsOf(bounds)).fill(false),
    orphan: false,
    sameId: 0,
    seen: 0,
  };
}

export const copyDb = (db: Db): Db => ({
  claims: db.claims.map((claim) => ({
    state: claim.state,
    by: claim.by,
    token: claim.token,
    place: claim.place,
  })),
  lastToken: db.lastToken,
  frozen: db.frozen,
  marks: db.marks.slice(),
  records: db.records.slice(),
  rolled: db.rolled.slice(),
  rolledToken: db.rolledToken,
  line: db.line.slice(),
});

/** The standby is never written to, so copies share it. */
export const copy = (state: State): State => ({
  db: copyDb(state.db),
  standby: state.standby,
  timeline: state.timeline,
  restored: state.restored,
  highest: state.highest,
  processes: state.processes.map((process) => ({ at: process.at, token: process.token })),
  running: state.running.slice(),
  orphan: state.orphan,
  sameId: state.sameId,
  seen: state.seen,
});

export const heldOf = (db: Db): number => db.claims.findIndex((claim) => claim.state === HELD);

export function waitingOf(db: Db): number[] {
  const waiting: number[] = [];
  db.claims.forEach((claim, index) => {
    if (claim.state === QUEUED) waiting.push(index);
  });
  return waiting.sort((a, b) => (db.claims[a]?.place ?? 0) - (db.claims[b]?.place ?? 0));
}
