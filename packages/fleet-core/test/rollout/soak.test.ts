/** A canary whose soak was cut short is watched again before anybody follows. */
import { afterEach, expect, test } from 'vitest';
import { ManualClock } from '../../src/testing/index.js';
import { FakeFleet, NEW, OLD } from '../helpers/fake-fleet.js';
import { run } from '../helpers/run.js';

let fleet: FakeFleet;
afterEach(() => fleet.stop());

const SLUGS = ['acme', 'birch', 'cedar'];
async function start(strategy: 'scoped' | 'single-call' = 'scoped') {
  fleet = await FakeFleet.start(SLUGS);
  return { ...fleet.options, strategy, canary: 'acme', soakMs: 60_000 };
}

test.each(['scoped', 'single-call'] as const)(
  '%s: interrupted in its soak, the canary soaks again and is not rolled again',
  async (strategy) => {
    const options = await start('scoped');
    const clock = new ManualClock();
    const end = new AbortController();
    clock.timer(30_000, () => end.abort('SIGINT'));
    const cut = await run(options, { clock, signal: end.signal });
    expect(cut.result).toMatchObject({ outcome: 'interrupted' });
    expect(fleet.rolled).toEqual(['acme']);

    const { result, sink, clock: second } = await run({ ...options, strategy });
    expect(sink.of('plan.ready')[0]?.waves[0]).toEqual({ phase: 'canary', slugs: ['acme'], soak_only: true });
    expect(sink.of('soak.passed')).toHaveLength(1);
    expect(second.monotonic()).toBeGreaterThanOrEqual(60_000);
    expect(fleet.rolled).toEqual(SLUGS);
    expect(result).toMatchObject({ outcome: 'succeeded', counts: { on_target: 3 } });
    expect(result.tenants[0]).toMatchObject({ phase: null, rolls: 0 });
  },
);

test.each(['scoped', 'single-call'] as const)(
  '%s: a canary that falls back in its second soak stops the fleet',
  async (strategy) => {
    const options = await start(strategy);
    fleet.tenants.set('acme', NEW);
    const clock = new ManualClock();
    clock.timer(30_000, () => fleet.tenants.set('acme', OLD));
    const { result } = await run(options, { clock });
    expect(fleet.rolls).toEqual([]);
    expect(result.outcome).toBe('failed');
    expect(result.reason).toMatch(/^halted at canary: acme not proven.*; 2 tenants were not rolled$/);
  },
);

test('a plan says that the canary soaks again', async () => {
  const options = await start();
  fleet.tenants.set('acme', NEW);
  const { result } = await run(options, { command: 'plan' });
  expect(result.reason).toBe(
    '2 of 3 tenants would be rolled in 1 wave, once the canary acme has soaked again',
  );
  expect(result.tenants.map(({ phase }) => phase)).toEqual([null, 'batch-1', 'batch-1']);
});
