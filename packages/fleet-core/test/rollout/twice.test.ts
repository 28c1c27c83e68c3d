/** Nothing is rolled twice where it need not be, and a second roll never goes unsaid. */
import { afterEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../src/testing/index.js';
import { FakeFleet, json, NEW, OLD } from '../helpers/fake-fleet.js';
import { run } from '../helpers/run.js';

let fleet: FakeFleet;
afterEach(() => fleet.stop());

const SLUGS = ['acme', 'birch', 'cedar'];
async function start() {
  fleet = await FakeFleet.start(SLUGS);
  return { options: { ...fleet.options, settleBudgetMs: 60_000 }, clock: new ManualClock() };
}
/** A tenant comes on target a while after the control plane restarted it. */
const drain = (clock: ManualClock, after: Record<string, number>) => {
  for (const [slug, ms] of Object.entries(after)) clock.timer(ms, () => fleet.tenants.set(slug, NEW));
};
const twice = (result: Awaited<ReturnType<typeof run>>['result']) =>
  result.tenants.filter(({ rolls }) => (rolls ?? 0) > 1).map(({ slug }) => slug);

describe.each([502, 503, 504])('HTTP %i for a roll that arrived', (status) => {
  test('whoever still drains is waited for, since another one has moved', async () => {
    const { options, clock } = await start();
    fleet.script.set(0, (_, response) => {
      drain(clock, { acme: 3_000, birch: 20_000, cedar: 50_000 });
      response.writeHead(status).end();
    });
    const { result } = await run(options, { clock });
    expect(result).toMatchObject({ outcome: 'succeeded', reason: 'all 3 tenants on target' });
    expect(fleet.rolls).toHaveLength(1);
  });

  test('whoever never comes is rolled a second time, and that is said', async () => {
    const { options, clock } = await start();
    fleet.script.set(0, (_, response) => {
      drain(clock, { acme: 3_000 });
      response.writeHead(status).end();
    });
    const { result } = await run(options, { clock });
    expect(fleet.rolls.map((roll) => roll.slugs)).toEqual([SLUGS, ['birch', 'cedar']]);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(60_000);
    expect(result.reason).toBe('all 3 tenants on target; may have been rolled twice: birch, cedar');
    expect(twice(result)).toEqual(['birch', 'cedar']);
    expect(result.tenants[1]?.detail).toContain('may have been rolled twice');
    expect(result.warnings.join()).toContain(`HTTP ${status}`);
  });

  test('where nobody moved, the same body goes with the same key', async () => {
    const { options, clock } = await start();
    fleet.script.set(0, (_, response) => void response.writeHead(status).end());
    const { result } = await run(options, { clock });
    expect(fleet.rolls).toHaveLength(2);
    expect(fleet.rolls[1]).toEqual(fleet.rolls[0]);
    expect(twice(result)).toEqual(SLUGS);
  });
});

test.each([502, 503])(
  'rolled by force, a tenant on target is no proof that the call behind HTTP %i arrived',
  async (status) => {
    const { options, clock } = await start();
    for (const slug of SLUGS) fleet.tenants.set(slug, NEW);
    fleet.script.set(0, (_, response) => void response.writeHead(status).end());
    const { result } = await run({ ...options, force: true }, { clock });
    expect(fleet.rolls).toHaveLength(2);
    expect(fleet.rolls[1]).toEqual(fleet.rolls[0]);
    expect(twice(result)).toEqual(SLUGS);
  },
);

describe('a roll that the control plane keeps back while another one runs', () => {
  test('the tenants are asked after every wait, and what the other one rolled is left out', async () => {
    const { options, clock } = await start();
    fleet.script.set(0, (_, response) => {
      fleet.tenants.set('acme', NEW);
      json(response, 409, { error: 'draining' }, { 'retry-after': '7' });
    });
    fleet.script.set(1, (_, response) => {
      fleet.tenants.set('birch', NEW);
      json(response, 409, { error: 'draining' }, { 'retry-after': '7' });
    });
    const { result, sink } = await run(options, { clock });
    expect(fleet.rolls.map((roll) => roll.slugs)).toEqual([SLUGS, ['birch', 'cedar'], ['cedar']]);
    expect(result).toMatchObject({
      outcome: 'succeeded',
      reason: 'all 3 tenants on target',
      warnings: [expect.stringContaining('--no-lock')],
    });
    expect(result.tenants.map(({ phase, rolls }) => [phase, rolls])).toEqual([
      [null, 0],
      [null, 0],
      ['batch-1', 1],
    ]);
    expect(sink.of('call.retry').every(({ reason }) => reason.includes('older roll'))).toBe(true);
  });

  test('what the other one rolled completely is not rolled at all', async () => {
    const { options, clock } = await start();
    fleet.script.set(0, (_, response, done) => {
      done();
      json(response, 409, { error: 'draining' });
    });
    const { result } = await run(options, { clock });
    expect(fleet.rolls).toHaveLength(1);
    expect(result).toMatchObject({ outcome: 'succeeded', counts: { on_target: 3 } });
  });

  test('the own roll behind a 504 is asked for, and never called an older one', async () => {
    const { options, clock } = await start();
    fleet.script.set(0, (_, response) => void response.writeHead(504).end());
    fleet.script.set(1, (_, response) => {
      drain(clock, { acme: 1_000, birch: 1_000, cedar: 1_000 });
      json(response, 409, { error: 'draining' });
    });
    const { result, sink } = await run(options, { clock });
    expect(fleet.rolls).toHaveLength(2);
    expect(result).toMatchObject({ outcome: 'succeeded', reason: 'all 3 tenants on target' });
    expect(sink.of('call.draining')).toMatchObject([{ own: true }]);
  });
});

describe('one lost answer of a tenant', () => {
  const lose = (slug: string, times: number) => {
    let left = times;
    const answer = fleet.tenants.get(slug) as string;
    fleet.tenants.set(slug, (response) => {
      if (left-- > 0) response.socket?.destroy();
      else json(response, 200, { git_sha: answer });
    });
  };

  test.each([1, 2])('in the survey (%i times) rolls nobody who is on target', async (times) => {
    const { options, clock } = await start();
    for (const slug of SLUGS) fleet.tenants.set(slug, NEW);
    lose('birch', times);
    const { result } = await run(options, { clock });
    expect(fleet.rolls).toEqual([]);
    expect(result).toMatchObject({ outcome: 'succeeded', reason: 'already on target' });
  });

  test('before a retry rolls nobody who is on target', async () => {
    const { options, clock } = await start();
    fleet.script.set(0, (_, response, done) => {
      done();
      lose('birch', 1);
      response.writeHead(502).end();
    });
    await run(options, { clock });
    expect(fleet.rolls).toHaveLength(1);
  });

  test('a tenant that never answers is not asked for ever', async () => {
    const { options, clock } = await start();
    lose('birch', 1_000_000);
    fleet.stuck.add('birch');
    const { result } = await run({ ...options, settleBudgetMs: 1_000 }, { clock });
    expect(result).toMatchObject({ outcome: 'failed', counts: { unreachable: 1, on_target: 2 } });
  });
});

describe('a roll that had no effect leaves its tenants as not rolled', () => {
  test.each([400, 401, 409, 412, 428])('HTTP %i', async (status) => {
    const { options, clock } = await start();
    fleet.script.set(0, (_, response) => json(response, status, { error: 'nope' }));
    const { result } = await run(options, { clock });
    expect(result.tenants.map(({ phase, rolls }) => [phase, rolls])).toEqual(SLUGS.map(() => [null, 0]));
    expect(result.counts).toMatchObject({ stale: 3 });
    expect(fleet.tenants.get('acme')).toBe(OLD);
  });
});

test.each([
  [500, '{}', 'says nothing of it (HTTP 500)'],
  [200, '<html>', 'says nothing of it (HTTP 200)'],
  [524, '', 'was lost'],
])('HTTP %i without rows: what is missing is said as it is', async (status, body, said) => {
  const { options, clock } = await start();
  fleet.script.set(0, (_, response) => void response.writeHead(status).end(body));
  const { result } = await run({ ...options, settleBudgetMs: 1_000 }, { clock });
  expect(result.outcome).toBe('failed');
  expect(result.tenants[0]?.detail).toContain(said);
});
