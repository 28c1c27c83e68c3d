/** PostgreSQL for all rounds, with a database of its own for each. */
import { type EmbeddedDatabase, startEmbedded } from '@tenant-fleet/fleet-control-plane';
import pg from 'pg';
import { until } from './processes.js';

export class Server {
  /** Ends the restart that is under way before the next one begins. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(private readonly embedded: EmbeddedDatabase) {}

  static async start(): Promise<Server> {
    return new Server(await startEmbedded());
  }

  get password(): string {
    return new URL(this.embedded.url).password;
  }

  /** @returns URL of a fresh database. */
  async createDatabase(name: string): Promise<string> {
    await this.#admin(`CREATE DATABASE ${name}`);
    return this.embedded.url.replace(/\/[^/]*$/, `/${name}`);
  }

  async dropDatabase(name: string): Promise<void> {
    await this.#admin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  }

  /** Ends the server as a crash or an operator would, and starts it again. */
  restart(how: 'kill' | 'stop', downMs: number): Promise<void> {
    const turn = this.#turn.then(async () => {
      await this.embedded[how]();
      await new Promise((done) => setTimeout(done, downMs));
      await this.embedded.start();
    });
    this.#turn = turn;
    return turn;
  }

  /** A pool whose connections may die. */
  pool(url: string): pg.Pool {
    const pool = new pg.Pool({ connectionString: url, max: 6, connectionTimeoutMillis: 3000 });
    pool.on('error', () => {});
    return pool;
  }

  async close(): Promise<void> {
    await this.#turn.catch(() => {});
    await this.embedded.close();
  }

  async #admin(text: string): Promise<void> {
    let problem: unknown;
    const done = await until(async () => {
      const client = new pg.Client({ connectionString: this.embedded.url });
      client.on('error', () => {});
      try {
        await client.connect();
        await client.query(text);
        return true;
      } catch (error) {
        problem = error;
        return false;
      } finally {
        await client.end().catch(() => {});
      }
    }, 20_000);
    if (!done) throw problem;
  }
}
