import { randomUUID } from 'node:crypto';
import { Command, InvalidArgumentError } from 'commander';
import { Database } from '../db/database.js';
import { migrate } from '../db/migrate.js';
import { exportRows, type Pruned, Pruning } from '../db/prune.js';
import * as transitions from '../lock/rules/transitions.js';
import { LockStore } from '../lock/store/store.js';
import { forgetSteps } from '../rollouts/engine.js';

/** Late requests of ended claims are refused by what is known of them. */
const KEEP_DAYS_MIN = 7;

export interface PruneFlags {
  keepDays: number;
  export: string;
  databaseUrl?: string;
  actor: string;
}

export interface PruneSettings extends PruneFlags {
  databaseUrl: string;
}

const days = (text: string) => {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (value < KEEP_DAYS_MIN) throw new InvalidArgumentError(`must be ${KEEP_DAYS_MIN} or more days.`);
  return value;
};

export function pruneCommand(done: (flags: PruneFlags) => void): Command {
  return new Command('prune')
    .description(
      'take away what is older than --keep-days; the rows of the audit log go into --export before',
    )
    .requiredOption('--keep-days <n>', `how many days stay, at least ${KEEP_DAYS_MIN}`, days)
    .requiredOption(
      '--export <file>',
      'file that the rows of the audit log are added to, one JSON object a line',
    )
    .option(
      '--database-url <url>',
      'PostgreSQL, as the role that owns the tables; else the variable DATABASE_URL',
    )
    .option('--actor <name>', 'who prunes, for the audit log', 'operator')
    .action(done);
}

/** Takes away what is old, while servers run. What it is cut off in is whole, and the next call goes on with. */
export async function prune({ databaseUrl, keepDays, export: file, actor }: PruneSettings): Promise<Pruned> {
  await migrate(databaseUrl);
  const db = new Database(databaseUrl, 2);
  const pruning = new Pruning(databaseUrl, keepDays);
  try {
    await pruning.connect();
    const store = new LockStore(db, randomUUID(), []);
    let events = 0;
    for (const { name: group, last } of await pruning.groups()) {
      for (;;) {
        const old = await pruning.oldEvents(group, last);
        if (!old) break;
        await exportRows(file, old.rows);
        const { through, head } = old;
        await store.transact(group, {}, (draft) => transitions.prune(draft, actor, { through, head }));
        events += await pruning.dropEvents(old);
      }
    }
    return { events, ...(await pruning.dropRest(forgetSteps)) };
  } finally {
    await pruning.close();
    await db.close();
  }
}
