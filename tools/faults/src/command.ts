/** Runs one command of the script as a process, and hurts it as the script says. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Run } from './history.js';
import { GROUP } from './plane.js';
import { start } from './processes.js';
import type { Blow, Command, Script, Task } from './script.js';

const CLI = join(
  dirname(fileURLToPath(import.meta.resolve('@tenant-fleet/fleet-cli/package.json'))),
  'dist/cli.js',
);

/** Limit of a run by its own `--timeout`, and what it may take beyond that to start, to release and to report. */
export const TIMEOUT_SECONDS = 20;
const SLACK_MS = 20_000;

export interface Surroundings {
  mark: string;
  token: string;
  script: Script;
  /** Base URL of the control plane that this command is given. */
  controlPlane: string;
  /** Tenant URL template. */
  tenants: string;
}

export async function run(command: Command, around: Surroundings, hit: (kind: string) => void): Promise<Run> {
  const started = Date.now();
  const process = start(CLI, argumentsOf(command, around), around.mark, { FLEET_CP_TOKEN: around.token });
  const outcome: Run = {
    command,
    started,
    ended: 0,
    code: null,
    signal: null,
    stdout: '',
    stderr: '',
    blow: null,
    overdue: false,
  };
  const timers: NodeJS.Timeout[] = [];
  const later = (ms: number, what: () => void) => timers.push(setTimeout(what, ms));
  const strike = ({ kind, forMs }: Blow) => {
    outcome.blow = { kind, at: Date.now() };
    hit(`command-${kind}`);
    process.child.kill(({ kill: 'SIGKILL', stop: 'SIGSTOP', term: 'SIGTERM', int: 'SIGINT' } as const)[kind]);
    if (kind === 'stop') later(forMs, () => process.child.kill('SIGCONT'));
  };
  const { blow } = command;
  if (blow) later(blow.atMs, () => strike(blow));
  later(limitOf(command.task) + (blow?.kind === 'stop' ? blow.forMs : 0), () => {
    outcome.overdue = true;
    process.child.kill('SIGKILL');
  });
  const { code, signal } = await process.ended;
  for (const timer of timers) clearTimeout(timer);
  return Object.assign(outcome, { ended: Date.now(), code, signal, ...process.output });
}

const limitOf = (task: Task) =>
  TIMEOUT_SECONDS * 1000 + SLACK_MS + (task.kind === 'lock-run' ? task.forMs : 0);

function argumentsOf(
  { task, run: name }: Command,
  { script, controlPlane, tenants }: Surroundings,
): string[] {
  const plane = ['--control-plane', controlPlane];
  const lock = ['--lock-group', GROUP];
  const wait = ['--lock-ttl', `${script.ttlSeconds}s`, '--lock-wait', `${TIMEOUT_SECONDS - 5}s`];
  const fleet = [
    '--tenant-url',
    tenants,
    '--probe-timeout',
    '2s',
    '--timeout',
    `${TIMEOUT_SECONDS}s`,
    '--json',
  ];
  const reason = ['--reason', `${name} says so`];
  switch (task.kind) {
    case 'redeploy':
    case 'rollback': {
      const { image, order, strategy, batch, canary, stragglers, force } = task;
      return [
        ...['redeploy', ...plane, ...fleet, ...lock, ...wait],
        ...['--target-tag', image.tag, '--expected-sha', image.sha, '--strategy', strategy],
        ...['--batch-size', `${batch}`, '--max-stragglers', `${stragglers}`],
        ...['--settle-budget', '3s', '--soak', '200ms', '--repository', 'acme/app', '--branch', 'main'],
        ...(canary ? ['--canary', canary] : []),
        ...(order === null ? [] : ['--order', `${order}`]),
        ...(force ? ['--force'] : []),
      ];
    }
    case 'verify':
    case 'plan':
      return [
        ...[task.kind, ...plane, ...fleet, '--target-tag', task.image.tag, '--expected-sha', task.image.sha],
        ...(task.kind === 'verify' ? ['--settle-budget', '1s'] : []),
      ];
    case 'lock-run': {
      const beats = Math.ceil(task.forMs / 100);
      const body = `i=0; while [ $i -lt ${beats} ]; do echo "beat $FLEET_LOCK_FENCE $(date +%s%3N)"; sleep 0.1; i=$((i+1)); done; echo done`;
      return ['lock', 'run', ...plane, ...lock, ...wait, '--', 'sh', '-c', body];
    }
    case 'break':
      return ['lock', 'break', ...plane, ...lock, ...reason, '--confirm-alive', '--yes'];
    case 'freeze':
      return ['lock', 'freeze', ...plane, ...lock, ...reason, '--for', `${Math.ceil(task.forMs / 1000)}s`];
    case 'unfreeze':
      return ['lock', 'unfreeze', ...plane, ...lock, ...reason];
  }
}
