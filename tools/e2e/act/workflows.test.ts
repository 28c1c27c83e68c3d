/** Both workflows of the example, and the README's, run by a real Actions engine against a real control plane. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { pathOf } from '../test/files.js';
import { Consumer } from './consumer.js';
import type { Run } from './engine.js';
import { openWorld, type Roll, TENANTS, type World } from './world.js';

const PUBLISH = 'publish-workspace-server-image.yml';
const STAGING = 'redeploy-tenants-on-staging.yml';

let world: World;
let test = 0;
const runs: Run[] = [];
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => {
  await world?.close();
});
beforeEach(async () => {
  test += 1;
  await world.emptyGitea();
  await world.reset();
});
afterEach(() => {
  for (const run of runs.splice(0)) run.kill();
});

const start = (job: Parameters<World['run']>[0]): Run => {
  const run = world.run(job);
  runs.push(run);
  return run;
};
const folder = (name: string) => world.folder(`${test}-${name}`);
const consumer = () => known(world.consumer(`${test}-main`));
/** Gitea has its commit, as after a push. */
function known(repository: Consumer): Consumer {
  world.gitea.repository.addCommit(headOf(repository.path), [], 'main');
  return repository;
}
const states = (sha: string) =>
  world.gitea.statuses
    .filter((row) => row.sha === sha && row.context === 'fleet/staging')
    .map((row) => row.state);
const all = (sha: string) => TENANTS.map(() => sha);

/** Rolls since `before`, and whether any two of different holders ran at the same time. */
async function rollsSince(before: Roll[]): Promise<{ rolls: Roll[]; overlaps: number }> {
  const rolls = (await world.rolls()).slice(before.length);
  const end = (roll: Roll) => roll.ended_at ?? '9999';
  const overlaps = rolls.filter((one) =>
    rolls.some(
      (other) =>
        one.fencing_token !== other.fencing_token &&
        one.started_at < end(other) &&
        other.started_at < end(one),
    ),
  );
  return { rolls, overlaps: overlaps.length };
}

it('a push to main: built, deployed, proven, and said so on the commit', async () => {
  const { path } = consumer();
  const sha = headOf(path);
  const { code, log } = await start({ cwd: path, workflow: PUBLISH, ref: 'main' }).ended;
  expect(log).toContain(`DEPLOYED: staging runs main-${sha.slice(0, 7)}`);
  expect(code).toBe(0);
  expect(await world.running()).toEqual(all(sha));
  expect((await world.lock()).held).toBeNull();
  expect(states(sha)).toEqual(['pending', 'success']);
  expect(world.gitea.issues).toEqual([]);
  expect(log).not.toContain('never-printed');
});

it('a push to staging at the same moment waits for the lock, and the two rolls never overlap', async () => {
  const main = consumer();
  const staging = main.branch('staging', folder('staging'));
  staging.commit('on staging');
  known(staging);
  const before = await world.rolls();
  const ran = [
    start({ cwd: main.path, workflow: PUBLISH, ref: 'main' }),
    start({ cwd: staging.path, workflow: STAGING, ref: 'staging' }),
  ];
  const [one, other] = await Promise.all(ran.map(({ ended }) => ended));
  expect([one?.code, other?.code]).toEqual([0, 0]);
  const waited = [one, other].filter((run) => /waiting for lock staging|held by/.test(run?.log ?? ''));
  expect(waited.length).toBe(1);
  const { rolls, overlaps } = await rollsSince(before);
  expect(new Set(rolls.map((roll) => roll.fencing_token)).size).toBe(2);
  expect(overlaps).toBe(0);
  // Whoever rolled last, its commit is what all tenants run.
  const last = rolls.at(-1)?.target_tag.startsWith('staging') ? staging : main;
  expect(await world.running()).toEqual(all(headOf(last.path)));
});

