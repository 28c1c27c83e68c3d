/** The main job on one machine: control plane with PostgreSQL, twelve tenants, and the built command rolling them. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, endedWithin, firstLine, startChild } from './child.js';
import { SHA, TAG, writeConfig, writeFleet } from './scene.js';

const CONTROL_PLANE = join(
  dirname(fileURLToPath(import.meta.resolve('@tenant-fleet/fleet-control-plane'))),
  'main.js',
);
const CLI = join(
  dirname(fileURLToPath(import.meta.resolve('@tenant-fleet/fleet-cli/package.json'))),
  'dist/cli.js',
);

const HELP = `Rolls a simulated fleet of 12 tenants on this machine and proves it.

Usage: pnpm demo [--broken]

  --broken  two tenants stay on the old image: the run ends with exit code 1 and says why
`;

const say = (line = '') => process.stdout.write(`${line}\n`);

async function main(args: string[]): Promise<number> {
  const unknown = args.filter((arg) => !['--', '--broken', '--help', '-h'].includes(arg));
  if (unknown.length) {
    process.stderr.write(
      `error: unknown argument ${JSON.stringify(unknown[0])}\nnext: pnpm demo [--broken]\n`,
    );
    return 2;
  }
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP);
    return 0;
  }
  return play(args.includes('--broken'));
}

async function play(broken: boolean): Promise<number> {
  const started = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'fleet-demo-'));
  // Started by root, PostgreSQL runs as a user of its own, who has to get through.
  chmodSync(folder, 0o711);
  const children: Child[] = [];
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  let interrupted: NodeJS.Signals | undefined;
  let last = '';
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

  try {
    const env = {
      ...cleanEnvironment(),
      FLEET_CP_TOKEN: randomBytes(24).toString('hex'),
      // Whatever a child leaves lying about, it leaves in the folder that is removed.
      TMPDIR: folder,
      TEMP: folder,
    };
    const start = (file: string, options: string[], stdio: Parameters<typeof startChild>[2]['stdio']) => {
      const child = startChild(file, options, { env, cwd: folder, stdio });
      children.push(child);
      return child;
    };

    say('Starting PostgreSQL, a control plane and 12 tenants on this machine ...');
    // With --stdin it ends when this process is gone, however that came about.
    const plane = start(CONTROL_PLANE, ['--json', '--stdin', '--fleet', writeFleet(folder, broken)], 'pipe');
    const ready = await firstLine(plane).catch((error: Error) => error);
    if (interrupted) return 128 + constants.signals[interrupted];
    if (ready instanceof Error) {
      process.stderr.write(`error: the control plane did not start: ${ready.message}\n`);
      return 1;
    }
    const { url, tenant_url: tenantUrl } = JSON.parse(ready) as { url: string; tenant_url: string };
    writeConfig(folder, url, tenantUrl);
    say(`Control plane at ${url}, tenants at ${tenantUrl}/buildinfo, up after ${since(started)}.`);
    say();
    say(`$ fleet redeploy --environment staging --target-tag ${TAG} --expected-sha ${SHA}`);

    const command = [
      'redeploy',
      '--environment',
      'staging',
      '--target-tag',
      TAG,
      '--expected-sha',
      SHA,
      '--yes',
    ];
    const fleet = start(CLI, command, ['ignore', 'inherit', 'inherit']);
    let lost = false;
    plane.ended.then(() => {
      lost = true;
      fleet.stop('SIGTERM');
    });
    const code = await fleet.ended;
    say();
    if (lost) say('The control plane ended in the middle of the run.');
    else if (!interrupted) last = closing(broken, code);
    return code;
  } finally {
    for (const child of children.toReversed()) {
      child.stop('SIGTERM');
      await endedWithin(child, 10_000);
      child.kill();
    }
    remove();
    say(`All of it is stopped and removed again, ${since(started)} after the start.`);
    if (last) say(last);
  }
}

function closing(broken: boolean, code: number): string {
  if (broken) {
    return [
      `Exit code ${code}: two tenants were made to stay on the old image, and the run did not call that a success.`,
      'Try next: npx -y pnpm@10 demo without --broken, or fleet redeploy --help for --max-stragglers.',
    ].join('\n');
  }
  return [
    `Exit code ${code}.`,
    'Try next: npx -y pnpm@10 demo --broken, where two tenants stay on the old image.',
  ].join('\n');
}

const since = (start: number) => `${((performance.now() - start) / 1000).toFixed(1)}s`;

/** The environment without what would steer the demo's own processes. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const steers = /^(?:CI$|FLEET_|GITHUB_|GITEA_|DATABASE_URL$|PG[A-Z]+$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !steers.test(name)));
}

process.exitCode = await main(process.argv.slice(2));
