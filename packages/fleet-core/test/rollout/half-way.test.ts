/** A run that stops half-way says what was rolled and what was not, whatever stopped it. */
import { afterEach, describe, expect, test } from 'vitest';
import { renderResult, verdictOf } from '../../src/render/result.js';
import { ManualClock } from '../../src/testing/index.js';
import { FakeFleet, json } from '../helpers/fake-fleet.js';
import { run } from '../helpers/run.js';

let fleet: FakeFleet;
afterEach(() => fleet.stop());

const start = async () => {
  fleet = await FakeFleet.start(['acme', 'birch', 'cedar', 'dune']);
  return { ...fleet.options, batchSize: 2 };
};
const NAMED = 'rolled: acme, birch; not rolled: cedar, dune';

describe('stopped after the first batch', () => {
  test.each([
    ['true', 'held', /^HELD: .*stopped after 2 of 4 tenants/],
    ['perhaps', 'refused', /^REFUSED: .*stopped after 2 of 4 tenants/],
  ])('by a kill switch that says %j: %s', async (value, outcome, headline) => {
    const options = await start();
    let rolled = false;
    fleet.script.set(0, (_, response, done) => {
      done();
      rolled = true;
      json(response, 200, { ok: true, results: ['acme', 'birch'].map((slug) => ({ slug })) });
    });
    fleet.extra = (request, response) => {
      if (!request.url?.startsWith('/api/')) return false;
      json(response, 200, { name: 'HOLD', data: rolled ? value : 'off' });
      return true;
    };
    const gitea = { giteaUrl: fleet.url, giteaToken: 'gitea-token', repository: 'o/r', branch: 'main' };
    const { result } = await run({ ...options, ...gitea, killSwitch: 'HOLD', supersededBy: 'off' });
    expect(result.outcome).toBe(outcome);
    expect(result.reason).toContain(NAMED);
    expect(verdictOf(result)).toMatch(headline);
  });

  test.each([
    [401, 'control_plane_error'],
    [412, 'lock_lost'],
  ])('by HTTP %i: %s', async (status, outcome) => {
    const options = await start();
    fleet.script.set(1, (_, response) => json(response, status, {}));
    const { result } = await run(options);
    expect(result.outcome).toBe(outcome);
    expect(result.reason).toContain(NAMED);
  });

  test('by a signal', async () => {
    const options = await start();
    const end = new AbortController();
    fleet.script.set(1, () => end.abort('SIGTERM'));
    const { result } = await run(options, { signal: end.signal });
    expect(result.outcome).toBe('interrupted');
    expect(result.reason).toBe('interrupted by SIGTERM while rolling; rolled: acme, birch, cedar, dune');
  });

  test('by the end of its time', async () => {
    const options = await start();
    fleet.stuck.add('cedar');
    const { result } = await run({ ...options, settleBudgetMs: 60_000, timeoutMs: 30_000 });
    expect(result.outcome).toBe('failed');
    expect(result.reason).toContain('rolled: acme, birch, cedar, dune');
  });
});

test('interrupted while it looks: nobody who was not asked counts as an outage for people', async () => {
  const options = await start();
  const clock = new ManualClock();
  const end = new AbortController();
  fleet.onProbe = () => end.abort('SIGINT');
  const { result } = await run({ ...options, probeConcurrency: 1 }, { clock, signal: end.signal });
  expect(result).toMatchObject({ outcome: 'interrupted', counts: { enumerated: 4, unreachable: 4 } });
  expect(result.tenants.every(({ probes }) => probes === 0)).toBe(true);
  expect(result.reason).toBe(
    'interrupted by SIGINT before anything was rolled; 4 of 4 tenants were not asked yet',
  );
  const text = renderResult(result).join('\n');
  expect(text).toContain('4 tenants: 0 on target, 4 not asked');
  expect(text).not.toContain('unreachable');
});
