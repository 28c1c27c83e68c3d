import { open } from 'node:fs/promises';
import pg from 'pg';

/** Rows that one transaction takes away: nothing may wait long for it. */
const BATCH = 5000;
/** Rollouts of a group that stay whatever their age: what the next run is held against, and may go back to. */
const KEPT_ROLLOUTS = 20;
const KEPT_PROVEN = 5;

/** What was taken away. */
export interface Pruned {
  events: number;
  claims: number;
  rollouts: number;
  rolls: number;
  /** That the server itself ran, with their events. */
  serverRollouts: number;
}

/** Rows of the audit log that may go, oldest first: the newest of each group stays. */
export interface OldEvents {
  group: string;
  rows: Record<string, unknown>[];
  through: number;
  head: string | null;
}

const OLD_EVENTS = `SELECT group_name AS "group", seq, at, kind, claim_id, fencing_token, actor, detail, prev, hash
  FROM lock_events WHERE group_name = $1 AND seq < $2
    AND at < now() - make_interval(days => $3)
  ORDER BY seq LIMIT ${BATCH}`;

/** Takes away what is old. Needs the role that owns the tables. */
export class Pruning {
  private readonly client: pg.Client;

  constructor(
    url: string,
    private readonly days: number,
  ) {
    const types = new pg.TypeOverrides();
    types.setTypeParser(pg.types.builtins.INT8, Number);
    this.client = new pg.Client({ connectionString: url, types, lock_timeout: 2000 });
    this.client.on('error', () => {});
  }

  connect = () => this.client.connect();
  close = () => this.client.end();

  /** Each group, with the last row of its audit log: that one stays, and what comes after it. */
  async groups(): Promise<{ name: string; last: number }[]> {
    return (await this.client.query('SELECT name, last_event AS last FROM lock_groups ORDER BY name')).rows;
  }

  /** The next old rows of a group; undefined where there are none. */
  async oldEvents(group: string, before: number): Promise<OldEvents | undefined> {
    const { rows } = await this.client.query(OLD_EVENTS, [group, before, this.days]);
    const last = rows.at(-1);
    return last && { group, rows, through: last.seq, head: last.hash };
  }

  /** Takes rows of the audit log away, once they stand in a file. */
  async dropEvents({ group, through }: OldEvents): Promise<number> {
    return this.transaction(async () => {
      // The trigger refuses everybody; whoever owns the table may switch it off, for this transaction alone.
      await this.client.query('ALTER TABLE lock_events DISABLE TRIGGER fleet_events_kept');
      const gone = await this.client.query('DELETE FROM lock_events WHERE group_name = $1 AND seq <= $2', [
        group,
        through,
      ]);
      await this.client.query('ALTER TABLE lock_events ENABLE TRIGGER fleet_events_kept');
      return gone.rowCount ?? 0;
    });
  }

  /**
   * Takes away ended rolls, rollouts and claims; the claim of the last token of each group stays, as do the marks.
   *
   * @param forget Takes away what is kept elsewhere of rollouts that the server ran.
   */
  dropRest(forget: (client: pg.ClientBase, ids: string[]) => Promise<void>): Promise<Omit<Pruned, 'events'>> {
    const old = (column: string) => `${column} < now() - make_interval(days => ${this.days})`;
    return this.transaction(async () => {
      const count = async (text: string) => (await this.client.query(text)).rowCount ?? 0;
      const rolls = await count(`DELETE FROM rolls WHERE ${old('ended_at')}`);
      const rollouts = await count(`DELETE FROM lock_rollouts r USING (
        SELECT group_name, claim_id,
          row_number() OVER (PARTITION BY group_name ORDER BY fencing_token DESC) AS age,
          row_number() OVER (PARTITION BY group_name, summary->>'outcome' LIKE 'succeeded%'
            ORDER BY fencing_token DESC) AS like_it, summary->>'outcome' LIKE 'succeeded%' AS proven
        FROM lock_rollouts) n, lock_claims c
        WHERE (n.group_name, n.claim_id) = (r.group_name, r.claim_id)
          AND (c.group_name, c.claim_id) = (r.group_name, r.claim_id) AND ${old('c.ended_at')}
          AND n.age > ${KEPT_ROLLOUTS} AND NOT (n.proven IS TRUE AND n.like_it <= ${KEPT_PROVEN})`);
      const claims = await count(`DELETE FROM lock_claims c WHERE ${old('ended_at')}
        AND NOT EXISTS (SELECT 1 FROM lock_rollouts r WHERE (r.group_name, r.claim_id) = (c.group_name, c.claim_id))
        AND token IS DISTINCT FROM (SELECT max(token) FROM lock_claims n WHERE n.group_name = c.group_name)`);
      const served = await this.client.query(
        `DELETE FROM rollouts WHERE state = 'ended' AND ${old('ended_at')} RETURNING id::text`,
      );
      await forget(
        this.client,
        served.rows.map(({ id }) => id),
      );
      return { rolls, rollouts, claims, serverRollouts: served.rows.length };
    });
  }

  private async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.client.query('BEGIN');
    try {
      const result = await work();
      await this.client.query('COMMIT');
      return result;
    } catch (error) {
      await this.client.query('ROLLBACK').catch(() => {});
      throw error;
    }
  }
}

/** Adds rows to a file, one JSON object a line, and returns when they are on the disk. */
export async function exportRows(file: string, rows: Record<string, unknown>[]): Promise<void> {
  const target = await open(file, 'a', 0o600);
  try {
    await target.writeFile(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    await target.sync();
  } finally {
    await target.close();
  }
}
