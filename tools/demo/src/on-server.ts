/** Two servers on one database: the one that runs a rollout is killed, and the other goes on to one verdict. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startEmbedded } from '@tenant-fleet/fleet-control-plane';
import { type Child, firstLine } from './child.js';
import { DEPLOY, writeConfig, writeFleet, writeServerConfig } from './scene.js';
import { CLI, CONTROL_PLANE, type Stage, say } from './stage.js';

interface Ready {
  url: string;
  tenant_url: string;
}

export async function playOnServer(stage: Stage): Promise<{ code: number; last?: string }> {
  const { folder, env, start, interrupted } = stage;
  say('Starting PostgreSQL, 12 tenants and two servers that run rollouts on this machine ...');
  // In the folder that is removed.
  process.env.TMPDIR = folder;
  const database = await startEmbedded();
  stage.undo(() => database.close());
  const server = async (...more: string[]): Promise<Ready & { child: Child }> => {
    const child = start(CONTROL_PLANE, ['--json', '--stdin', ...more], 'pipe', {
      DATABASE_URL: database.url,
    });
    return { ...(JSON.parse(await firstLine(child)) as Ready), child };
  };
  try {
    // The tenants answer from a process of their own, which runs no rollouts.
    const tenants = await server('--fleet', writeFleet(folder, false));
    const config = ['--config', writeServerConfig(folder, tenants.tenant_url)];
    const [first, second] = [await server(...config), await server(...config)];
    say(`First server at ${first.url}, second at ${second.url}.`);
    say(`Up after ${stage.since()}.`);
    say();

    writeConfig(folder, first.url, tenants.tenant_url);
    say(`$ fleet ${DEPLOY} --detach`);
    const order = [...DEPLOY.split(' '), '--yes'];
    const handed = start(CLI, [...order, '--detach', '--json'], ['ignore', 'pipe', 'inherit']);
    const result = JSON.parse(await allOf(handed)) as { rollout?: { id: string } };
    const id = result.rollout?.id;
    if (interrupted() || !id) return { code: interrupted() ?? (await handed.ended) };

    say();
    say('At the second server:');
    say(`$ fleet rollout attach ${id}`);
    const attach = ['rollout', 'attach', id, '--control-plane', second.url];
    const watch = start(CLI, attach, ['ignore', 'inherit', 'inherit']);
    const token = env.FLEET_CP_TOKEN;
    const inBatch2 = async () => {
      const answer = await ask(`${second.url}/cp/admin/rollouts/${id}/events`, token);
      const { events } = (await answer.json()) as { events: { code: string; phase?: string }[] };
      return events.some(({ code, phase }) => code === 'wave.started' && phase === 'batch-2');
    };
    let over = false;
    const ended = watch.ended.finally(() => {
      over = true;
    });
    while (!over && !(await inBatch2())) await sleep(50);
    if (!over) {
      first.child.kill();
      say(`$ kill -9 ${first.child.process.pid}`);
      say('That was the first server, in the middle of batch-2.');
    }
    const code = await ended;
    say();
    const rolls = await rollsOf(tenants.url, token);
    const twice = rolls.filter(({ rolls }) => rolls !== 1).map(({ slug, rolls }) => `${slug} ${rolls} times`);
    const once = rolls.length === 12 && !twice.length;
    say(
      `By their own record the tenants were rolled once${once ? ', all 12 of them' : ` but for ${twice}`}.`,
    );
    if (interrupted()) return { code };
    return {
      code: once ? code : 1,
      last: `Exit code ${code}: one verdict, and ${once ? 'nobody was rolled twice' : 'NOT everybody was rolled once'}.`,
    };
  } catch (error) {
    const cut = interrupted();
    if (cut) return { code: cut };
    process.stderr.write(`error: ${(error as Error).message}\n`);
    return { code: 1 };
  }
}

async function allOf(child: Child): Promise<string> {
  let output = '';
  child.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await child.ended;
  return output || '{}';
}

/** How often a roll has put each tenant on another image. */
async function rollsOf(url: string, token: string): Promise<{ slug: string; rolls: number }[]> {
  const answer = await ask(`${url}/sim/tenants`, token);
  return ((await answer.json()) as { tenants: { slug: string; rolls: number }[] }).tenants;
}

const ask = (url: string, token: string) => fetch(url, { headers: { authorization: `Bearer ${token}` } });
