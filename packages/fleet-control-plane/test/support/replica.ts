import { randomUUID } from 'node:crypto';
import type { ClaimRequest } from '@tenant-fleet/fleet-core/contract';
import { afterAll, beforeAll } from 'vitest';
import { Database, type Query } from '../../src/db/database.js';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import { migrate } from '../../src/db/migrate.js';
import type { Draft } from '../../src/lock/rules/draft.js';
import * as transitions from '../../src/lock/rules/transitions.js';
import type { Committed } from '../../src/lock/store/notifications.js';
import { LockStore } from '../../src/lock/store/store.js';
import { ManualClock } from './clock.js';

/** A database for the tests of one file: the connections of its replicas. */
export function ownDatabase(): { readonly db: Database } {
  let server: EmbeddedDatabase;
  let db: Database;
  beforeAll(async () => {
    server = await startEmbedded();
    await migrate(server.url);
    db = new Database(server.url);
  });
  afterAll(async () => {
    await db.close();
    await server.close();
  });
  return {
    get db() {
      return db;
    },
  };
}

export interface Arriving {
  order?: { key: string; number: number };
  /** Most that may wait. */
  queue?: number;
  /** True: it may be written a little later, together with others. */
  patient?: boolean;
}

/** The lock of one replica. It hears nothing of others unless a test lets it. */
export class Replica {
  /** How many transitions had to lock and read first. */
  reads = 0;
  /** How many transitions were sent on what was remembered. */
  writes = 0;
  readonly heard: Committed[] = [];
  /** Sends a write that was decided on what is remembered; a test may come in between. */
  send = (query: Query): Promise<unknown[]> => this.db.rows(query);
  private readonly store: LockStore;

  constructor(
    private readonly db: Database,
    readonly group = `g${randomUUID()}`,
  ) {
    const counted = {
      rows: (query: Query) => {
        this.writes += 1;
        return this.send(query);
      },
      transaction: (read: Parameters<Database['transaction']>[0]) => {
        this.reads += 1;
        return db.transaction(read);
      },
    } as unknown as Database;
    this.store = new LockStore(counted, new ManualClock(), randomUUID(), (what) => this.heard.push(what));
  }

  async claim(claimId: string, { order, queue = 100, patient = false }: Arriving = {}) {
    const body: ClaimRequest = {
      session: 'session',
      ttl_seconds: 30,
      holder: { name: 'x' },
      ...(order && { order }),
    };
    const orderKey = order?.key;
    const decide = (draft: Draft) => transitions.claim(draft, claimId, body, { queue });
    const ask = { subject: claimId, orderKey, arrives: true };
    const guessed = await this.store.arrive(this.group, ask, decide, patient);
    if (guessed) return guessed.value;
    return this.store.transact(this.group, { subject: claimId, lock: [claimId], orderKey }, decide);
  }

  release(claimId: string) {
    const guess = { subject: claimId, arrives: false };
    return this.store.transact(this.group, { subject: claimId, guess, urgent: true }, (draft) =>
      transitions.release(draft, claimId, { session: 'session' }),
    );
  }

  follow(other: Replica) {
    for (const { group, change } of other.heard.splice(0)) this.store.follow(group, change);
  }

  /** Who holds, according to the database. */
  async held(): Promise<string[]> {
    const rows = await this.db.rows<{ claim_id: string }>({
      text: "SELECT claim_id FROM lock_claims WHERE group_name = $1 AND state = 'held'",
      values: [this.group],
    });
    return rows.map((row) => row.claim_id);
  }

  /** The audit log, one "kind claim" each. */
  async log(): Promise<string[]> {
    const rows = await this.db.rows<{ kind: string; claim_id: string }>({
      text: 'SELECT kind, claim_id FROM lock_events WHERE group_name = $1 ORDER BY seq',
      values: [this.group],
    });
    return rows.map(({ kind, claim_id }) => `${kind} ${claim_id}`);
  }
}
