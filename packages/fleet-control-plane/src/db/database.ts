import pg from 'pg';

/** A statement; with a `name` it is prepared once per connection. */
export interface Query {
  name?: string;
  text: string;
  values?: unknown[];
}

export interface Reader {
  /** The rows of one statement. Statements sent in the same tick travel together, in order. */
  rows<R>(query: Query): Promise<R[]>;
}

/** What a transaction still has to write, and what it answers once that is committed. */
export interface Commit<T> {
  writes: Query[];
  result: T;
}

// Tokens, versions and counters stay below 2^53, so a bigint column is a safe JavaScript number.
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, Number);

/** Longest wait for a row lock, in milliseconds; the client is told to come again. */
export const LOCK_TIMEOUT_MS = 2000;

export class Database implements Reader {
  private readonly pool: pg.Pool;

  /** @param url connection string; @param size most connections at a time, default 10. */
  constructor(
    readonly url: string,
    size = 10,
  ) {
    const config: pg.PoolConfig & { pipeline: boolean } = {
      connectionString: url,
      max: size,
      types,
      connectionTimeoutMillis: 2000,
      lock_timeout: LOCK_TIMEOUT_MS,
      statement_timeout: 10_000,
      idle_in_transaction_session_timeout: 10_000,
      application_name: 'fleet-control-plane',
      // Several statements in flight on one connection: a transition is two round trips, not six.
      pipeline: true,
    };
    this.pool = new pg.Pool(config);
    // An idle connection that dies is replaced at the next use; without a listener it would end the process.
    this.pool.on('error', () => {});
    // Every statement here looks up few rows by key: planning it anew each time would cost more than running it.
    this.pool.on('connect', (client) => {
      client.query('SET plan_cache_mode = force_generic_plan').catch(() => {});
    });
  }

  async rows<R>(query: Query): Promise<R[]> {
    return (await this.pool.query(query)).rows;
  }

  /** Runs `read` inside a transaction, then sends its writes and the commit in one go. */
  async transaction<T>(read: (tx: Reader) => Promise<Commit<T>>): Promise<T> {
    const client = await this.pool.connect();
    let broken: Error | undefined;
    const onError = (error: Error) => {
      broken = error;
    };
    client.on('error', onError);
    try {
      const begun = client.query('BEGIN');
      begun.catch(() => {});
      const { writes, result } = await read({
        rows: async (query) => (await client.query(query)).rows,
      });
      await begun;
      const sent = writes.map((write) => client.query(write));
      const committed = client.query('COMMIT');
      await Promise.all([...sent, committed]);
      // A failed transaction answers COMMIT with ROLLBACK instead of an error.
      if ((await committed).command !== 'COMMIT') throw new Error('the transaction was rolled back');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch((failure: Error) => {
        broken = failure;
      });
      throw error;
    } finally {
      client.removeListener('error', onError);
      client.release(broken);
    }
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}
