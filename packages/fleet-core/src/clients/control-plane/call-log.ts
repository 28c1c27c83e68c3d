import type { CallResult } from '../../result/result.js';

/** A roll that was sent and whose end is not known: it may still run. */
export interface OpenRoll {
  key: string;
  slugs: string[];
  /** Milliseconds since 1970, for whoever reads it later. */
  sentAt: number;
  /** How long the control plane may take at worst. */
  mayLastMs: number;
}

interface Key {
  /** The phase and the tenants of what was sent with it. */
  phase: string;
  slugs: string[];
  /** Times at which it was sent and may have begun. */
  sentAt: number[];
  mayLastMs: number;
}

/** Every call of a run: for the report, and for what may still be under way. */
export class CallLog {
  readonly entries: CallResult[] = [];
  /** The control plane has answered anything: from then on a refused connection is an outage, not a typo. */
  reached = false;
  /** Keys of which the control plane has said that nothing came with them, and that it takes nothing with them any more. */
  readonly neverBegan = new Set<string>();
  readonly #unsettled = new Map<string, Key>();

  /** A roll that an earlier process of this run was killed in: nobody has seen its answer. @param sentAt ISO 8601. */
  inherit(slugs: string[], sentAt: string): void {
    this.entries.push({
      ...{ kind: 'roll', phase: null, slugs, started_at: sentAt, duration_ms: 0 },
      ...{ http_status: null, outcome: 'unknown', ok: null },
    });
  }

  /** Takes in calls of an earlier process of this run; one that it has ended was not cut after all. */
  restore(entries: readonly CallResult[]): void {
    const known = new Set(entries.map(({ slugs }) => String(slugs)));
    const own = this.entries.filter(
      ({ kind, phase, slugs }) => !(kind === 'roll' && phase === null && known.has(String(slugs))),
    );
    this.entries.splice(0, Infinity, ...own, ...entries);
    this.entries.sort((one, other) => Date.parse(one.started_at) - Date.parse(other.started_at));
  }

  /** A roll is sent. @param key The control plane runs what goes with one key just once. */
  sends(key: string, { sentAt, ...roll }: Omit<Key, 'sentAt'> & { sentAt: number }): void {
    const before = this.#unsettled.get(key)?.sentAt ?? [];
    this.#unsettled.set(key, { ...roll, sentAt: [...before, sentAt] });
  }

  /**
   * What became of the last request with the key. `refused`: it began nothing; the network may hold another copy of it,
   * which comes later and is not refused.
   */
  settled(key: string, how: 'ended' | 'refused' | 'not sent'): void {
    const known = this.#unsettled.get(key);
    const before = known?.sentAt.slice(0, -1) ?? [];
    if (!known || how === 'ended' || (how === 'not sent' && !before.length)) this.#unsettled.delete(key);
    else this.#unsettled.set(key, { ...known, sentAt: before });
  }

  /** Keys whose end is not known; `refused`: nothing that was sent with it is known to have begun. */
  get unsettled(): { key: string; phase: string; slugs: string[]; refused: boolean }[] {
    return [...this.#unsettled].map(([key, { phase, slugs, sentAt }]) => ({
      ...{ key, phase, slugs },
      refused: !sentAt.length,
    }));
  }

  /** Rolls that may still run. @param now Milliseconds since 1970. */
  openRolls(now: number): OpenRoll[] {
    return [...this.#unsettled].flatMap(([key, { slugs, sentAt, mayLastMs }]) =>
      sentAt.filter((at) => at + mayLastMs > now).map((at) => ({ key, slugs, sentAt: at, mayLastMs })),
    );
  }
}
