/** Two servers on one database: the one that runs a rollout is killed, and the other goes on to one verdict. */
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
    say(`First server at ${first.url}, second at ${second.url}, up after ${stage.since()}.`);
    say();

    writeConfig(folder, first.url, tenants.tenant_url);
    say(`$ fleet ${DEPLOY} --detach`);
    const order = [...DEPLOY.split(' '), '--yes'];
    const handed = start(CLI, [...order, '--detach', '--json'], ['ignore', 'pipe', 'inherit']);
    const result = JSON.parse(await allOf(handed)) as { rollout?: { id: string } };
    const id = result.rollout?.id;
    if (interrupted() || !id) return { code: interrupted() ?? (await handed.ended) };

    say();
    say(`$ fleet rollout attach ${id}    # at the second server`);
    const attach = ['rollout', 'attach', id, '--control-plane', second.url];
    const watch = start(CLI, attach, ['ignore', 'inherit', 'pipe']);
    let killed = false;
    watch.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      process.stderr.write(text);
      if (killed || !/batch-2 \(/.test(text)) return;
      killed = true;
      first.child.kill();
      say(`$ kill -9 ${first.child.process.pid}    # the first server, in the middle of batch-2`);
    });
    const code = await watch.ended;
    say();
    const rolls = await rollsOf(tenants.url, env.FLEET_CP_TOKEN);
    say(`By their own record the tenants were rolled: ${rolls.join(', ')}.`);
    if (interrupted()) return { code };
    const once = rolls.length === 12 && rolls.every((roll) => roll.endsWith(' once'));
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
async function rollsOf(url: string, token: string): Promise<string[]> {
  const answer = await fetch(`${url}/sim/tenants`, { headers: { authorization: `Bearer ${token}` } });
  const { tenants } = (await answer.json()) as { tenants: { slug: string; rolls: number }[] };
  return tenants.map(({ slug, rolls }) => `${slug} ${rolls === 1 ? 'once' : `${rolls} times`}`);
}
