/** A command as a process group of its own, so that nothing of it outlives the lock under which it runs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodeOfSignal } from '../terminal/signals.js';

/** What the command left running in its group has this long after a SIGTERM. */
const LEFTOVER_MS = 2_000;

/**
 * Ends the group when this process is gone without a word (SIGKILL): its standard input then ends. A lease lives at
 * least 2 s and is renewed at a third of that, so a second is well before anybody else can be granted the lock.
 */
const GUARD =
  'read -r group || exit 0; read -r _; kill -s TERM -- "-$group" 2>/dev/null && sleep 1 && kill -s KILL -- "-$group" 2>/dev/null';

/** Starts the command only once the guard knows of it: where this process dies before, it is never started. */
const GATE = 'read -r _ <&3 || exit; exec "$0" "$@" 3<&-';

export class ChildGroup {
  /** Exit code once every process of the group is gone: the command's own, 128+n for a signal, 126 or 127. */
  readonly ended: Promise<number>;
  /** Code of the system where the command could not be started. */
  problem: string | null = null;
  readonly #child: ChildProcess | null;
  readonly #own: boolean;
  #killed = false;

  /** @param ownGroup False where a parent that holds the lock already ends everything of the group. */
  constructor([command = '', ...args]: readonly string[], env: NodeJS.ProcessEnv, ownGroup: boolean) {
    this.#own = ownGroup;
    this.problem = startProblem(command, env.PATH);
    if (!ownGroup || this.problem) {
      this.#child = this.problem ? null : spawn(command, args, { env, stdio: 'inherit' });
      this.ended = this.#end(null);
      return;
    }
    const guard = startGuard();
    this.#child = spawn('/bin/sh', ['-c', GATE, command, ...args], {
      env,
      stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
      detached: true,
    });
    guard.stdin?.write(`${this.#child.pid}\n`);
    (this.#child.stdio[3] as Writable).on('error', () => {}).end('\n');
    this.ended = this.#end(guard);
  }

  /** Sends a signal to the whole group; nothing happens where it is gone. */
  kill(name: NodeJS.Signals): void {
    if (this.#own) this.#send(name);
    this.#killed ||= name === 'SIGKILL';
  }

  async #end(guard: ChildProcess | null): Promise<number> {
    const child = this.#child;
    if (!child) return this.problem === 'ENOENT' ? 127 : 126;
    const closed = new Promise<number>((resolve) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        this.problem = error.code ?? 'unknown reason';
        resolve(126);
      });
      child.once('exit', (code, signal) => resolve(signal ? exitCodeOfSignal(signal) : (code ?? 1)));
    });
    if (!guard) return closed;
    const code = await closed;
    await this.#endLeftovers();
    guard.kill('SIGKILL');
    return code;
  }

  async #endLeftovers(): Promise<void> {
    if (!this.#send('SIGTERM')) return;
    for (let waited = 0; waited < LEFTOVER_MS; waited += 50) {
      await sleep(50);
      // The dead stay in their group until somebody reaps them, which in many a container nobody does.
      if (this.#killed || !this.#send(0)) return;
    }
    this.#send('SIGKILL');
  }

  #send(signal: NodeJS.Signals | 0): boolean {
    const pid = this.#child?.pid;
    if (pid === undefined) return false;
    try {
      return process.kill(-pid, signal);
    } catch {
      return false;
    }
  }
}

/** Waits to be told a process group, and ends it when this process is gone. */
function startGuard(): ChildProcess {
  const guard = spawn('/bin/sh', ['-c', GUARD], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: process.env.PATH },
    cwd: '/',
    detached: true,
  });
  guard.on('error', () => {});
  guard.stdin.on('error', () => {});
  return guard;
}

/** Code of the system with which the command could not be started; null where it can. */
function startProblem(command: string, path = ''): string | null {
  const files = command.includes('/')
    ? [command]
    : path.split(':').map((folder) => join(folder || '.', command));
  let problem = 'ENOENT';
  for (const file of files) {
    try {
      if (!statSync(file).isFile()) continue;
      problem = 'EACCES';
      accessSync(file, constants.X_OK);
      return null;
    } catch {
      // The next folder may have it.
    }
  }
  return problem;
}
