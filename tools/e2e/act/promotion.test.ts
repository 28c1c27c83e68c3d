/** The release of the example, from its tag to production and back, run by a real Actions engine. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Consumer } from './consumer.js';
import type { Run } from './engine.js';
import { PASSWORD, startRegistry, USER } from './registry.js';
import { openPlane, openWorld, type Plane, TENANTS, type World } from './world.js';

const WORKFLOW = 'release-workspace-server.yml';

let world: World;
let production: Plane;
let registry: Awaited<ReturnType<typeof startRegistry>>;
let run: Run | undefined;
beforeAll(async () => {
  [world, production] = await Promise.all([openWorld(), openPlane('production')]);
  registry = await startRegistry(async (tag, commit) => {
    for (const plane of [world.staging, production]) await plane.image(tag, commit);
  });
  await Promise.all([world.reset(), production.reset()]);
});
afterAll(async () => {
  registry?.close();
  await Promise.all([world?.close(), production?.close()]);
});
afterEach(() => run?.kill());

/** What the push of a tag sets going. */
async function release(repository: Consumer, tag: string, commit: string) {
  world.gitea.repository.addCommit(commit, [], 'main');
  run = world.run({
    cwd: repository.path,
    workflow: WORKFLOW,
    ref: repository.pushTag(tag),
    vars: { IMAGE: registry.image },
    secrets: {
      FLEET_PRODUCTION_CP_TOKEN: production.token,
      REGISTRY_USER: USER,
      REGISTRY_PASSWORD: PASSWORD,
    },
  });
  const { code, log } = await run.ended;
  expect(log).not.toContain('never-printed');
  return { code, log };
}
const all = (sha: string) => TENANTS.map(() => sha);

it('a release is proven, tried, promoted and rolled to production by its digest; a red one goes back', async () => {
  const repository = world.consumer('release', production);
  const good = repository.commit('good');
  const first = await release(repository, 'v1.0.0', good);
  const tag = `v1.0.0-${good.slice(0, 7)}`;
  const target = `${tag}@${registry.digestOf(tag)}`;
  expect(first.log).toContain(`DEPLOYED: staging runs ${target}`);
  expect(first.log).toContain(`DEPLOYED: production runs ${target}`);
  expect(first.code).toBe(0);
  expect(registry.digestOf('latest')).toBe(registry.digestOf(tag));
  expect([await world.running(), await production.running()]).toEqual([all(good), all(good)]);

  repository.write('end-to-end.sh', '#!/bin/sh\n[ "$1" = production ]\n');
  const bad = repository.commit('bad');
  const second = await release(repository, 'v1.1.0', bad);
  expect(second.log).toContain(`DEPLOYED: staging runs v1.1.0-${bad.slice(0, 7)}@sha256:`);
  expect(second.log).toContain('the end-to-end run is red: staging goes back to what was proven before');
  expect(second.log).toContain(`DEPLOYED: staging runs ${target}`);
  expect(second.log).not.toContain('production runs');
  expect(second.code).not.toBe(0);
  expect(registry.digestOf('latest')).toBe(registry.digestOf(tag));
  expect([await world.running(), await production.running()]).toEqual([all(good), all(good)]);
  expect((await world.lock()).held).toBeNull();
});
