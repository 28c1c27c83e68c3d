/** nektos/act in host mode: the engine that Gitea's runner is made from runs a workflow on this machine. */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMPOSITE, pathOf, pinnedVersion } from '../test/files.js';

export interface Job {
  /** Folder of the repository. */
  cwd: string;
  workflow: string;
  event: 'push' | 'workflow_dispatch' | 'pull_request';
  /** Branch or, with its `refs/`, any other ref. */
  ref: string;
  runNumber: number;
  env: Record<string, string>;
  secrets: Record<string, string>;
  vars?: Record<string, string>;
}

export interface Run {
  /** All that the engine has printed so far. */
  log(): string;
  /** Resolves once the log matches; rejects where the run ends before. */
  until(pattern: RegExp): Promise<void>;
  ended: Promise<{ code: number | null; log: string }>;
  /** What old runners do to a run whose branch is pushed to: SIGKILL, to every process of it. */
  kill(): void;
  /** A runner that dies: its step lives on, with nobody who reads what it prints. */
  killEngine(): void;
}

/** The engine with a release of this repository at hand, and a place of its own for all that it writes. */
export class Engine {
  readonly #act = process.env.FLEET_ACT ?? 'act';
  readonly #release: string;
  #runs = 0;

  constructor(private readonly folder: string) {
    this.#release = join(folder, 'release');
    // What the tag of a release carries of the action, as the engine would have fetched it.
    for (const path of [COMPOSITE, 'packages/fleet-action/action.yml', 'packages/fleet-action/dist'])
      cpSync(pathOf(path), join(this.#release, path), { recursive: true });
  }

  start(job: Job): Run {
    const home = join(this.folder, `run-${++this.#runs}`);
    mkdirSync(home);
    const event = join(home, 'event.json');
    const ref = job.ref.startsWith('refs/') ? job.ref : `refs/heads/${job.ref}`;
    writeFileSync(event, JSON.stringify({ ref }));
    const env = {
      GITEA_ACTIONS: 'true',
      GITHUB_REPOSITORY: 'acme/workspace-server',
      GITHUB_RUN_NUMBER: `${job.runNumber}`,
      GITHUB_RUN_ID: `${1000 + job.runNumber}`,
      ...job.env,
    };
    const args = [
      job.event,
      ...['--platform', 'ubuntu-latest=-self-hosted', '--no-cache-server', '--eventpath', event],
      ...['--workflows', `.gitea/workflows/${job.workflow}`, '--no-recurse'],
      ...['--local-repository', `tenant-fleet/fleet@v${pinnedVersion()}=${this.#release}`],
      ...each('--env', env),
      ...each('--var', job.vars ?? {}),
      // By name alone: their values come from the environment, where no list of processes shows them.
      ...Object.keys(job.secrets).flatMap((name) => ['--secret', name]),
    ];
    const child = spawn(this.#act, args, {
      cwd: job.cwd,
      env: { PATH: process.env.PATH, HOME: home, XDG_CACHE_HOME: join(home, 'cache'), ...job.secrets },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let log = '';
    const heard = new Set<() => void>();
    const hear = (text: string) => {
      log += text;
      for (const each of heard) each();
    };
    child.stdout.setEncoding('utf8').on('data', hear);
    child.stderr.setEncoding('utf8').on('data', hear);
    const ended = new Promise<{ code: number | null; log: string }>((resolve, reject) => {
      child.once('error', (cause) =>
        reject(new Error(`${this.#act} does not run; see .ci/act.sh`, { cause })),
      );
      child.once('close', (code) => resolve({ code, log }));
    });
    return {
      log: () => log,
      ended,
      until: (pattern) =>
        new Promise<void>((resolve, reject) => {
          const look = () => pattern.test(log) && resolve();
          heard.add(look);
          look();
          ended.then(() => reject(new Error(`the run ended before ${pattern}:\n${log}`)), reject);
        }),
      killEngine: () => void child.kill('SIGKILL'),
      kill: () => {
        if (child.exitCode !== null || child.signalCode !== null || !child.pid) return;
        for (const pid of [child.pid, ...descendants(child.pid)]) {
          try {
            process.kill(pid, 'SIGKILL');
          } catch {
            // It has ended by itself meanwhile.
          }
        }
      },
    };
  }
}

const each = (flag: string, values: Record<string, string>) =>
  Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`]);

function descendants(root: number): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const pairs = rows.map((row) => row.trim().split(/\s+/).map(Number) as [number, number]);
  const below = (pid: number): number[] =>
    pairs.filter(([, parent]) => parent === pid).flatMap(([child]) => [child, ...below(child)]);
  return below(root);
}

/** A folder that is gone at the end of the test. */
export function temporary(parent: string, name: string): { path: string; remove(): void } {
  const path = mkdtempSync(join(parent, `fleet-${name}-`));
  return {
    path,
    remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }),
  };
}
