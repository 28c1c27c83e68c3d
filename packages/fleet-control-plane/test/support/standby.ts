/** A standby of a server, made from a copy of its folder. */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import { eventually } from './plane.js';

export interface Standby {
  /** Makes it the primary, as `pg_ctl promote` does. */
  promote(): Promise<EmbeddedDatabase>;
}

/**
 * Starts the copy of a server as its standby.
 *
 * @param primaryUrl the server that it follows; without one it only has what was copied.
 * @param start what started the server that was copied.
 */
export async function startStandby(
  folder: string,
  primaryUrl?: string,
  start: (folder: string) => Promise<EmbeddedDatabase> = startEmbedded,
): Promise<Standby> {
  const data = join(folder, 'pg');
  await writeFile(join(data, 'standby.signal'), '');
  if (primaryUrl) {
    const { hostname, port, username, password } = new URL(primaryUrl);
    const followed = `host=${hostname} port=${port} user=${username} password=${password} application_name=standby`;
    await appendFile(join(data, 'postgresql.auto.conf'), `primary_conninfo = '${followed}'\n`);
  }
  // It counts as started once it takes writes, so it is promoted meanwhile.
  const starting = start(folder);
  starting.catch(() => {});
  let pidFile = '';
  await eventually(async () => {
    pidFile = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
    // The folder has that word in its name, too: the state is a line of its own.
    return /^(standby|ready) *$/m.test(pidFile);
  }, 30_000);
  return {
    async promote() {
      await writeFile(join(data, 'promote'), '');
      process.kill(Number(pidFile.split('\n', 1)[0]), 'SIGUSR1');
      return starting;
    },
  };
}