it('a fleet that fails: the job is red and an issue open, until a later run closes it', async () => {
  await world.reset({ birch: 'stuck' });
  const { path } = consumer();
  const sha = headOf(path);
  const failed = await start({ cwd: path, workflow: PUBLISH, ref: 'main' }).ended;
  expect(failed.code).not.toBe(0);
  expect(failed.log).toContain('ERROR: FAILED: staging is not proven');
  const [issue] = world.gitea.issues;
  expect(world.gitea.issues.length).toBe(1);
  expect(issue?.state).toBe('open');
  expect(issue?.body).toContain('birch');
  expect(states(sha)).toEqual(['pending', 'failure']);

  await world.reset();
  const proven = await start({ cwd: path, workflow: PUBLISH, ref: 'main' }).ended;
  expect(proven.code).toBe(0);
  expect(world.gitea.issues.length).toBe(1);
  expect(world.gitea.issues[0]?.state).toBe('closed');
  expect(states(sha).at(-1)).toBe('success');
});

it('a pull request is refused: nothing is rolled, nobody is told', async () => {
  const [snippet] = readmeWorkflows();
  const text = (snippet ?? '').replace(/on:[\s\S]*?(?=\njobs:)/, 'on: pull_request');
  const { path } = known(Consumer.withWorkflow(folder('main'), 'deploy.yml', addressed(text)));
  const before = await world.rolls();
  const { code, log } = await start({
    cwd: path,
    workflow: 'deploy.yml',
    event: 'pull_request',
    ref: 'main',
  }).ended;
  expect(code).not.toBe(0);
  expect(log).toContain('the event "pull_request" is not trusted with a deploy');
  expect((await rollsSince(before)).rolls).toEqual([]);
  expect(world.gitea.issues).toEqual([]);
  expect(world.gitea.statuses).toEqual([]);
});

it('a run killed half-way leaves no lease after its TTL, and the next one goes on from there', async () => {
  const { path } = consumer();
  const sha = headOf(path);
  const before = await world.rolls();
  const cut = start({ cwd: path, workflow: PUBLISH, ref: 'main' });
  await cut.until(/canary \(1\/\d+\): proven|canary: proven/);
  cut.kill();
  await cut.ended;
  expect((await world.lock()).held).not.toBeNull();

  const next = await start({ cwd: path, workflow: PUBLISH, ref: 'main' }).ended;
  expect(next.code).toBe(0);
  expect(next.log).toContain('DEPLOYED');
  expect(await world.running()).toEqual(all(sha));
  expect((await world.lock()).held).toBeNull();
  const { rolls, overlaps } = await rollsSince(before);
  expect(rolls.filter(({ slugs }) => slugs.includes('acme')).length).toBe(1);
  // What the killed run had begun to say, the next one finishes.
  expect(states(sha)).toEqual(['pending', 'pending', 'success']);
  expect(overlaps).toBe(0);
});

it('a runner that dies while its step lives on: the next run waits for that step or its lease, and never overlaps', async () => {
  const { path } = consumer();
  const sha = headOf(path);
  const before = await world.rolls();
  const cut = start({ cwd: path, workflow: PUBLISH, ref: 'main' });
  await cut.until(/canary.*rolling/);
  cut.killEngine();
  const next = await start({ cwd: path, workflow: PUBLISH, ref: 'main' }).ended;
  expect(next.code).toBe(0);
  expect(await world.running()).toEqual(all(sha));
  expect((await rollsSince(before)).overlaps).toBe(0);
  expect((await world.lock()).held).toBeNull();
});

it('on the server: the job is killed without warning, the rollout goes on, and the next run finds it done', async () => {
  const onServer = (text: string) =>
    text.replace('environment: staging\n', 'environment: staging\n          on-server: true\n');
  const { path } = known(world.consumer(`${test}-main`, undefined, onServer));
  const sha = headOf(path);
  const before = await world.rolls();
  const cut = start({ cwd: path, workflow: PUBLISH, ref: 'main' });
  await cut.until(/canary.*rolling/);
  cut.kill();
  await cut.ended;
  await expect.poll(() => world.running(), { timeout: 30_000, interval: 500 }).toEqual(all(sha));

  const next = await start({ cwd: path, workflow: PUBLISH, ref: 'main' }).ended;
  expect(next.log).toContain(`DEPLOYED: staging runs main-${sha.slice(0, 7)}`);
  expect(next.code).toBe(0);
  const { rolls, overlaps } = await rollsSince(before);
  expect(rolls.flatMap(({ slugs }) => slugs).sort()).toEqual(TENANTS);
  expect(overlaps).toBe(0);
  expect((await world.lock()).held).toBeNull();
});

