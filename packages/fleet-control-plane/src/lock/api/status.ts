import type { Clock } from '../../clock.js';
import type { Reader } from '../../db/database.js';
import type { Observer } from '../liveness/liveness.js';
import { unknownGroup } from '../rules/refusals.js';
import { readGroup, readGroupNames, readGroups } from '../store/queries.js';
import { statusTopic, type WakeHub } from '../waiting/long-polls.js';
import { SharedReads } from '../waiting/shared-reads.js';
import { Turns } from '../waiting/turns.js';
import { heldView, statusOf } from './views.js';

export interface StatusDeps {
  /** Connections that no claim, renewal or release waits for. */
  db: Reader;
  hub: WakeHub;
  observer: Observer;
  clock: Clock;
  /** Groups that the configuration names: they exist before their first claim. */
  named: ReadonlySet<string>;
}

interface Status {
  version: number;
  /** The answer, as JSON; null where nobody ever named the group. */
  text: string | null;
}

/** What everybody may look at. However many look, they cost one read at a time and keep no holder waiting. */
export class StatusService {
  private readonly reads = new SharedReads((group) => this.read(group));
  private readonly turns = new Turns();

  constructor(private readonly deps: StatusDeps) {}

  /**
   * The status as JSON; with `afterVersion` as soon as it is another one, after `waitSeconds` at the latest.
   *
   * @param mayName groups that the caller may be told of.
   * @throws {Problem} `unknown_group`.
   */
  async status(
    group: string,
    afterVersion: number | undefined,
    waitSeconds: number,
    signal: AbortSignal,
    mayName: (group: string) => boolean = () => true,
  ): Promise<string> {
    const { hub, clock, db, named } = this.deps;
    const until = clock.now() + waitSeconds * 1000;
    const ticket = hub.open(statusTopic(group));
    try {
      for (;;) {
        const { version, text } = await this.reads.get(group);
        if (text === null)
          throw unknownGroup(group, [...named, ...(await readGroupNames(db))].filter(mayName));
        await this.turns.take();
        const left = until - clock.now();
        // Only the very version that the caller has is waited on: a lower one means that the database was restored.
        if (afterVersion === undefined || version !== afterVersion || left <= 0 || signal.aborted)
          return text;
        await ticket.next(left, signal);
      }
    } finally {
      ticket.close();
    }
  }

  private async read(group: string): Promise<Status> {
    const { db, observer, clock, named } = this.deps;
    const view = await readGroup(db, group);
    if (!view.row && !named.has(group)) return { version: 0, text: null };
    const status = statusOf(group, view, observer, clock.now(), clock.wall());
    return { version: view.row?.version ?? 0, text: JSON.stringify(status) };
  }

  /** Every group that was ever named, by a claim or by the configuration. */
  async groups() {
    const { db, observer, clock, named } = this.deps;
    const rows = await readGroups(db);
    const silent = [...named].filter((name) => !rows.some((row) => row.name === name));
    return [
      ...rows.map(({ name, held, waiting, frozen, lastToken }) => ({
        group: name,
        held: held && heldView(held, observer, name, clock.now(), clock.wall()),
        queue_length: waiting,
        frozen,
        last_fencing_token: lastToken,
      })),
      ...silent.map((group) => ({ group, held: null, queue_length: 0, frozen: null, last_fencing_token: 0 })),
    ];
  }
}
