/** What runs of a fleet leave behind on the lock server: written by the holder, read by the next one. */
import type { LockClient } from '../clients/control-plane/lock.js';
import type { Flips, Order, RolloutEntry, RolloutRecord } from '../contract.js';
import { FleetError } from '../errors.js';
import type { Emit } from '../events/emitter.js';
import { sleep } from '../io/sleep.js';
import type { Ports } from '../ports.js';
import { oneLine } from '../text/sanitize.js';
import { lockSuperseded, missingInWords } from './errors.js';

/** A record is for later: it must not hold up a roll for long. */
const TIMEOUT_MS = 5_000;
/** Rollouts whose record is looked at. */
const LEARN_FROM = 8;
const READ_TRIES = 3;
const READ_PAUSE_MS = 1_000;

export class RolloutRecords {
  #features: ReadonlySet<string> = new Set();
  #current: (() => RolloutRecord) | null = null;

  /** Private: its session proves the claim. */
  readonly #grant: { claimId: string; session: string; fencingToken: number };

  constructor(
    private readonly client: LockClient,
    grant: { claimId: string; session: string; fencingToken: number },
    private readonly ports: Pick<Ports, 'clock'>,
    private readonly emit: Emit,
  ) {
    this.#grant = grant;
  }

  get fencingToken(): number {
    return this.#grant.fencingToken;
  }

  /** Asks what the server can do beyond the first version of the lock, and says what it leaves unguarded. */
  async learn(signal: AbortSignal): Promise<void> {
    this.#features = await this.client.features({ timeoutMs: TIMEOUT_MS, signal });
    const missing = missingInWords(this.#features);
    if (missing) this.emit({ code: 'warning', reason: missing });
  }

  /** The server tells of rolls under older tokens. */
  get tellsOpenRolls(): boolean {
    return this.#features.has('draining');
  }

  /** The server keeps what a run leaves behind. */
  get kept(): boolean {
    return this.#features.has('rollouts');
  }

  /** From here on this run leaves a record. @param rollout The rollout as it stands when it is asked for. */
  start(rollout: () => RolloutRecord): void {
    this.#current = rollout;
  }

  /** The rollout as it stands now; null where nothing is to be kept. */
  current(): RolloutRecord | null {
    return this.kept ? (this.#current?.() ?? null) : null;
  }

  /**
   * Keeps the rollout as it stands now. A record that is not kept is a warning: a roll does not depend on it.
   *
   * @param order Of a run under a lease that was lent to it, which rolls next or is proven: marked as a roll marks the
   *   order of its claim.
   * @throws FleetError `SUPERSEDED` where a newer one of its key has rolled, or is proven on the fleet.
   */
  async keep(signal?: AbortSignal, order?: Order): Promise<void> {
    const rollout = this.current();
    if (!rollout) return;
    const { claimId, session, fencingToken } = this.#grant;
    const answer = await this.client
      .keepRollout(
        claimId,
        { session, fencing_token: fencingToken, rollout, ...(order ? { order } : {}) },
        { timeoutMs: TIMEOUT_MS, signal },
      )
      .catch((error: Error) => ({ kind: 'no_answer' as const, reason: error.message }));
    if (answer.kind === 'kept' || signal?.aborted) return;
    if (answer.kind === 'refused' && answer.problem.error === 'outdated')
      throw lockSuperseded(this.client.group, answer.problem);
    const why = answer.kind === 'refused' ? oneLine(answer.problem.error, 60) : answer.reason;
    this.emit({ code: 'warning', reason: `the lock server did not keep the record of this rollout: ${why}` });
  }

  /**
   * What the rollouts before this one left behind: the entry of the last one, null where there is none or the server
   * keeps none, and how quick the tenants of the last ones were.
   *
   * @throws FleetError `GATE_REFUSED` where it cannot be read: what it left open could not be waited for.
   */
  async last(signal: AbortSignal): Promise<{ entry: RolloutEntry | null; flips: Flips[] }> {
    if (!this.kept) return { entry: null, flips: [] };
    for (let attempt = 1; ; attempt++) {
      const options = { timeoutMs: TIMEOUT_MS, fresh: attempt > 1, signal };
      const answer = await this.#newest(options);
      if (answer.kind === 'rollout') return answer;
      if (attempt < READ_TRIES) {
        await sleep(this.ports.clock, READ_PAUSE_MS * attempt, signal);
        continue;
      }
      const why = answer.kind === 'refused' ? oneLine(answer.problem.error, 60) : answer.reason;
      throw new FleetError('GATE_REFUSED', `the record of the last rollout cannot be read: ${why}`, {
        outcome: 'refused',
        next: 'nothing was rolled; try again once the lock server answers',
      });
    }
  }

  /**
   * The newest rollout with its tenants: of an earlier claim, or of another run under this very lease; and how quick the
   * tenants of the last ones were.
   */
  async #newest(options: Parameters<LockClient['rollout']>[1]) {
    const listed = await this.client.rollouts({ limit: LEARN_FROM }, options);
    if (listed.kind !== 'rollouts') return listed;
    const flips = listed.rollouts.flatMap(({ rollout }) => rollout.flips ?? []);
    const [newest] = listed.rollouts;
    if (!newest) return { kind: 'rollout' as const, entry: null, flips };
    const answer = await this.client.rollout(newest.claim_id, options);
    return answer.kind === 'rollout' ? { ...answer, flips } : answer;
  }
}
