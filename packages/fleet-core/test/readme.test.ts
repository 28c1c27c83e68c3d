/** The README's snippets: they compile with the tests, they stand in it word for word, and they do what it says. */
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FleetResult } from '../src/index.js';
import * as surface from '../src/index.js';
import { isFleetError, redeployFleet } from '../src/index.js';
import { FakeFleet, NEW, OLD } from './helpers/fake-fleet.js';
import { FakeLock } from './helpers/fake-lock.js';
import { behind } from './readme/behind.js';
import { deploy } from './readme/deploy.js';
import { migrate } from './readme/migrate.js';

const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');

test.each(['deploy', 'behind', 'migrate'])('%s stands in the README', async (name) => {
  const snippet = await read(`./readme/${name}.ts`);
  expect(await read('../README.md')).toContain(
    `\`\`\`ts\n${snippet.replace('../../src/index.js', '@tenant-fleet/fleet-core')}\`\`\``,
  );
});

describe('what it says', () => {
  let fleet: FakeFleet;
  let lock: FakeLock;
  beforeEach(async () => {
    fleet = await FakeFleet.start(['acme', 'birch']);
    lock = new FakeLock(fleet);
  });
  afterEach(() => fleet.stop());
  const access = () => [fleet.url, 'secret-token-value', `${fleet.url}/t/{slug}`] as const;

  test('who is behind is told, with why', async () => {
    fleet.tenants.set('acme', NEW);
    expect(await behind(NEW, ...access())).toEqual([`birch: still on ${OLD.slice(0, 7)}`]);
    expect(fleet.rolls).toEqual([]);
  });

  test('a roll that is refused is an error that says why', async () => {
    fleet.planRows = () => [];
    await expect(deploy(NEW, ...access())).rejects.toThrow(/^failed: the control plane lists no tenant/);
  });

  test('a fleet on target is deployed', async () => {
    for (const slug of fleet.tenants.keys()) fleet.tenants.set(slug, NEW);
    expect(await deploy(NEW, ...access())).toMatchObject({ deployed: true, counts: { on_target: 2 } });
  });

  test('work under the lock shows what it does, and gives the lock back', async () => {
    let held = false;
    await migrate(fleet.url, 'secret-token-value', async (signal) => {
      held = !signal.aborted && lock.of('release').length === 0;
    });
    expect(held).toBe(true);
    expect(lock.of('release').map(({ body }) => body.result)).toEqual(['none']);
  });
});

test('a misspelt property of a result does not compile', () => {
  const look = (result: FleetResult) => [
    // @ts-expect-error no such property
    result.deploid,
    // @ts-expect-error no such property
    result.counts.on_traget,
    // @ts-expect-error no such property
    result.tenants[0]?.slugg,
  ];
  expect(look).toBeTypeOf('function');
});

test('what is missing or wrong is called as the option is', async () => {
  const error = await redeployFleet({ targetTag: 'x' }).catch((caught) => caught);
  expect(isFleetError(error) && error.message).toContain('controlPlane');
  expect(error.message).not.toContain('--');
  const wrong = await redeployFleet({ controlPlane: 'http://cp.example.com' }).catch((caught) => caught);
  expect(wrong.option).toBe('controlPlane');
});

test('nothing but the public names is exported', () => {
  expect(Object.keys(surface).sort()).toEqual([
    ...[
      'FleetError',
      'FleetLock',
      'HttpFailure',
      'LockClient',
      'OUTCOMES',
      'RESULT_SCHEMA',
      'TENANT_STATUSES',
    ],
    ...[
      'USAGE_EXIT_CODE',
      'exitCodeOf',
      'isDeployed',
      'isFleetError',
      'planFleet',
      'redeployFleet',
      'resultSchema',
    ],
    ...['systemClock', 'systemHttp', 'verifyFleet', 'withFleetLock'],
  ]);
});
