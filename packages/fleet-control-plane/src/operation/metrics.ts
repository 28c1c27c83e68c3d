import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Reader } from '../db/database.js';
import type { Committed } from '../lock/store/store.js';
import type { RollSeen } from '../rolls/roll.js';

const SECONDS = [0.1, 1, 5, 15, 60, 300, 900, 3600];

interface LiveGroup {
  group: string;
  queued: number;
  held: number;
  longest_wait: number;
  hold: number;
}

/** What a monitor wants to know, in a registry of this server's own. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = this.#histogram('fleet_http_request_seconds', 'Time of a request', [
    'method',
    'route',
    'status',
  ]);
  readonly #waits = this.#histogram(
    'fleet_lock_wait_seconds',
    'From a claim to its grant',
    ['group'],
    SECONDS,
  );
  readonly #holds = this.#histogram('fleet_lock_hold_seconds', 'From a grant to its end', ['group'], SECONDS);
  readonly #ends = new Counter({
    name: 'fleet_lock_claims_ended_total',
    help: 'Claims that ended, by how',
    labelNames: ['group', 'state'],
    registers: [this.#registry],
  });
  readonly #up = this.#gauge('fleet_database_up', 'Whether the database answered this scrape');
  readonly #queued = this.#gauge('fleet_lock_queued', 'Claims that wait', 'group');
  readonly #held = this.#gauge('fleet_lock_held', 'Whether the lock is held', 'group');
  readonly #longest = this.#gauge('fleet_lock_longest_wait_seconds', 'How long the first waits', 'group');
  readonly #hold = this.#gauge('fleet_lock_current_hold_seconds', 'How long it is held by now', 'group');
  readonly #rolls = this.#gauge('fleet_rolls_open', 'Rolls under way', 'group');
  readonly #unseen = this.#gauge('fleet_rolls_unseen', 'Open rolls whose end nobody saw', 'group');
  readonly #rolled = this.#histogram(
    'fleet_roll_seconds',
    'Time of a roll, by how it came out',
    ['group', 'end'],
    SECONDS,
  );
  readonly #asked = new Counter({
    name: 'fleet_shard_tenants_total',
    help: 'Tenants asked for rollouts that any process runs',
    registers: [this.#registry],
  });
  readonly #polls = this.#gauge('fleet_long_polls_open', 'Requests that wait for a change');
  readonly #unknown = new Counter({
    name: 'fleet_unknown_fields_total',
    help: 'Requests with fields that this version does not know',
    labelNames: ['route'],
    registers: [this.#registry],
  });

  /** @param failed told why the database did not answer a scrape. */
  constructor(
    private readonly from: { db: Reader; longPolls: () => number },
    private readonly failed: (error: Error) => void,
  ) {
    collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** @param route pattern of the route: a path would make a series of each claim. */
  answered(method: string, route: string, status: number, ms: number): void {
    this.#requests.observe({ method, route, status }, ms / 1000);
  }

  /** A request had fields that are not known here. */
  hadUnknownFields(route: string): void {
    this.#unknown.inc({ route });
  }

  /** A roll that this process carried out. */
  readonly rolled = ({ group, kind, ms }: RollSeen): void => {
    this.#rolled.observe({ group, end: kind }, ms / 1000);
  };

  /** Tenants of a shard named their commits to this process. */
  readonly asked = (tenants: number): void => this.#asked.inc(tenants);

  /** What this process committed. */
  committed({ group, claims }: Committed): void {
    for (const { state, queuedAt, acquiredAt, endedAt, renewSeq } of claims) {
      const seconds = (from: Date, to: Date) => Math.max(0, (to.getTime() - from.getTime()) / 1000);
      if (state === 'held' && acquiredAt && renewSeq === 0)
        this.#waits.observe({ group }, seconds(queuedAt, acquiredAt));
      if (endedAt) this.#ends.inc({ group, state });
      if (endedAt && acquiredAt) this.#holds.observe({ group }, seconds(acquiredAt, endedAt));
    }
  }

  /** The text of one scrape. Answers without the database, too, and says so. */
  async text(): Promise<string> {
    this.#polls.set(this.from.longPolls());
    try {
      await this.read();
      this.#up.set(1);
    } catch (error) {
      this.failed(error as Error);
      this.#up.set(0);
      this.forget();
    }
    return this.#registry.metrics();
  }

  private async read(): Promise<void> {
    const [groups, rolls] = await Promise.all([
      this.from.db.rows<LiveGroup>({
        name: 'metrics-live',
        text: `SELECT group_name AS "group",
          count(*) FILTER (WHERE state = 'queued') AS queued,
          count(*) FILTER (WHERE state = 'held') AS held,
          coalesce(extract(epoch FROM now() - min(queued_at) FILTER (WHERE state = 'queued')), 0)::float8 AS longest_wait,
          coalesce(extract(epoch FROM now() - min(acquired_at) FILTER (WHERE state = 'held')), 0)::float8 AS hold
          FROM lock_claims WHERE state IN ('queued', 'held') GROUP BY group_name`,
      }),
      this.from.db.rows<{ group: string; open: number; unseen: number }>({
        name: 'metrics-rolls',
        text: `SELECT group_name AS "group", count(*) AS open, count(unseen) AS unseen FROM rolls WHERE ended_at IS NULL GROUP BY group_name`,
      }),
    ]);
    this.forget();
    for (const { group, queued, held, longest_wait, hold } of groups) {
      this.#queued.set({ group }, queued);
      this.#held.set({ group }, held);
      this.#longest.set({ group }, longest_wait);
      this.#hold.set({ group }, hold);
    }
    for (const { group, open, unseen } of rolls) {
      this.#rolls.set({ group }, open);
      this.#unseen.set({ group }, unseen);
    }
  }

  /** Groups that a scrape does not find are shown no more. */
  private forget(): void {
    for (const gauge of [this.#queued, this.#held, this.#longest, this.#hold, this.#rolls, this.#unseen])
      gauge.reset();
  }

  close(): void {
    this.#registry.clear();
  }

  #histogram(name: string, help: string, labelNames: string[], buckets?: number[]): Histogram {
    return new Histogram({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      ...(buckets && { buckets }),
    });
  }

  #gauge(name: string, help: string, ...labelNames: string[]): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] });
  }
}