it('a killed run that nobody follows leaves no lease either', async () => {
  const { path } = consumer();
  const cut = start({ cwd: path, workflow: PUBLISH, ref: 'main' });
  await cut.until(/canary.*rolling/);
  cut.kill();
  await cut.ended;
  await expect.poll(async () => (await world.lock()).held, { timeout: 20_000, interval: 500 }).toBeNull();
});

it('122: by hand: back to the image of an older commit, proven like any other', async () => {
  const main = consumer();
  const old = headOf(main.path);
  expect((await start({ cwd: main.path, workflow: PUBLISH, ref: 'main' }).ended).code).toBe(0);
  const fresh = main.commit('a change that turns out bad');
  known(main);
  expect((await start({ cwd: main.path, workflow: PUBLISH, ref: 'main' }).ended).code).toBe(0);
  expect(await world.running()).toEqual(all(fresh));

  // The first rollback to an image takes the plain tag, the second one has to stand beside it.
  main.pushTag(`rollback/staging/main-${old.slice(0, 7)}`);
  const ref = main.pushTag(`rollback/staging/main-${old.slice(0, 7)}@2`);
  const back = await start({ cwd: main.path, workflow: STAGING, ref }).ended;
  expect(back.log).toContain(`DEPLOYED: staging runs main-${old.slice(0, 7)}`);
  expect(back.code).toBe(0);
  expect(await world.running()).toEqual(all(old));
});

it('a rollback under a hold is red: it must not look done', async () => {
  const held = consumer();
  const { path } = held;
  const { code, log } = await start({
    cwd: path,
    workflow: STAGING,
    ref: held.pushTag(`rollback/staging/main-${headOf(path).slice(0, 7)}`),
    vars: { FLEET_HOLD: 'on' },
  }).ended;
  expect(log).toContain('HELD');
  expect(code).not.toBe(0);
  expect(world.gitea.issues).toEqual([]);
});

it('by hand without a pinned image: what the branch is at', async () => {
  const { path } = consumer();
  const { code } = await start({ cwd: path, workflow: STAGING, event: 'workflow_dispatch', ref: 'main' })
    .ended;
  expect(code).toBe(0);
  expect(await world.running()).toEqual(all(headOf(path)));
});

it('a rollback to an image that no commit goes with: an error before any request', async () => {
  const before = await world.rolls();
  const wrong = consumer();
  const { path } = wrong;
  const { code, log } = await start({
    cwd: path,
    workflow: STAGING,
    ref: wrong.pushTag('rollback/staging/main-abcdef0'),
  }).ended;
  expect(code).not.toBe(0);
  expect(log).toContain('ERROR: main-abcdef0: no commit of this repository begins with abcdef0');
  expect((await rollsSince(before)).rolls).toEqual([]);
});

it.each(['README.md', 'packages/fleet-action/README.md'])(
  'the workflow of %s, copied into an empty repository, deploys',
  async (file) => {
    const [text] = readmeWorkflows(file);
    const { path } = known(Consumer.withWorkflow(folder('main'), 'deploy.yml', addressed(text ?? '')));
    const { code, log } = await start({ cwd: path, workflow: 'deploy.yml', ref: 'main' }).ended;
    expect(log).toContain('DEPLOYED: ');
    expect(code).toBe(0);
    expect(await world.running()).toEqual(all(headOf(path)));
  },
);

/** The YAML blocks of a README that deploy. */
function readmeWorkflows(file = 'README.md'): string[] {
  const blocks = [...readFileSync(pathOf(file), 'utf8').matchAll(/```yaml\n([\s\S]*?)```/g)].map(
    (hit) => hit[1] ?? '',
  );
  return blocks.filter((block) => block.includes('redeploy-fleet@'));
}

/** A workflow for readers, with the addresses of this machine in place of those that they are to replace. */
const addressed = (text: string) =>
  text
    .replace('https://staging-api.example.com', world.controlPlane)
    .replace('https://{slug}.staging.example.com', world.tenantUrl);

function headOf(path: string): string {
  return execFileSync('git', ['rev-parse', 'HEAD'], { cwd: path, encoding: 'utf8' }).trim();
}
