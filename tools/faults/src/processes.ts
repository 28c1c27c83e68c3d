/** Processes of a round. All carry its mark in their PATH, which every child of theirs inherits. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface Process {
  child: ChildProcess;
  output: { stdout: string; stderr: string };
  /** Resolves when it is gone and its output is complete; false where a child of its own keeps that open. */
  ended: Promise<{ code: number | null; signal: string | null }>;
}

/** How long a dead process's output may stay open in the hands of its children. */
const STREAM_MS = 3000;

export function start(file: string, args: string[], mark: string, env: Record<string, string>): Process {
  const path = `${process.env.PATH}:/nonexistent/${mark}`;
  const child = spawn(process.execPath, [file, ...args], {
    cwd: '/',
    env: { PATH: path, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const ended = new Promise<{ code: number | null; signal: string | null }>((done) => {
    child.on('exit', (code, signal) => {
      const timer = setTimeout(() => done({ code, signal }), STREAM_MS);
      child.on('close', () => {
        clearTimeout(timer);
        done({ code, signal });
      });
    });
  });
  return { child, output, ended };
}

/** Waits for a moment at which something is so; false where it never comes. */
export async function until(check: () => boolean | Promise<boolean>, ms: number): Promise<boolean> {
  const end = Date.now() + ms;
  for (;;) {
    if (await check()) return true;
    if (Date.now() > end) return false;
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Command lines of all processes that carry a mark. Empty where the system does not show them (no /proc). */
export function marked(mark: string): { pid: number; command: string }[] {
  const found: { pid: number; command: string }[] = [];
  let pids: string[] = [];
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return found;
  }
  for (const pid of pids) {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(mark)) continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      // The dead that nobody reaps have no command line.
      if (command) found.push({ pid: Number(pid), command });
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}
