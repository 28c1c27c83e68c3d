/** Single keys of the person who watches. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Hears keys until it is stopped.
 *
 * @param suspend Called where the person asks for the shell (Ctrl-Z), before the process is stopped.
 */
export function hearKeys(on: (key: string) => void, suspend: () => void): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) return () => {};
  const hear = (chunk: Buffer) => {
    for (const key of chunk.toString()) {
      // A terminal in raw mode makes no signals of keys.
      if (key === '\u0003') process.kill(process.pid, 'SIGINT');
      else if (key === '\u001c') process.kill(process.pid, 'SIGQUIT');
      else if (key === '\u001a') suspend();
      else on(key);
    }
  };
  stdin.setRawMode(true);
  stdin.on('data', hear);
  stdin.resume();
  return () => {
    stdin.off('data', hear);
    stdin.setRawMode(false);
    stdin.pause();
  };
}

/** A process in the background that sets up the terminal is stopped by the system, and its lease runs out. */
export function isInForeground(): boolean {
  try {
    const [group, foreground] = jobOf(process.pid);
    return group === foreground;
  } catch {
    return false;
  }
}

/** Its process group, and the one that has the terminal. */
function jobOf(pid: number): string[] {
  if (process.platform === 'linux') {
    // The name of the program comes before, in brackets, and may have anything in it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return [`${fields[2]}`, `${fields[5]}`];
  }
  return execFileSync('ps', ['-o', 'pgid=,tpgid=', '-p', `${pid}`], { encoding: 'utf8' })
    .trim()
    .split(/\s+/);
}
