import { type Claim, type GroupState, isLive } from '../rules/claim.js';
import type { Change } from './notifications.js';

/** Groups that are remembered at a time; the one that was left alone for longest is forgotten first. */
const GROUPS_MAX = 1000;
/** Claims of which it is remembered that they ended, at a time. */
const ENDED_MAX = 10_000;
/** How long after a read its state is built upon, in milliseconds: the database's time is reckoned forward from it. */
const AGE_MAX_MS = 60_000;

/** What a call needs to be decided on a remembered state. */
export interface Ask {
  subject: string;
  /** The order key of a claim that may be new. */
  orderKey?: string | undefined;
  /** True: the claim is new. False: it waits or holds. */
  arrives: boolean;
}

/** What is known of a group, as of one read under its lock. */
export interface Knowledge {
  /** Monotonic moment of the read, in milliseconds. */
  readAt: number;
  /** The database's time at the read. */
  readNow: Date;
  /** Of the queue, all places up to here are known; Infinity: the whole queue is. */
  horizon: number;
  /** Keys whose marks are known, also that there is none. */
  keys: ReadonlySet<string>;
}

export interface Recalled {
  state: GroupState;
  knowledge: Knowledge;
}

/**
 * The state of each group as this process last read or left it, so that the usual transition needs no read. It is a
 * guess, since other replicas write too: what is decided on it counts only if the write finds the state's stamp.
 */
export class Memory {
  private readonly groups = new Map<string, Recalled>();
  private readonly ended = new Set<string>();

  /** What is remembered, not to be changed; undefined when nothing is, or for too long. */
  peek(group: string, now: number): Readonly<Recalled> | undefined {
    const known = this.groups.get(group);
    return known && now - known.knowledge.readAt <= AGE_MAX_MS ? known : undefined;
  }

  /** A copy of the state to decide on; undefined when nothing is remembered, or for too long. */
  recall(group: string, now: number): Recalled | undefined {
    const known = this.peek(group, now);
    if (!known) return undefined;
    const { state, knowledge } = known;
    return {
      state: {
        ...state,
        now: new Date(knowledge.readNow.getTime() + now - knowledge.readAt),
        waiting: [...state.waiting],
      },
      knowledge,
    };
  }

  /** True when the state with this stamp is the one that is remembered. */
  isAt(group: string, stamp: string): boolean {
    return this.groups.get(group)?.state.stamp === stamp;
  }

  /** The claim that a call is about, null for a new one; undefined when what is remembered does not suffice for the call. */
  subjectOf({ state, knowledge }: Recalled, { subject, orderKey, arrives }: Ask): Claim | null | undefined {
    const { held, waiting } = state;
    const live =
      held?.claimId === subject ? held : (waiting.find((claim) => claim.claimId === subject) ?? null);
    if (arrives !== (live === null)) return undefined;
    if (arrives && this.hasEnded(state.name, subject)) return undefined;
    // A newer order is set against all waiters of its key.
    if (orderKey !== undefined && (knowledge.horizon !== Infinity || !knowledge.keys.has(orderKey)))
      return undefined;
    return live;
  }

  /** Takes in what became of claims, here or in another replica. */
  note(group: string, claims: Claim[]): void {
    for (const claim of claims) if (!isLive(claim)) this.ended.add(`${group}/${claim.claimId}`);
    for (const oldest of this.ended) {
      if (this.ended.size <= ENDED_MAX) break;
      this.ended.delete(oldest);
    }
  }

  /** True for a claim that has ended, as far as that is remembered. */
  hasEnded(group: string, claimId: string): boolean {
    return this.ended.has(`${group}/${claimId}`);
  }

  /** Takes in what a transition left behind. */
  keep(state: GroupState, knowledge: Knowledge): void {
    this.groups.delete(state.name);
    this.groups.set(state.name, upToHorizon({ state: { ...state, subject: null }, knowledge }));
    if (this.groups.size > GROUPS_MAX) this.forget(this.groups.keys().next().value ?? '');
  }

  /** Follows a change that another replica made; one that does not follow from what is remembered ends the memory. */
  follow(group: string, change: Change | null): void {
    this.note(group, change?.claims ?? []);
    const known = this.groups.get(group);
    if (!known) return;
    const { state, knowledge } = known;
    // Notifications come in the order of the commits: an earlier one than the last own commit is in it already.
    if (change && change.now.version < state.version) return;
    if (change?.was !== state.stamp) {
      this.forget(group);
      return;
    }
    const changed = new Set(change.claims.map((claim) => claim.claimId));
    const held = state.held && changed.has(state.held.claimId) ? null : state.held;
    const waiting = state.waiting.filter((claim) => !changed.has(claim.claimId));
    for (const claim of change.claims) if (claim.state === 'queued') waiting.push(claim);
    waiting.sort((a, b) => a.place - b.place);
    const granted = change.claims.find((claim) => claim.state === 'held');
    this.keep({ ...state, ...change.now, held: granted ?? held, waiting }, knowledge);
  }

  forget(group: string): void {
    this.groups.delete(group);
  }
}

/** What a read tells, of which `head` is how many waiters it returns at least if there are as many. */
export function knowledgeOf(
  { now, waiting, waitingCount, marks }: GroupState,
  head: number,
  readAt: number,
  orderKey: string | undefined,
): Knowledge {
  const known = [...waiting.map((claim) => claim.orderKey), ...marks.map((mark) => mark.key), orderKey];
  return {
    readAt,
    readNow: now,
    horizon: waiting.length === waitingCount ? Infinity : (waiting[head - 1]?.place ?? 0),
    keys: new Set(known.filter((key) => key != null)),
  };
}

/** What is remembered of a queue has no gaps: who waits behind one that is not known is not known either. */
export function upToHorizon(recalled: Recalled): Recalled {
  const { state, knowledge } = recalled;
  if (knowledge.horizon === Infinity) return recalled;
  const waiting = state.waiting.filter((claim) => claim.place <= knowledge.horizon);
  const horizon = waiting.length === state.waitingCount ? Infinity : knowledge.horizon;
  return { state: { ...state, waiting }, knowledge: { ...knowledge, horizon } };
}

/** False when a lock would stay free although some who wait are not in the state. */
export const sufficed = ({ held, frozen, waiting, waitingCount }: GroupState): boolean =>
  held !== null || frozen !== null || waiting.length === waitingCount;
