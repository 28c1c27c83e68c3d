/**
 * Who uses the schema. Every server holds a shared lock of PostgreSQL for as long as it lives; who wants to take away what
 * older ones use needs it alone, and asks them to stop. PostgreSQL itself frees the lock of a server that died.
 */
import { type Clock, sleep } from '../clock.js';
import { Channel } from './channel.js';
import type { Reader } from './database.js';
import { besideNobody, outdatedBy, SCHEMA_IN_USE } from './migrate.js';

const CHANNEL = 'fleet_step_down';
const ASK_EVERY_MS = 500;

/** Asks all who use the schema to step down, again and again, until they are gone. */
export function askedToStepDown(clock: Clock, log: (line: string) => void) {
  return async (db: Reader, migration: string): Promise<void> => {
    if (await besideNobody(db)) return;
    log(
      `older servers of this database do not survive the migration ${migration}: asks them to stop, and waits`,
    );
    do {
      await db.rows({ text: 'SELECT pg_notify($1, $2)', values: [CHANNEL, migration] });
      await sleep(clock, ASK_EVERY_MS);
    } while (!(await besideNobody(db)));
    log('the older servers are gone');
  };
}

/**
 * Uses the schema until it is closed.
 *
 * @param stepDown called, maybe more than once, with why this server has to go.
 * @throws where the schema is newer than this version, or about to be.
 */
export async function useSchema(
  url: string,
  clock: Clock,
  stepDown: (why: string) => void,
): Promise<Channel> {
  let started = false;
  const gone = (why: string) => {
    if (!started) throw new Error(`${why} Start a server of that version.`);
    stepDown(why);
  };
  const channel = new Channel(url, [CHANNEL], clock, {
    async connected(db) {
      const [row] = await db.rows<{ shared: boolean }>({
        text: 'SELECT pg_try_advisory_lock_shared($1) AS shared',
        values: [SCHEMA_IN_USE],
      });
      if (!row?.shared) gone('A newer version is changing the schema of this database.');
      const newer = await outdatedBy(db);
      if (newer.length > 0) gone(`The database has the schema of a newer version (${newer.join(', ')}).`);
    },
    message: (_channel, migration) =>
      stepDown(`A newer version waits with the migration ${migration} until this server is gone.`),
    reconnected() {},
  });
  await channel.open();
  started = true;
  return channel;
}
