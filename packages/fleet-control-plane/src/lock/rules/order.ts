import type { Order } from '@tenant-fleet/fleet-core/contract';
import { type Claim, type EndedBy, type Mark, orderOf } from './claim.js';

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
