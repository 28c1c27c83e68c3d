import { afterEach, expect, test } from 'vitest';
import { FakeFleet } from '../helpers/fake-fleet.js';
import { run } from '../helpers/run.js';

let fleet: FakeFleet;
afterEach(() => fleet.stop());

const start = async () => {
  fleet = await FakeFleet.start(['acme', 'birch', 'cedar', 'dune']);
  return { ...fleet.options, batchSize: 1 };
};

test('asked to stop, a roll ends its wave, is held before the next, and no success', async () => {
  const options = await start();
  const stop = new AbortController();
  fleet.onProbe = (slug) => {
    if (slug === 'birch' && fleet.rolled.includes('birch')) stop.abort();
  };
  const { result } = await run(options, { stopAfterWave: stop.signal });
  expect(fleet.rolled).toEqual(['acme', 'birch']);
  expect(result).toMatchObject({ outcome: 'held', deployed: false, exit_code: 4 });
  expect(result.reason).toBe(
    'stopped between two waves, as was asked for; rolled: acme, birch; not rolled: cedar, dune',
  );
  expect(result.next_commands?.map(({ why }) => why)).toEqual(['to go on: tenants on target are left out']);
  const onTarget = result.tenants.filter(({ status }) => status === 'on_target');
  expect(onTarget.map(({ slug }) => slug)).toEqual(['acme', 'birch']);
});

test('asked in its last wave, it has nothing left to leave out', async () => {
  const options = await start();
  const stop = new AbortController();
  fleet.onProbe = () => {
    if (fleet.rolled.includes('dune')) stop.abort();
  };
  const { result } = await run(options, { stopAfterWave: stop.signal });
  expect(result).toMatchObject({ outcome: 'succeeded', deployed: true });
});

test('asked before the first, it rolls nobody', async () => {
  const { result } = await run(await start(), { stopAfterWave: AbortSignal.abort() });
  expect(fleet.rolls).toEqual([]);
  expect(result).toMatchObject({ outcome: 'held', deployed: false });
});
