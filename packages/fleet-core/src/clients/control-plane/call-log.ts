import type { CallResult } from '../../result/result.js';

/** A roll that was sent and whose end is not known: it may still run. */
export interface OpenRoll {
  slugs: string[];
  /** Milliseconds since 1970, for whoever reads it later. */
  sentAt: number;
  /** How long the control plane may take at worst. */
  mayLastMs: number;
}

/** Every call of a run: for the report, and for what may still be under way. */
export class CallLog {
  readonly entries: CallResult[] = [];
  /** The control plane has answered anything: from then on a refused connection is an outage, not a typo. */
  reached = false;
  readonly #open = new Map<string, OpenRoll[]>();

  /** A roll is sent. @param key The control plane runs what goes with one key just once. */
  sends(key: string, roll: OpenRoll): void {
    this.#open.set(key, [...(this.#open.get(key) ?? []), roll]);
  }

  /** What was sent with the key has ended, or never began. */
  settled(key: string, how: 'ended' | 'never began'): void {
    const before = how === 'ended' ? [] : (this.#open.get(key) ?? []).slice(0, -1);
    if (before.length) this.#open.set(key, before);
    else this.#open.delete(key);
  }

  /** Rolls that may still run. @param now Milliseconds since 1970. */
  openRolls(now: number): OpenRoll[] {
    return [...this.#open.values()].flat().filter(({ sentAt, mayLastMs }) => sentAt + mayLastMs > now);
  }
}
