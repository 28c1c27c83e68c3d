/**
 * The lease of `lock run` as its children get at it: a socket in a folder of its own, which only this user can open.
 * A child asks in one line. `turn` is answered with `go` once no other child has its turn, which ends with the
 * connection. `secrets` is answered with them as JSON, so that they need not stand in the environment of everything
 * that the command starts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { FleetError } from '@tenant-fleet/fleet-core';
import { type Env, SETTINGS } from '@tenant-fleet/fleet-core/config';
import type { Lender } from '@tenant-fleet/fleet-core/program';

/** Names the socket in the environment of a command under the lock. */
const SOCKET = 'FLEET_LOCK_SOCKET';
/** What fleet reads from the environment and nobody else is to see. */
const SECRETS: readonly string[] = SETTINGS.filter(({ kind }) => kind === 'secret').flatMap(({ env }) => env);

/** The parent's end. */
export class LentLease {
  readonly #server: Server;
  readonly #path = join(mkdtempSync(join(tmpdir(), 'fleet-')), 'lease');
  readonly #waiting: Socket[] = [];
  readonly #open = new Set<Socket>();

  /** Private: what only children are told. */
  readonly #secrets: Env;

  private constructor(secrets: Env) {
    this.#secrets = secrets;
    this.#server = createServer((socket) => this.#serve(socket)).unref();
  }

  /**
   * @param env Environment of this process, whose secrets the children may ask for.
   * @param session Opens the record of the claim to the children.
   */
  static async open(env: Env, session: string): Promise<LentLease> {
    const secrets = Object.fromEntries(SECRETS.map((name) => [name, env[name]]));
    const lent = new LentLease({ ...secrets, FLEET_LOCK_SESSION: session });
    await new Promise<void>((resolve, reject) => {
      lent.#server.once('error', reject).listen(lent.#path, resolve);
    });
    return lent;
  }

  /** The environment of a child: without secrets, with the way to the lease. */
  childEnv(env: Env, keepSecrets: boolean): Env {
    const kept = Object.entries(env).filter(([name]) => keepSecrets || !SECRETS.includes(name));
    return { ...Object.fromEntries(kept), [SOCKET]: this.#path };
  }

  /** Takes the lease back: a child that has its turn sees it end. */
  close(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    rmSync(dirname(this.#path), { recursive: true, force: true });
  }

  #serve(socket: Socket): void {
    this.#open.add(socket);
    socket
      .on('error', () => {})
      .once('close', () => {
        this.#open.delete(socket);
        const [first] = this.#waiting;
        const place = this.#waiting.indexOf(socket);
        if (place >= 0) this.#waiting.splice(place, 1);
        if (first === socket) this.#waiting[0]?.write('go\n');
      });
    linesOf(socket).on('line', (asked) => {
      if (asked === 'secrets') socket.end(`${JSON.stringify(this.#secrets)}\n`);
      if (asked === 'turn' && this.#waiting.push(socket) === 1) socket.write('go\n');
    });
  }
}

/** The child's end: the parent that lends its lease to this process, where there is one. */
export function lenderOf({ [SOCKET]: path }: Env): Lender | undefined {
  if (!path) return undefined;
  return {
    async turn(signal) {
      const socket = createConnection(path);
      const lost = new AbortController();
      const gone = new FleetError('LOCK_LOST', `the fleet lock run around this has ended (${SOCKET})`, {
        outcome: 'lock_lost',
        next: `unset FLEET_LOCK_FENCE and ${SOCKET} to take a lock of its own`,
      });
      socket.on('error', () => {}).once('close', () => lost.abort(gone));
      socket.write('turn\n');
      try {
        await firstLine(socket, AbortSignal.any([signal, lost.signal]));
      } catch (error) {
        socket.destroy();
        throw error;
      }
      return { lost: lost.signal, end: () => void socket.destroy() };
    },
  };
}

/** The environment of this process, with the secrets that its parent keeps for it. */
export async function environment(): Promise<Env> {
  const { [SOCKET]: path } = process.env;
  if (!path) return process.env;
  const socket = createConnection(path);
  const over = new AbortController();
  socket.on('error', () => {}).once('close', () => over.abort());
  socket.write('secrets\n');
  // A parent that is gone has none; what is missing then is named as anywhere else.
  const kept = await firstLine(socket, over.signal).then(JSON.parse, () => ({}));
  socket.destroy();
  return { ...kept, ...process.env };
}

/** What goes wrong with the connection is told by its end; the lines would tell it once more. */
const linesOf = (socket: Socket) => createInterface({ input: socket }).on('error', () => {});

function firstLine(socket: Socket, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    linesOf(socket).once('line', resolve);
  });
}
