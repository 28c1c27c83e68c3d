/** The main job on one machine: control plane with PostgreSQL, twelve tenants, and the built command rolling them. */
import { firstLine } from './child.js';
import { playOnServer } from './on-server.js';
import { DEPLOY, writeConfig, writeFleet } from './scene.js';
import { CLI, CONTROL_PLANE, onStage, type Stage, say } from './stage.js';

const HELP = `Rolls a simulated fleet of 12 tenants on this machine and proves it.

Usage: pnpm demo [--broken | --on-server]

  --broken     two tenants stay on the old image: the run ends with exit code 1 and says why
  --on-server  two servers on one database: the one that rolls is killed half-way, and the other goes on
`;

async function main(args: string[]): Promise<number> {
  const known = ['--', '--broken', '--on-server', '--help', '-h'];
  const unknown = args.filter((arg) => !known.includes(arg));
  if (unknown.length) {
    process.stderr.write(
      `error: unknown argument ${JSON.stringify(unknown[0])}\nnext: pnpm demo [--broken | --on-server]\n`,
    );
    return 2;
  }
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP);
    return 0;
  }
  if (args.includes('--on-server')) return onStage(playOnServer);
  return onStage((stage) => play(stage, args.includes('--broken')));
}

async function play(stage: Stage, broken: boolean): Promise<{ code: number; last?: string }> {
  const { folder, start, interrupted } = stage;
  say('Starting PostgreSQL, a control plane and 12 tenants on this machine ...');
  // With --stdin it ends when this process is gone, however that came about.
  const plane = start(CONTROL_PLANE, ['--json', '--stdin', '--fleet', writeFleet(folder, broken)], 'pipe');
  const ready = await firstLine(plane).catch((error: Error) => error);
  const cut = interrupted();
  if (cut) return { code: cut };
  if (ready instanceof Error) {
    process.stderr.write(`error: the control plane did not start: ${ready.message}\n`);
    return { code: 1 };
  }
  const { url, tenant_url: tenantUrl } = JSON.parse(ready) as { url: string; tenant_url: string };
  writeConfig(folder, url, tenantUrl);
  say(`Control plane at ${url}, tenants at ${tenantUrl}/buildinfo, up after ${stage.since()}.`);
  say();
  say(`$ fleet ${DEPLOY}`);

  const command = [...DEPLOY.split(' '), '--yes'];
  const fleet = start(CLI, command, ['ignore', 'inherit', 'inherit']);
  let lost = false;
  plane.ended.then(() => {
    lost = true;
    fleet.stop('SIGTERM');
  });
  const code = await fleet.ended;
  say();
  if (lost) {
    say('The control plane ended in the middle of the run.');
    return { code };
  }
  return { code, last: closing(broken, code) };
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

process.exitCode = await main(process.argv.slice(2));
