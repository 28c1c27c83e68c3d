/**
 * The guard of a command under a lock, started by {@link Guard}. Reads lines of `<process group> <until> <grace>`:
 * milliseconds of the machine's monotonic clock, and milliseconds from then until the lock may be somebody else's. Ends
 * the group where the next line is not there in time, or where whoever writes them is gone.
 */
import { createInterface } from 'node:readline';

let group = 0;
let until = 0;
let grace = 0;
let alarm: NodeJS.Timeout | undefined;

const now = () => Number(process.hrtime.bigint()) / 1e6;
const send = (signal: NodeJS.Signals) => {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
};

/** Ends the group at half of the grace: whoever is granted the lock next finds nothing of it. */
function end(softly: number): void {
  clearTimeout(alarm);
  if (!send('SIGTERM')) process.exit();
  alarm = setTimeout(
    () => {
      send('SIGKILL');
      process.exit();
    },
    Math.max(0, softly),
  );
}

createInterface({ input: process.stdin })
  .on('error', () => {})
  .on('line', (line) => {
    const first = group === 0;
    [group = 0, until = 0, grace = 0] = line.split(' ').map(Number);
    clearTimeout(alarm);
    // The watched process ends the group at the very end itself, and tells people why: it goes first.
    const late = until + grace / 4;
    alarm = setTimeout(() => end(until + grace / 2 - now()), Math.max(0, late - now()));
    if (first) process.stdout.write('watching\n');
  })
  .on('close', () => (group ? end(Math.min(1_000, until + grace / 2 - now())) : process.exit()));

// It ends with what it watches over, not with the rest of a service or a terminal.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
