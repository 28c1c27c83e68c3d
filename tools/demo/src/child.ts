/** A child process in a process group of its own: Ctrl-C reaches this process alone, which then ends all in order. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';

export interface Child {
  process: ChildProcess;
  /** Exit code once it has ended, 128 + N after a signal. Never rejects. */
  ended: Promise<number>;
  /** Asks it to end, once: a second signal would cut its orderly end short. */
  stop(name: NodeJS.Signals): void;
  /** Ends it and whatever is left of its group, at once. */
  kill(): void;
}

export function startChild(
  file: string,
  args: string[],
  options: { env: NodeJS.ProcessEnv; cwd: string; stdio: StdioOptions },
): Child {
  const child = spawn(process.execPath, [file, ...args], { ...options, detached: true });
  const ended = new Promise<number>((resolve) => {
    child.once('error', () => resolve(127));
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)));
  });
  const send = (pid: number, name: NodeJS.Signals) => {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended meanwhile, which is what was wanted.
    }
  };
  let asked = false;
  return {
    process: child,
    ended,
    stop: (name) => {
      if (asked || child.exitCode !== null || child.signalCode !== null || !child.pid) return;
      asked = true;
      send(child.pid, name);
    },
    kill: () => {
      if (child.pid) send(-child.pid, 'SIGKILL');
    },
  };
}

/** What a child says in its first line on stdout; rejects with its errors where it ends before. */
export function firstLine(child: Child): Promise<string> {
  const { stdout, stderr } = child.process;
  return new Promise((resolve, reject) => {
    let [output, errors] = ['', ''];
    stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const end = output.indexOf('\n');
      if (end >= 0) resolve(output.slice(0, end));
    });
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-2000);
    });
    child.ended.then((code) => reject(new Error(errors.trim() || `it ended with code ${code}`)));
  });
}

/** Waits for a child that was asked to end; ends it by force after `ms`. */
export async function endedWithin(child: Child, ms: number): Promise<void> {
  const timer = setTimeout(() => child.kill(), ms);
  await child.ended;
  clearTimeout(timer);
}
