import type { ClaimEnd, Order } from '@tenant-fleet/fleet-core/contract';
import {
  type Claim,
  type EndedBy,
  type Event,
  type GroupState,
  type Mark,
  nextToken,
  orderOf,
} from './claim.js';

export interface Ending {
  reason?: string;
  by?: EndedBy;
  result?: string;
  actor?: string;
  detail?: Record<string, unknown>;
}

/**
 * A transition in the making: it changes copies, writes the audit rows, and hands a freed lock over in the same
 * breath. What it holds at the end is committed as a whole or not at all.
 */
export class Draft {
  /** Claims that this transition changed, by id. */
  readonly changed = new Map<string, Claim>();
  readonly created = new Set<string>();
  /** Held claims that this transition renewed. */
  readonly renewed = new Set<string>();
  /** Marks that this transition raised, by key. */
  readonly marks = new Map<string, Mark>();
  readonly events: Event[] = [];
  /** True when every waiter should look again, as at a freeze. */
  wakeAll = false;
  private bump = false;

  constructor(readonly state: GroupState) {}

  get dirty(): boolean {
    return this.events.length > 0 || this.changed.size > 0 || this.marks.size > 0 || this.bump;
  }

  /** Makes watchers of the status look again without an audit row, as for a new step. */
  touchVersion(): void {
    this.bump = true;
  }

  get version(): number {
    return this.state.version + (this.events.length > 0 || this.bump ? 1 : 0);
  }

  change(claim: Claim, patch: Partial<Claim>): Claim {
    return this.put(claim, { ...claim, ...patch });
  }

  private put(before: Claim | null, next: Claim): Claim {
    const { state } = this;
    this.changed.set(next.claimId, next);
    if (state.held?.claimId === next.claimId) state.held = next.state === 'held' ? next : null;
    else if (next.state === 'held') state.held = next;
    const at =
      before?.state === 'queued' ? state.waiting.findIndex(({ claimId }) => claimId === next.claimId) : -1;
    if (at >= 0) state.waiting.splice(at, 1);
    if (next.state === 'queued') {
      const behind = state.waiting.findLastIndex(({ place }) => place < next.place);
      state.waiting.splice(behind + 1, 0, next);
    }
    if (state.subject?.claimId === next.claimId) state.subject = next;
    return next;
  }

  create(claim: Claim): Claim {
    this.created.add(claim.claimId);
    this.state.subject = claim;
    return this.put(null, claim);
  }

  record(kind: string, claim: Claim | null, more: Partial<Pick<Event, 'actor' | 'detail'>> = {}): void {
    this.events.push({
      seq: ++this.state.lastEvent,
      kind,
      claimId: claim?.claimId ?? null,
      token: claim?.token ?? null,
      actor: more.actor ?? claim?.holder.token_name ?? claim?.holder.actor ?? null,
      detail: more.detail ?? null,
    });
  }

  /** Notes that this claim's order was rolled, or proven on the fleet: no lower one of its key comes after it. */
  mark({ orderKey: key, orderNumber: number, holder }: Claim): void {
    if (key === null || number === null) return;
    const known = this.state.marks.find((mark) => mark.key === key);
    if (known && known.number >= number) return;
    const mark = { key, number, holder };
    this.marks.set(key, mark);
    this.state.marks = [...this.state.marks.filter((other) => other !== known), mark];
  }

  end(claim: Claim, state: ClaimEnd, ending: Ending = {}): Claim {
    const ended = this.change(claim, {
      state,
      endedAt: this.state.now,
      endReason: ending.reason ?? null,
      endedBy: ending.by ?? null,
      result: ending.result ?? null,
    });
    const detail = {
      ...(ending.reason && { reason: ending.reason }),
      ...(ending.result && { result: ending.result }),
      ...(ending.by && { by: ending.by }),
      ...ending.detail,
    };
    this.record(state, ended, {
      ...(ending.actor && { actor: ending.actor }),
      detail: Object.keys(detail).length > 0 ? detail : null,
    });
    return ended;
  }

  /** Hands a free lock to the earliest place: inside the transaction, so nobody can come in between. */
  grantNext(arrivingNow?: string): void {
    const { state } = this;
    if (state.held || state.frozen) return;
    const { grant, outdated } = nextInLine(state.waiting, state.marks);
    for (const { claim, by } of outdated) this.end(claim, 'outdated', { by });
    if (!grant) return;
    state.lastToken = nextToken(state.lastToken, state.timeline);
    const held = this.change(grant, {
      state: 'held',
      token: state.lastToken,
      acquiredAt: state.now,
      // Whoever asks and is granted in one request has the answer in hand; a waiter may be gone by now.
      confirmed: grant.claimId === arrivingNow,
    });
    this.record('granted', held, {
      detail: { holder: held.holder, ...(held.orderKey && { order: held.orderNumber }) },
    });
  }
}

/** What becomes of a new claim: it enters the queue, or it is too old to. */
export type Arrival =
  | { kind: 'enter'; supersedes: Claim[]; inherits: number | null }
  | { kind: 'outdated'; by: EndedBy };

/** The newest of its key that makes an order outdated, or null. Equal numbers are the same run again. */
export function newerThan(order: Order | null, live: Claim[], marks: Mark[]): EndedBy | null {
  if (!order) return null;
  let newest: EndedBy | null = null;
  const consider = (by: EndedBy) => {
    if (by.number > order.number && by.number > (newest?.number ?? -1)) newest = by;
  };
  for (const claim of live) {
    if (claim.orderKey === order.key && claim.orderNumber !== null) {
      consider({
        number: claim.orderNumber,
        holder: claim.holder,
        state: claim.state === 'held' ? 'held' : 'queued',
      });
    }
  }
  for (const mark of marks) {
    if (mark.key === order.key) consider({ number: mark.number, holder: mark.holder, state: 'rolled' });
  }
  return newest;
}

/** Judges a new claim by its order, never by its time of arrival. */
export function judgeArrival(
  order: Order | null,
  held: Claim | null,
  waiting: Claim[],
  marks: Mark[],
): Arrival {
  const by = newerThan(order, held ? [held, ...waiting] : waiting, marks);
  if (by) return { kind: 'outdated', by };
  const supersedes = order
    ? waiting.filter(
        (claim) => claim.orderKey === order.key && (claim.orderNumber ?? order.number) < order.number,
      )
    : [];
  const inherits = supersedes.length > 0 ? Math.min(...supersedes.map((claim) => claim.place)) : null;
  return { kind: 'enter', supersedes, inherits };
}

/** Who gets a free lock, and who is passed over on the way because something newer rolled meanwhile. */
export function nextInLine(
  waiting: Claim[],
  marks: Mark[],
): { grant: Claim | null; outdated: { claim: Claim; by: EndedBy }[] } {
  const outdated: { claim: Claim; by: EndedBy }[] = [];
  for (const claim of [...waiting].sort((a, b) => a.place - b.place)) {
    const by = newerThan(orderOf(claim), [], marks);
    if (!by) return { grant: claim, outdated };
    outdated.push({ claim, by });
  }
  return { grant: null, outdated };
}
