/** Calls whose end nobody told: none of them may begin, or still run, once the fleet is called deployed. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SETTLE_ROLLS_PATH } from '../../src/contract.js';
import { ManualClock } from '../../src/testing/index.js';
import { FakeFleet, json, NEW, OLD, type Roll } from '../helpers/fake-fleet.js';
import { FakeLock } from '../helpers/fake-lock.js';
import { run } from '../helpers/run.js';

let fleet: FakeFleet;
/** Keys that were asked for, and how they are answered; by default none has arrived. */
let asked: string[][];
let settle: (keys: string[], response: ServerResponse) => void;
const tell = (response: ServerResponse, keys: string[], state: string) =>
  json(response, 200, { rolls: keys.map((key) => ({ key, state })) });

beforeEach(async () => {
  fleet = await FakeFleet.start(['acme', 'birch']);
  new FakeLock(fleet);
  asked = [];
  settle = (keys, response) => tell(response, keys, 'given_up');
  const locks = fleet.extra;
  fleet.extra = (request: IncomingMessage, response: ServerResponse, body: string) => {
    if (request.url !== SETTLE_ROLLS_PATH) return locks?.(request, response, body) ?? false;
    const { keys } = JSON.parse(body);
    asked.push(keys);
    expect(request.headers).toMatchObject({ 'fleet-fence': '7', 'fleet-lock-group': 'staging' });
    settle(keys, response);
    return true;
  };
});
afterEach(() => fleet.stop());
const locked = () => ({ ...fleet.options, noLock: undefined, lockGroup: 'staging', settleBudgetMs: 60_000 });

/** The first roll is kept back while an older one runs, which brings everybody on target. */
function refusedOnce() {
  fleet.script.set(0, (_, response, done) => {
    done();
    json(response, 409, { error: 'draining' });
  });
}

test('a run whose calls were all answered asks for none', async () => {
  const { result } = await run(locked());
  expect([result.outcome, asked]).toEqual(['succeeded', []]);
});

test('a request that was refused is given up before the fleet is looked at for the verdict', async () => {
  refusedOnce();
  let probes = 0;
  settle = (keys, response) => {
    probes = fleet.probes.length;
    tell(response, keys, 'given_up');
  };
  const { result } = await run(locked());
  expect(asked).toEqual([[fleet.rolls[0]?.key]]);
  expect(probes).toBeLessThan(fleet.probes.length);
  expect(result).toMatchObject({ outcome: 'succeeded', warnings: [] });
});

test('its second copy that the network delivered is waited for, and said', async () => {
  const clock = new ManualClock();
  refusedOnce();
  settle = (keys, response) => {
    // It restarts its tenants, and ends with one of them on another commit.
    fleet.tenants.set('acme', OLD);
    if (clock.monotonic() < 30_000) return tell(response, keys, 'open');
    clock.timer(5_000, () => fleet.tenants.set('acme', NEW));
    tell(response, keys, 'ended');
  };
  const { result } = await run(locked(), { clock });
  expect(clock.monotonic()).toBeGreaterThanOrEqual(35_000);
  expect(result).toMatchObject({ outcome: 'succeeded', counts: { on_target: 2 } });
  expect(result.warnings).toEqual([
    'a roll that was refused arrived once more and was carried out: acme, birch',
    'a roll that was sent under this lease still runs, and is waited for: acme, birch',
  ]);
  expect(result.tenants.map(({ rolls }) => rolls)).toEqual([1, 1]);
});

test('a call whose answer was lost is waited for though all its tenants are on target', async () => {
  const clock = new ManualClock();
  fleet.script.set(0, (_: Roll, response, done) => {
    done();
    response.socket?.destroy();
  });
  settle = (keys, response) => tell(response, keys, clock.monotonic() < 60_000 ? 'open' : 'ended');
  const { result } = await run(locked(), { clock });
  expect(clock.monotonic()).toBeGreaterThanOrEqual(60_000);
  expect(result).toMatchObject({ outcome: 'succeeded', reason: 'all 2 tenants on target' });
});

test('one that does not end ends the run, as no roll may take that long', async () => {
  const clock = new ManualClock();
  refusedOnce();
  settle = (keys, response) => tell(response, keys, 'open');
  const { result } = await run(locked(), { clock });
  expect(result).toMatchObject({ outcome: 'lock_timeout', deployed: false });
  expect(result.reason).toMatch(/acme, birch under fencing token 7 has not ended.*longer than 20m/);
  expect(clock.monotonic()).toBeLessThan(1_300_000);
});

describe('an answer that says nothing', () => {
  test.each([404, 405, 501, 400, 403])('HTTP %i: an older control plane cannot say', async (status) => {
    refusedOnce();
    settle = (_, response) => json(response, status, { error: 'nope' });
    const { result } = await run(locked());
    expect([result.outcome, asked.length]).toEqual(['succeeded', 1]);
  });

  test('an outage is outwaited', async () => {
    refusedOnce();
    settle = (keys, response) =>
      asked.length < 3 ? json(response, 503, { error: 'away' }) : tell(response, keys, 'given_up');
    const { result } = await run(locked());
    expect([result.outcome, asked.length]).toEqual(['succeeded', 3]);
  });

  test.each([
    [503, 'control_plane_error', 4],
    [412, 'lock_lost', 1],
  ])('HTTP %i for good: the fleet is not called deployed', async (status, outcome, times) => {
    refusedOnce();
    settle = (_, response) => json(response, status, { error: 'nope' });
    const { result } = await run(locked());
    expect([result.outcome, asked.length]).toEqual([outcome, times]);
  });
});
