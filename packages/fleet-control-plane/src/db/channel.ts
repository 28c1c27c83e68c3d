import pg from 'pg';
import type { Clock } from '../clock.js';
import type { Reader } from './database.js';

export interface ChannelEvents {
  /** A connection was made, the first or a later one; what it throws ends that connection. */
  connected?(db: Reader): Promise<void>;
  /** A message of another process (its own are left out). */
  message(channel: string, payload: string): void;
  /** The connection is back after it was lost: messages may have been missed. */
  reconnected(): void;
}

/** A connection of its own that listens on PostgreSQL channels and comes back by itself. */
export class Channel {
  private client: pg.Client | undefined;
  private closed = false;
  private cancelRetry: (() => void) | undefined;

  constructor(
    private readonly url: string,
    private readonly names: readonly string[],
    private readonly clock: Clock,
    private readonly events: ChannelEvents,
  ) {}

  /** @throws when the first connection fails; later ones are retried every 500 ms. */
  async open(): Promise<void> {
    await this.connect();
  }

  private async connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.url,
      connectionTimeoutMillis: 2000,
      keepAlive: true,
      application_name: 'fleet-control-plane listen',
    });
    let lost = false;
    const onLost = () => {
      if (lost) return;
      lost = true;
      if (this.client === client) {
        this.client = undefined;
        this.retry();
      }
      client.end().catch(() => {});
    };
    client.on('error', onLost);
    client.on('end', onLost);
    client.on('notification', ({ channel, payload }) => this.events.message(channel, payload ?? ''));
    try {
      await client.connect();
      await this.events.connected?.({ rows: async (query) => (await client.query(query)).rows });
      for (const name of this.names) await client.query(`LISTEN ${name}`);
    } catch (error) {
      lost = true;
      client.end().catch(() => {});
      throw error;
    }
    this.client = client;
    if (this.closed) await this.close();
  }

  private retry(): void {
    if (this.closed) return;
    this.cancelRetry = this.clock.after(500, () => {
      this.connect().then(
        () => this.events.reconnected(),
        () => this.retry(),
      );
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.cancelRetry?.();
    const client = this.client;
    this.client = undefined;
    await client?.end().catch(() => {});
  }
}
