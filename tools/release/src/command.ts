/** Runs other programs. */
import { spawnSync } from 'node:child_process';
import { ReleaseError } from './errors.js';

export interface CommandOptions {
  cwd: string;
  /** Added to this process's environment. */
  env?: Record<string, string>;
  input?: string | Buffer;
}

export interface CommandResult {
  /** -1 where a signal ended the program. */
  code: number;
  stdout: string;
  stderr: string;
}

/** @throws ReleaseError `COMMAND` where the program cannot be started. */
export function attempt(command: string, args: readonly string[], options: CommandOptions): CommandResult {
  const done = spawnSync(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    input: options.input,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (done.error) {
    throw new ReleaseError('COMMAND', `${command} cannot be started`, `install ${command}`, {
      cause: done.error,
    });
  }
  return { code: done.status ?? -1, stdout: done.stdout, stderr: done.stderr };
}

/** Standard output without the last line break. @throws ReleaseError `COMMAND` on any exit code but 0. */
export function run(command: string, args: readonly string[], options: CommandOptions): string {
  const { code, stdout, stderr } = attempt(command, args, options);
  if (code === 0) return stdout.replace(/\n$/, '');
  const tail = `${stdout}\n${stderr}`.trim().split('\n').slice(-15).join('\n');
  throw new ReleaseError(
    'COMMAND',
    `${[command, ...args].join(' ')} ended with ${code}:\n${tail}`,
    'mend what it says, then run the same command again',
  );
}

/** Runs with its output shown as it comes: a silent job is taken for dead by some runners. */
export function show(command: string, args: readonly string[], cwd: string): void {
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1' };
  const done = spawnSync(command, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });
  if (done.status !== 0) {
    const line = [command, ...args].join(' ');
    throw new ReleaseError('COMMAND', `${line} failed`, 'its output is above', { cause: done.error });
  }
}

export const PNPM = ['npx', '-y', 'pnpm@10'] as const;
