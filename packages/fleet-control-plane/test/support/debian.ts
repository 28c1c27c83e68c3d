/** PostgreSQL as Debian packages it, where it is installed; else the embedded one, which is another version. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EmbeddedDatabase, freePort, startEmbedded } from '../../src/db/embedded.js';
import { guardChild } from '../../src/db/orphan-guard.js';
import { eventually, sql } from './plane.js';

const PACKAGES = '/usr/lib/postgresql';
const PASSWORD = 'password-of-a-test';

/** Folder of its programs: `FLEET_TEST_POSTGRES`, or the newest that Debian installed; undefined: the embedded one. */
export const debianPrograms = (): string | undefined => {
  if (process.env.FLEET_TEST_POSTGRES) return process.env.FLEET_TEST_POSTGRES;
  const versions = existsSync(PACKAGES) ? readdirSync(PACKAGES).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((one) => join(PACKAGES, one, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
};

/**
 * Starts a server on a folder, which keeps its data in `pg` and is made where it is not there. It counts as started once it
 * takes writes.
 */
export async function startPostgres(folder: string): Promise<EmbeddedDatabase> {
  const bin = debianPrograms();
  if (!bin) return startEmbedded(folder);
  const data = join(folder, 'pg');
  const user = account();
  if (!existsSync(join(data, 'PG_VERSION'))) {
    mkdirSync(data, { recursive: true });
    if ('uid' in user) chownSync(data, user.uid, user.gid);
    const secret = join(folder, 'password');
    writeFileSync(secret, PASSWORD);
    chmodSync(secret, 0o644);
    const flags = [
      '--auth=scram-sha-256',
      '--username=fleet',
      `--pwfile=${secret}`,
      '--no-sync',
      '--encoding=UTF8',
    ];
    execFileSync(join(bin, 'initdb'), [`--pgdata=${data}`, ...flags, '--no-locale'], {
      ...user,
      stdio: 'pipe',
    });
  }
  return running(bin, data, user, await freePort());
}

async function running(bin: string, data: string, user: Account, port: number): Promise<EmbeddedDatabase> {
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'shared_buffers=32MB',
    'jit=off',
  ];
  const flags = ['-D', data, '-p', `${port}`, ...settings.flatMap((one) => ['-c', one])];
  const url = `postgres://fleet:${PASSWORD}@127.0.0.1:${port}/postgres`;
  const launch = async () => {
    const child = spawn(join(bin, 'postgres'), flags, { ...user, stdio: 'ignore' });
    const writes = () =>
      sql<{ standby: boolean }>(url, 'SELECT pg_is_in_recovery() AS standby').then(
        ([row]) => row?.standby === false,
        () => false,
      );
    const release = guardChild(child.pid as number, undefined);
    child.once('exit', release);
    await eventually(writes, 120_000);
    return child;
  };
  let child = await launch();
  const end = async (name: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(name);
    await gone;
  };
  return {
    url,
    stop: () => end('SIGINT'),
    kill: () => end('SIGKILL'),
    start: async () => {
      child = await launch();
    },
    close: () => end('SIGINT'),
  };
}

type Account = { uid: number; gid: number } | Record<string, never>;

/** PostgreSQL does not run as root. */
function account(): Account {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}

/** What {@link startPostgres} starts, in words. */
export function postgresInUse(): string {
  const bin = debianPrograms();
  return bin
    ? `${execFileSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' }).trim()}, ${bin}`
    : 'the embedded PostgreSQL';
}
