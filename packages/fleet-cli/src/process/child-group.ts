/** A command as a process group of its own, so that nothing of it outlives the lock under which it runs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodeOfSignal } from '../terminal/signals.js';
import { Guard, type Usable } from './guard.js';
import { startAtGate } from './starter.js';

/** What the command left running in its group has this long after a SIGTERM. */
const LEFTOVER_MS = 2_000;

export class ChildGroup {
  /** Exit code once every process of the group is gone: the command's own, 128+n for a signal, 126 or 127. */
  readonly ended: Promise<number>;
  /** Code of the system where the command could not be started. */
  problem: string | null = null;
  #group: number | null = null;
  /** A signal that came before the command was let go. */
  #stopped: NodeJS.Signals | null = null;
  #killed = false;

  /** @param lease Ends the group by a guard where it runs out; null where a parent that holds the lock does so. */
  constructor(command: readonly string[], env: NodeJS.ProcessEnv, lease: Usable | null) {
    this.problem = startProblem(command[0] ?? '', env.PATH);
    if (this.problem) this.ended = Promise.resolve(this.problem === 'ENOENT' ? 127 : 126);
    else this.ended = lease ? this.#runGuarded(command, env, lease) : this.#runPlain(command, env);
  }

  /** Sends a signal to the whole group; nothing happens where it is gone. */
  kill(name: NodeJS.Signals): void {
    this.#stopped ??= name;
    this.#send(name);
    this.#killed ||= name === 'SIGKILL';
  }

  #runPlain([command = '', ...args]: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
    return this.#exitOf(spawn(command, args, { env, stdio: 'inherit' }));
  }

  async #runGuarded(command: readonly string[], env: NodeJS.ProcessEnv, lease: Usable): Promise<number> {
    const child = startAtGate(command, env);
    const exited = this.#exitOf(child);
    const gate = child.stdio[3] as Writable;
    gate.on('error', () => {});
    const guard = new Guard(lease);
    try {
      const group = await firstLine(child.stdio[4] as Readable);
      if (group) await guard.watch(Number(group));
      // Nothing of the command has run yet: it is let go only once the guard knows of it.
      if (group && !this.#stopped) {
        this.#group = Number(group);
        gate.write('\n');
      }
      gate.end();
      const code = await exited;
      if (this.#stopped && this.#group === null) return exitCodeOfSignal(this.#stopped);
      await this.#endLeftovers();
      return code;
    } finally {
      gate.destroy();
      guard.end();
    }
  }

  #exitOf(child: ChildProcess): Promise<number> {
    return new Promise((resolve) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        this.problem = error.code ?? 'unknown reason';
        resolve(126);
      });
      child.once('exit', (code, signal) => resolve(signal ? exitCodeOfSignal(signal) : (code ?? 1)));
    });
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
    if (this.#group === null) return false;
    try {
      return process.kill(-this.#group, signal);
    } catch {
      return false;
    }
  }
}

/** The first line of a stream; empty where it ends before. */
function firstLine(stream: Readable): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    stream.on('data', (data) => {
      text += data;
      if (text.includes('\n')) resolve(text.trim());
    });
    stream.on('error', () => {}).once('close', () => resolve(''));
  });
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
