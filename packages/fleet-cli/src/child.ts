/** A command as a process group of its own, so that nothing of it outlives the lock under which it runs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodeOfSignal } from './signals.js';

/** What the command left running in its group has this long after a SIGTERM. */
const LEFTOVER_MS = 2_000;

/**
 * Ends the group when this process is gone without a word (SIGKILL): its standard input then ends. A lease lives at
 * least 2 s and is renewed at a third of that, so a second is well before anybody else can be granted the lock.
 */
const GUARD =
  'read -r group || exit 0; read -r _; kill -s TERM -- "-$group" 2>/dev/null && sleep 1 && kill -s KILL -- "-$group" 2>/dev/null';

export class ChildGroup {
  /** Exit code once every process of the group is gone: the command's own, 128+n for a signal, 126 or 127. */
  readonly ended: Promise<number>;
  /** Code of the system where the command could not be started. */
  problem: string | null = null;
  readonly #child: ChildProcess;
  readonly #own: boolean;
  #killed = false;

  /** @param ownGroup False where a parent that holds the lock already ends everything of the group. */
  constructor([command = '', ...args]: readonly string[], env: NodeJS.ProcessEnv, ownGroup: boolean) {
    this.#own = ownGroup;
    // Before the command: whoever kills this process right after it has started must find the guard on its post.
    const guard = ownGroup ? startGuard() : null;
    this.#child = spawn(command, args, { env, stdio: 'inherit', detached: ownGroup });
    if (this.#child.pid === undefined) guard?.stdin?.end();
    else guard?.stdin?.write(`${this.#child.pid}\n`);
    this.ended = this.#end(guard);
  }

  /** Sends a signal to the whole group; nothing happens where it is gone. */
  kill(name: NodeJS.Signals): void {
    if (this.#own) this.#send(name);
    this.#killed ||= name === 'SIGKILL';
  }

  async #end(guard: ChildProcess | null): Promise<number> {
    const { pid } = this.#child;
    const closed = new Promise<number>((resolve) => {
      this.#child.once('error', (error: NodeJS.ErrnoException) => {
        this.problem = error.code ?? 'unknown reason';
        resolve(error.code === 'ENOENT' ? 127 : 126);
      });
      this.#child.once('exit', (code, signal) => resolve(signal ? exitCodeOfSignal(signal) : (code ?? 1)));
    });
    if (pid === undefined || !guard) return closed;
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
    const { pid } = this.#child;
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
