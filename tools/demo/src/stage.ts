/** What a play needs: a folder, children that end with it however it ends, and nothing left behind. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, endedWithin, startChild } from './child.js';

export const CONTROL_PLANE = join(
  dirname(fileURLToPath(import.meta.resolve('@tenant-fleet/fleet-control-plane'))),
  'main.js',
);
export const CLI = join(
  dirname(fileURLToPath(import.meta.resolve('@tenant-fleet/fleet-cli/package.json'))),
  'dist/cli.js',
);

export interface Stage {
  folder: string;
  env: NodeJS.ProcessEnv & { FLEET_CP_TOKEN: string };
  start(
    file: string,
    options: string[],
    stdio: Parameters<typeof startChild>[2]['stdio'],
    more?: NodeJS.ProcessEnv,
  ): Child;
  /** Ends with the play, after its children. */
  undo(step: () => Promise<unknown>): void;
  /** Exit code of the signal that ended the play, where one did. */
  interrupted(): number | undefined;
  /** Seconds since the start, as text. */
  since(): string;
}

/** Says something in lines that fit the terminal, or 80 columns where there is none. */
export function say(text = ''): void {
  const width = Math.min(process.stdout.columns || 80, 80);
  for (const line of text.split('\n')) process.stdout.write(`${folded(line, width)}\n`);
}

/** A command that goes on in the next line can still be pasted. */
export function folded(line: string, width: number): string {
  const [end, begin] = line.startsWith('$ ') ? [' \\', '    '] : ['', ''];
  const lines: string[] = [];
  for (const word of line.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && `${last} ${word}${end}`.length <= width) lines[lines.length - 1] += ` ${word}`;
    else lines.push(last === undefined ? word : begin + word);
  }
  return lines.join(`${end}\n`);
}

/**
 * Plays, and removes all of it again.
 *
 * @param play returns the exit code, and what is said last.
 */
export async function onStage(
  play: (stage: Stage) => Promise<{ code: number; last?: string }>,
): Promise<number> {
  const started = performance.now();
  const since = () => `${((performance.now() - started) / 1000).toFixed(1)}s`;
  const folder = mkdtempSync(join(tmpdir(), 'fleet-demo-'));
  // Started by root, PostgreSQL runs as a user of its own, who has to get through.
  chmodSync(folder, 0o711);
  const children: Child[] = [];
  const steps: (() => Promise<unknown>)[] = [];
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  let interrupted: NodeJS.Signals | undefined;
  let last: string | undefined;
  const stop = (name: NodeJS.Signals) => {
    if (interrupted) {
      for (const child of children) child.kill();
      remove();
      process.exit(128 + constants.signals[name]);
    }
    interrupted = name;
    // The last one started ends first: the command gives its lock back while the control plane still runs.
    children.at(-1)?.stop(name);
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, stop);
  const env = {
    ...cleanEnvironment(),
    FLEET_CP_TOKEN: randomBytes(24).toString('hex'),
    // Whatever a child leaves lying about, it leaves in the folder that is removed.
    TMPDIR: folder,
    TEMP: folder,
  };
  try {
    const played = await play({
      folder,
      env,
      start: (file, options, stdio, more = {}) => {
        const child = startChild(file, options, { env: { ...env, ...more }, cwd: folder, stdio });
        children.push(child);
        return child;
      },
      undo: (step) => steps.push(step),
      interrupted: () => interrupted && 128 + constants.signals[interrupted],
      since,
    });
    if (!interrupted) last = played.last;
    return played.code;
  } finally {
    for (const child of children.toReversed()) {
      child.stop('SIGTERM');
      await endedWithin(child, 10_000);
      child.kill();
    }
    for (const step of steps.toReversed()) await step().catch(() => {});
    remove();
    say(`All of it is stopped and removed again, ${since()} after the start.`);
    if (last) say(last);
  }
}

/** The environment without what would steer the demo's own processes. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const steers = /^(?:CI$|FLEET_|GITHUB_|GITEA_|DATABASE_URL$|PG[A-Z]+$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !steers.test(name)));
}
