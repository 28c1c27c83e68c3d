import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { Database } from '../db/database.js';
import { type EmbeddedDatabase, startEmbedded } from '../db/embedded.js';
import { migrate } from '../db/migrate.js';
import * as transitions from '../lock/rules/transitions.js';
import { raiseFloor, readGroupNames } from '../lock/store/queries.js';
import { LockStore } from '../lock/store/store.js';

export interface RestoreSettings {
  databaseUrl?: string;
  /** Folder of the embedded server. */
  dataDir?: string;
  actor: string;
}

export type RestoreFlags = RestoreSettings;

export function restoreCommand(done: (flags: RestoreFlags) => void): Command {
  return new Command('restore-check')
    .description(
      'run once after the database was restored: raises the tokens above all that may have been granted',
    )
    .option('--database-url <url>', 'the restored PostgreSQL; else the variable DATABASE_URL')
    .option('--data-dir <folder>', 'the restored folder of an embedded server')
    .option('--actor <name>', 'who restored it, for the audit log', 'operator')
    .action(done);
}

/**
 * To run once after the database was restored from a backup: no fencing token that was granted after the backup is
 * granted again. Safe to repeat, also while servers run.
 *
 * @returns the groups whose tokens were raised.
 */
export async function restoreCheck({ databaseUrl, dataDir, actor }: RestoreSettings): Promise<string[]> {
  let embedded: EmbeddedDatabase | undefined;
  if (databaseUrl === undefined) embedded = await startEmbedded(dataDir);
  const url = databaseUrl ?? embedded?.url ?? '';
  try {
    await migrate(url);
    const db = new Database(url);
    try {
      const store = new LockStore(db, randomUUID(), []);
      // First of all, so that no group comes in between.
      await raiseFloor(db, actor);
      const groups = await readGroupNames(db);
      for (const group of groups)
        await store.transact(group, {}, (draft) => transitions.restore(draft, actor));
      return groups;
    } finally {
      await db.close();
    }
  } finally {
    await embedded?.close();
  }
}
