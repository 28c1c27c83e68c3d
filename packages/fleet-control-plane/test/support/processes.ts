/** Real processes that a test can stop and kill: the built control plane, and clients of the built library. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Order } from '@tenant-fleet/fleet-core/contract';
import { eventually, TOKEN } from './plane.js';

export const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const HISTORY_CLIENT = fileURLToPath(new URL('../fixtures/history-client.mjs', import.meta.url));
const CLIENT = fileURLToPath(new URL('../fixtures/lock-client.mjs', import.meta.url));

export interface Line {
  said?: string;
  [key: string]: unknown;
}

const running = new Set<JsonProcess>();

/** Ends every process that is left; for `afterEach` and `afterAll`. */
export async function endProcesses(): Promise<void> {
  await Promise.all([...running].map((process) => process.kill()));
}

/** A child that speaks JSON lines. */
export class JsonProcess {
  readonly lines: Line[] = [];
  readonly gone: Promise<unknown>;
  complaints = '';

  constructor(readonly child: ChildProcess) {
    running.add(this);
    this.gone = once(child, 'close').then(() => running.delete(this));
    child.stderr?.on('data', (chunk) => {
      this.complaints += chunk;
    });
    // A killed child takes no more input, and that is no fault of the test's.
    child.stdin?.on('error', () => {});
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) =>
      this.lines.push(JSON.parse(line)),
    );
  }

  find(said: string): Line | undefined {
    return this.lines.find((line) => line.said === said);
  }

  /** The first line that says so; waits for it. */
  async heard(said: string, ms = 15_000): Promise<Line> {
    let line: Line | undefined;
    await eventually(() => {
      line = this.find(said);
      return line !== undefined;
    }, ms).catch(() => {
      throw new Error(`never said ${said}: ${JSON.stringify(this.lines)} ${this.complaints}`);
    });
    return line as Line;
  }

  tell(command: Record<string, unknown>): void {
    this.child.stdin?.write(`${JSON.stringify(command)}\n`);
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Kills it as the kernel would, and waits until it is gone. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.gone;
  }
}

function start(file: string, args: string[]): JsonProcess {
  const env = { ...process.env, FLEET_CP_TOKEN: TOKEN, DATABASE_URL: '' };
  return new JsonProcess(spawn(process.execPath, [file, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] }));
}

export interface PlaneProcess {
  url: string;
  process: JsonProcess;
}

/** The built control plane on a database. */
export const startPlaneProcess = (databaseUrl: string, ...more: string[]): Promise<PlaneProcess> =>
  startPlaneOf(MAIN, databaseUrl, ...more);

/** The same of another build. @param main its `main.js`. */
export async function startPlaneOf(
  main: string,
  databaseUrl: string,
  ...more: string[]
): Promise<PlaneProcess> {
  const process = spawnPlane(main, databaseUrl, ...more);
  await Promise.race([
    eventually(() => process.lines.length > 0, 30_000),
    process.gone.then(() => Promise.reject(new Error('the control plane did not start'))),
  ]);
  return { url: String(process.lines[0]?.url), process };
}

export function spawnPlane(main: string, databaseUrl: string, ...more: string[]): JsonProcess {
  const flags = ['--json', '--stdin', '--request-limit', '0', '--database-url', databaseUrl];
  return start(main, [...flags, ...more]);
}

export interface ClientOptions {
  url: string;
  group: string;
  name?: string;
  ttlMs?: number;
  waitMs?: number;
  order?: Order;
  claimId?: string;
  /** Where rolls go; default: where the lock is. */
  rollUrl?: string;
}

/** A client process of the built library. */
export function startClient(options: ClientOptions): JsonProcess {
  return start(CLIENT, [JSON.stringify({ name: 'client', token: TOKEN, ...options })]);
}

/** A client process that holds the lock. */
export async function startHolder(options: ClientOptions): Promise<JsonProcess & { token: number }> {
  const process = startClient({ name: 'holder', ...options });
  const { token } = await process.heard('held');
  return Object.assign(process, { token: Number(token) });
}

/** A client process that waits in the queue. */
export async function startWaiter(options: ClientOptions): Promise<JsonProcess> {
  const process = startClient({ name: 'waiter', ...options });
  await process.heard('lock.waiting');
  return process;
}

/** A client process that uses the lock by itself and records what it does. */
export function startHistoryClient(options: Record<string, unknown>): JsonProcess {
  return start(HISTORY_CLIENT, [JSON.stringify(options)]);
}
