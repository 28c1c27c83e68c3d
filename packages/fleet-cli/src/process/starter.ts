/** How the command of a lock is started: as a process group of its own, with the terminal where there is one. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** Says its process id, which is that of its group, and starts the command once it is told to. */
const GATE = 'echo $$ >&4; read -r _ <&3 || exit; exec "$0" "$@" 3<&- 4>&-';
/**
 * Starts it as a job in the foreground of the terminal, as a shell does: /dev/tty is the command's (ssh, sudo, a
 * prompt), and so is Ctrl-C. It is never left suspended: the lock would be held by something that does nothing. Ctrl-Z it
 * ignores, as a shell that is stopped between vfork and exec hangs, and nobody is told; whatever else stops it is put back
 * into the foreground.
 */
const JOB = `trap : INT QUIT
saved=$(stty -g </dev/tty 2>/dev/null)
/bin/sh -c 'trap "" TSTP; ${GATE}' "$0" "$@"
code=$?
while jobs %% >/dev/null 2>&1; do
  echo 'not suspended: the command holds the lock' >&2
  fg >/dev/null 2>&1
  code=$?
done
if [ "$code" -gt 128 ] && [ -n "$saved" ]; then stty "$saved" </dev/tty 2>/dev/null; fi
exit "$code"`;

/** A command before its first step. Descriptor 4 says its group in one line; a line to descriptor 3 lets it go. */
export function startAtGate(command: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const terminal = isInForeground();
  return spawn('/bin/sh', [terminal ? '-mc' : '-c', terminal ? JOB : GATE, ...command], {
    env,
    stdio: ['inherit', 'inherit', 'inherit', 'pipe', 'pipe'],
    // Without a terminal a session of its own is what makes a group of its own.
    detached: !terminal,
  });
}

/** Whether this process has the terminal to give: it has one, and is no background job of it. */
function isInForeground(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r+'));
    const [group, foreground] = groupsOf(process.pid);
    return group !== undefined && group === foreground;
  } catch {
    return false;
  }
}

/** Process group of a process, and the group in the foreground of its terminal. */
function groupsOf(pid: number): (string | undefined)[] {
  if (process.platform === 'linux') {
    // The name of the program stands in brackets and may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return [group, foreground];
  }
  return execFileSync('ps', ['-o', 'pgid=,tpgid=', '-p', `${pid}`], { encoding: 'utf8' })
    .trim()
    .split(/\s+/);
}
