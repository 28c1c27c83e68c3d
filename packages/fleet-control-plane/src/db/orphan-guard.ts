import { spawn } from 'node:child_process';

// Ends the server when the pipe from our process closes without a word, which is what SIGKILL leaves behind.
const SCRIPT = `trap '' INT TERM HUP
if read -r word; then exit 0; fi
kill -INT "$1" 2>/dev/null
tries=0
while [ $tries -lt 100 ] && kill -0 "$1" 2>/dev/null; do tries=$((tries + 1)); sleep 0.1; done
if [ -n "$2" ]; then rm -rf -- "$2"; fi`;

/**
 * Watches over a child that would outlive a killed parent: ends it, and removes its folder. On Windows, where there is
 * no such shell, it does nothing.
 *
 * @returns a function that calls the watch off.
 */
export function guardChild(pid: number, folder: string | undefined): () => void {
  if (process.platform === 'win32') return () => {};
  const guard = spawn('/bin/sh', ['-c', SCRIPT, 'guard', String(pid), folder ?? ''], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: process.env.PATH },
    detached: true,
  });
  guard.on('error', () => {});
  guard.stdin.on('error', () => {});
  guard.unref();
  // A pipe that keeps the event loop alive would keep a finished program from ending.
  (guard.stdin as unknown as { unref?: () => void }).unref?.();
  return () => guard.stdin.end('done\n');
}
