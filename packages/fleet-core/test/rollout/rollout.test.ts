/** Canary, waves, stragglers and the verdict over them. Numbers name rows of docs/incidents.md. */
import { afterEach, describe, expect, test } from 'vitest';
import { resultSchema } from '../../src/result/result.js';
import { FakeFleet, json, NEW, OLD } from '../helpers/fake-fleet.js';
import { run } from '../helpers/run.js';

let fleet: FakeFleet;
afterEach(() => fleet.stop());

const SLUGS = ['acme', 'birch', 'cedar', 'dune', 'elm', 'fig'];
const start = async (slugs = SLUGS, sha = OLD) => {
  fleet = await FakeFleet.start(slugs, sha);
  return fleet.options;
};
const phases = () => fleet.rolls.map((roll) => roll.slugs.join(' '));

describe('waves', () => {
  test('the canary is rolled alone, soaks and proves itself before batches follow', async () => {
    const options = await start();
    const { result, sink, clock } = await run({ ...options, canary: 'cedar', soakMs: 60_000, batchSize: 2 });
    expect(phases()).toEqual(['cedar', 'acme birch', 'dune elm', 'fig']);
    expect(fleet.rolls[0]?.body).toEqual({
      target_tag: 'staging-bbbbbbb',
      confirm: true,
      only_slugs: ['cedar'],
      soak_seconds: 0,
      batch_size: 1,
      max_stragglers: 0,
    });
    expect(sink.of('soak.passed')[0]).toMatchObject({ slug: 'cedar', probes: 6 });
    expect(clock.monotonic()).toBe(60_000);
    expect(result).toMatchObject({
      outcome: 'succeeded',
      deployed: true,
      exit_code: 0,
      reason: 'all 6 tenants on target',
    });
    expect(result.tenants.map((tenant) => tenant.phase)).toEqual([
      'batch-1',
      'batch-1',
      'canary',
      'batch-2',
      'batch-2',
      'batch-3',
    ]);
    expect(resultSchema.safeParse(result).success).toBe(true);
  });

  test('batches grow while every tenant is proven, and begin small again after one that is not', async () => {
    const options = await start();
    const grown = { batchSize: 1, batchGrowth: 2 };
    await run({ ...options, ...grown });
    expect(phases()).toEqual(['acme', 'birch cedar', 'dune elm fig']);
    await fleet.stop();

    const again = await start();
    fleet.stuck.add('birch');
    const { result } = await run({ ...again, ...grown, maxStragglers: 1 });
    expect(phases()).toEqual(['acme', 'birch cedar', 'dune', 'elm fig']);
    expect(result.tenants.map(({ phase }) => phase)).toEqual([
      ...['batch-1', 'batch-2', 'batch-2', 'batch-3', 'batch-4', 'batch-4'],
    ]);
    expect(result.outcome).toBe('succeeded_with_quarantine');
  });

  test('a share of the fleet goes to the control plane of a single call as a number', async () => {
    const options = await start();
    await run({ ...options, strategy: 'single-call', batchSize: '40%' });
    expect(fleet.rolls[0]?.body.batch_size).toBe(3);
  });

  test('12: tenants on target before are left out, and a fleet on target is not rolled at all', async () => {
    const options = await start();
    fleet.tenants.set('birch', NEW);
    fleet.tenants.set('cedar', NEW);
    const first = await run({ ...options, canary: 'cedar', batchSize: 2 });
    expect(phases()).toEqual(['acme dune', 'elm fig']);
    expect(first.result.tenants.find((tenant) => tenant.slug === 'birch')).toMatchObject({
      phase: null,
      status: 'on_target',
    });
    const second = await run({ ...options, canary: 'cedar' });
    expect(second.result).toMatchObject({
      outcome: 'succeeded',
      reason: 'already on target',
      deployed: true,
    });
    expect(fleet.rolls).toHaveLength(2);
    await run({ ...options, force: true });
    expect(fleet.rolls).toHaveLength(4);
  });

  test('16: a single call carries the rollout of the control plane, the target always with it', async () => {
    const options = await start();
    const { result } = await run({
      ...options,
      strategy: 'single-call',
      canary: 'elm',
      soakMs: 45_500,
      batchSize: 4,
      maxStragglers: 1,
    });
    expect(fleet.rolls.map((roll) => roll.body)).toEqual([
      {
        target_tag: 'staging-bbbbbbb',
        confirm: true,
        canary_slug: 'elm',
        soak_seconds: 46,
        batch_size: 4,
        max_stragglers: 1,
      },
    ]);
    expect(result.outcome).toBe('succeeded');
  });
});

describe('the canary', () => {
  test('47: a control plane that passes over the canary of a single call is found out', async () => {
    const options = { ...(await start()), strategy: 'single-call' as const, canary: 'elm' };
    for (const slug of SLUGS) fleet.rows.set(slug, { phase: 'batch-1' });
    const ignored = await run(options);
    expect(ignored.result.warnings.join()).toContain('did not roll elm as a canary');
    fleet.rows.set('elm', { phase: 'canary' });
    const { result } = await run({ ...options, force: true });
    expect(result.warnings.join()).not.toContain('canary');
    expect(result.tenants.map((tenant) => tenant.phase)).toEqual([
      'batch-1',
      'batch-1',
      'batch-1',
      'batch-1',
      'canary',
      'batch-1',
    ]);
  });

  test('47: a canary that is not in the fleet stops the run before anything is rolled', async () => {
    const options = await start();
    for (const command of ['redeploy', 'plan'] as const) {
      const { result } = await run({ ...options, canary: 'nobody' }, { command });
      expect(result).toMatchObject({ outcome: 'failed', exit_code: 1 });
      expect(result.reason).toContain('nobody is not in the fleet; nothing was rolled');
    }
    expect(fleet.rolls).toHaveLength(0);
  });

  test('47: a control plane that refuses a canary that it does not know is not asked about it', async () => {
    const options = await start();
    fleet.extra = (_, response, body) => {
      if (!body.includes('"canary_slug"')) return false;
      json(response, 400, { error: 'bad_request' });
      return true;
    };
    const { result } = await run({ ...options, canary: 'nobody' });
    expect(result).toMatchObject({ outcome: 'failed', exit_code: 1 });
    expect(result.reason).toContain('nobody is not in the fleet; nothing was rolled');
  });

  test('50: a canary off target halts whatever is tolerated', async () => {
    const options = await start();
    fleet.stuck.add('cedar');
    const { result } = await run({ ...options, canary: 'cedar', maxStragglers: 5 });
    expect(result).toMatchObject({ outcome: 'failed', deployed: false, exit_code: 1 });
    expect(result.reason).toContain('halted at canary: cedar');
    expect(phases()).toEqual(['cedar']);
    expect(result.next.join()).toContain('not rolled: acme, birch');
    expect(result.counts).toMatchObject({ enumerated: 6, stale: 6 });
  });

  test('50: an ephemeral canary is not excused', async () => {
    const options = await start(['e2e-1', 'acme', 'birch']);
    fleet.stuck.add('e2e-1');
    const { result } = await run({ ...options, canary: 'e2e-1', ephemeral: ['e2e-*'] });
    expect(result.outcome).toBe('failed');
    expect(phases()).toEqual(['e2e-1']);
  });

  test('54: a canary that falls back during the soak halts the rollout', async () => {
    const options = await start();
    let probes = 0;
    fleet.onProbe = (slug) => {
      if (slug === 'cedar' && ++probes === 4) fleet.tenants.set('cedar', OLD);
    };
    const { result } = await run({ ...options, canary: 'cedar', soakMs: 60_000, maxStragglers: 5 });
    expect(result.outcome).toBe('failed');
    expect(phases()).toEqual(['cedar']);
    expect(result.tenants.find((tenant) => tenant.slug === 'cedar')?.detail).toContain('flapping');
  });

  test('51: a quarantine never covers the canary of a single call', async () => {
    const options = await start();
    fleet.stuck.add('cedar');
    const { result } = await run({ ...options, strategy: 'single-call', canary: 'cedar', maxStragglers: 1 });
    expect(result.outcome).toBe('failed');
    expect(result.reason).toContain('the canary cedar is not on target');
  });
});

describe('stragglers', () => {
  test('49: up to max-stragglers are quarantined by name', async () => {
    const options = await start();
    fleet.stuck.add('birch');
    const { result, sink } = await run({ ...options, maxStragglers: 1, batchSize: 2 });
    expect(result).toMatchObject({ outcome: 'succeeded_with_quarantine', deployed: true, exit_code: 0 });
    expect(result.reason).toContain('quarantined: birch');
    expect(result.counts).toMatchObject({ enumerated: 6, on_target: 5, stale: 1 });
    expect(sink.of('wave.unproven')[0]).toMatchObject({ stragglers: ['birch'], tolerated: true });
    expect(phases()).toHaveLength(3);
  });

  test('the tolerance counts over the whole rollout, not per batch', async () => {
    const options = await start();
    for (const slug of ['birch', 'dune']) fleet.stuck.add(slug);
    const { result } = await run({ ...options, maxStragglers: 1, batchSize: 2 });
    expect(result.outcome).toBe('failed');
    expect(phases()).toEqual(['acme birch', 'cedar dune']);
    expect(result.reason).toContain('halted at batch-2');
    expect(result.next.join()).toContain('not rolled: elm, fig');
  });

  test('51: tolerance never makes a fleet whose better half is off target a success', async () => {
    const options = await start(['acme', 'birch']);
    fleet.stuck.add('birch');
    const { result } = await run({ ...options, maxStragglers: 1 });
    expect(result.outcome).toBe('failed');
    fleet.tenants.delete('acme');
    const alone = await run({ ...options, maxStragglers: 1 });
    expect(alone.result.outcome).toBe('failed');
  });

  test('48: a tenant of which the control plane says nothing is judged by its own answer', async () => {
    const options = await start(['acme', 'birch', 'cedar']);
    fleet.stuck.add('birch');
    fleet.script.set(0, (_, response, done) => {
      done();
      json(response, 200, {
        ok: true,
        results: ['acme', 'cedar'].map((slug) => ({ slug, ssm_status: 'Success', healthz_ok: true })),
      });
    });
    const { result } = await run(options);
    expect(result.outcome).toBe('failed');
    expect(result.tenants[1]).toMatchObject({ slug: 'birch', status: 'stale' });
    expect(result.tenants[1]?.detail).toContain('said nothing about it');
  });

  test('44, 55: a batch that the control plane calls failed is decided by its tenants', async () => {
    const options = await start();
    fleet.stuck.add('acme');
    fleet.script.set(0, (roll, response, done) => {
      done();
      json(response, 500, {
        ok: false,
        error: 'x',
        results: roll.slugs.map((slug) => ({ slug, ssm_status: slug === 'acme' ? 'Failed' : 'Success' })),
      });
    });
    const { result } = await run({ ...options, maxStragglers: 1 });
    expect(result.outcome).toBe('succeeded_with_quarantine');
  });

  test('64: an old answer during the drain window is not yet stale', async () => {
    const options = await start(['acme']);
    fleet.script.set(0, (_, response) =>
      json(response, 200, { ok: true, results: [{ slug: 'acme', ssm_status: 'Success' }] }),
    );
    let probes = 0;
    fleet.onProbe = () => {
      if (++probes > 8) fleet.tenants.set('acme', NEW);
    };
    const { result } = await run({ ...options, settleBudgetMs: 240_000 });
    expect(result.outcome).toBe('succeeded');
    expect(result.tenants[0]?.on_target_after_ms).toBeGreaterThan(5_000);
  });

  test('66: budgets run at the same time: ten stuck tenants cost one', async () => {
    const options = await start(Array.from({ length: 10 }, (_, index) => `t${index}`));
    for (const slug of fleet.tenants.keys()) fleet.stuck.add(slug);
    const { result, clock } = await run({ ...options, strategy: 'single-call', settleBudgetMs: 240_000 });
    expect(result.counts.stale).toBe(10);
    expect(clock.monotonic()).toBeLessThan(250_000);
    expect(result.next.join()).toContain(
      'image: every tenant that was rolled still answers aaaaaaa, the commit from before',
    );
  });
});

describe('what the control plane says against what tenants answer', () => {
  test('53: not healthy is not on target, whatever the tenant answers', async () => {
    const options = await start(['acme', 'birch', 'cedar']);
    fleet.rows.set('birch', { healthz_ok: false });
    const { result, clock } = await run(options);
    expect(result.outcome).toBe('failed');
    expect(result.tenants[1]).toMatchObject({ status: 'unhealthy', observed_sha: NEW });
    expect(clock.monotonic()).toBe(0);
  });

  test('52: verified_on_target false against an answer on target stays on target, said loudly', async () => {
    const options = await start(['acme']);
    fleet.rows.set('acme', { verified_on_target: false });
    const { result } = await run(options);
    expect(result.outcome).toBe('succeeded');
    expect(result.tenants[0]?.detail).toContain('the control plane says it is not on target');
    expect(result.warnings.join()).toContain('acme');
  });

  test('14: Success of the control plane proves nothing', async () => {
    const options = await start(['acme']);
    fleet.stuck.add('acme');
    fleet.rows.set('acme', { verified_on_target: true });
    const { result } = await run(options);
    expect(result.outcome).toBe('failed');
    expect(result.tenants[0]?.status).toBe('stale');
  });
});

describe('ephemeral tenants', () => {
  test('56, 57: they are excused by name when they vanish, and real tenants are still judged', async () => {
    const options = await start(['acme', 'e2e-1', 'birch']);
    fleet.script.set(0, (_, response, done) => {
      done();
      fleet.tenants.delete('e2e-1');
      json(response, 500, {
        ok: false,
        results: [
          { slug: 'e2e-1', ssm_status: 'Failed', ssm_exit_code: 2 },
          { slug: 'acme', ssm_status: 'Success' },
        ],
      });
    });
    const { result } = await run({ ...options, ephemeral: ['e2e-*', 'rt-e2e-*'] });
    expect(result).toMatchObject({
      outcome: 'succeeded',
      counts: { enumerated: 3, on_target: 2, excused: 1 },
    });
    expect(result.reason).toContain('excused: e2e-1');
  });

  test('58: a fleet of nothing but excused tenants is not a success', async () => {
    const options = await start(['e2e-1', 'e2e-2']);
    for (const slug of fleet.tenants.keys()) fleet.stuck.add(slug);
    const { result } = await run({ ...options, ephemeral: ['e2e-*'] });
    expect(result).toMatchObject({ outcome: 'failed', counts: { excused: 2, on_target: 0 } });
  });
});

describe('what can be seen', () => {
  test('137: an empty fleet is a failure, never "nothing to do"', async () => {
    const options = await start([]);
    for (const command of ['redeploy', 'plan', 'verify'] as const) {
      const { result } = await run(options, { command });
      expect(result).toMatchObject({ outcome: 'failed', deployed: false, exit_code: 1 });
    }
  });

  test.each([
    ['a web page', 200, 'text/html', '<html>hello</html>'],
    ['a 404 page', 404, 'text/html', '<html>not found</html>'],
  ])(
    '63: a fleet that answers %s cannot be proven, so it is not rolled',
    async (_name, status, type, body) => {
      const options = await start();
      for (const slug of SLUGS)
        fleet.tenants.set(
          slug,
          (response) => void response.writeHead(status, { 'content-type': type }).end(body),
        );
      const { result } = await run(options);
      expect(result).toMatchObject({ outcome: 'failed', counts: { invalid: 6 } });
      expect(result.reason).toContain('nothing was rolled');
      expect(fleet.rolls).toHaveLength(0);
      const forced = await run({ ...options, force: true });
      expect(forced.result.outcome).toBe('succeeded');
    },
  );

  test('23: a fleet of builds without a commit is rolled, with a warning of what that may mean', async () => {
    const options = await start(['acme', 'birch'], 'dev');
    const { result } = await run(options);
    expect(result.outcome).toBe('succeeded');
    expect(result.warnings.join()).toContain('every tenant answers "dev" now');
  });

  test('62, 71: unreachable, invalid and stale are told apart, each with its reason', async () => {
    const options = await start(['acme', 'birch', 'cedar', 'dune']);
    for (const slug of ['birch', 'cedar', 'dune']) fleet.stuck.add(slug);
    fleet.tenants.set('birch', (response) => void response.socket?.destroy());
    fleet.tenants.set('cedar', (response) => void response.writeHead(302, { location: '/' }).end());
    fleet.tenants.set('dune', 'dev');
    const { result } = await run({ ...options, batchSize: 4 });
    expect(Object.fromEntries(result.tenants.map((tenant) => [tenant.slug, tenant.status]))).toEqual({
      acme: 'on_target',
      birch: 'unreachable',
      cedar: 'invalid',
      dune: 'stale',
    });
    expect(result.tenants[3]).toMatchObject({ observed_sha: 'dev' });
  });

  test('106: a slug that is none is refused before anything is sent to it', async () => {
    const options = await start();
    for (const slug of ['evil.com@x', 'a/../b', 'a?b', 'UPPER', 'a\nb', '-a', 'x'.repeat(64)]) {
      fleet.planRows = () => [{ slug: 'acme' }, { slug }];
      const { result } = await run(options);
      expect(result).toMatchObject({ outcome: 'control_plane_error', exit_code: 5 });
      expect(result.reason).not.toMatch(/\n/);
    }
    expect(fleet.rolls).toHaveLength(0);
    expect(fleet.probes).toHaveLength(0);
  });

  test('a tenant that appears during the roll is verified too', async () => {
    const options = await start(['acme', 'birch']);
    fleet.script.set(0, (roll, response, done) => {
      done();
      fleet.tenants.set('newcomer', OLD);
      json(response, 200, { ok: true, results: roll.slugs.map((slug) => ({ slug, ssm_status: 'Success' })) });
    });
    const { result } = await run(options);
    expect(result.outcome).toBe('failed');
    expect(result.tenants[2]).toMatchObject({ slug: 'newcomer', status: 'stale' });
    expect(result.counts.enumerated).toBe(3);
  });

  test('59: a tenant that is deleted during the roll is not proven, and the report says that it is no longer listed', async () => {
    const options = await start(['acme', 'birch']);
    fleet.script.set(0, (_, response, done) => {
      done();
      fleet.tenants.delete('birch');
      json(response, 200, { ok: true, results: [{ slug: 'acme', ssm_status: 'Success' }] });
    });
    const { result } = await run(options);
    expect(result).toMatchObject({
      outcome: 'failed',
      counts: { enumerated: 2, on_target: 1, unreachable: 1 },
    });
    expect(result.tenants[1]?.detail).toContain('no longer lists it');
    expect((await run(options)).result).toMatchObject({ outcome: 'succeeded', counts: { enumerated: 1 } });
  });

  test('confirmations: new-then-old is flapping, and not on target', async () => {
    const options = await start(['acme']);
    let probes = 0;
    fleet.stuck.add('acme');
    fleet.onProbe = () => void fleet.tenants.set('acme', probes++ % 2 ? NEW : OLD);
    const { result } = await run({ ...options, confirmations: 2, settleBudgetMs: 30_000 });
    expect(result).toMatchObject({ outcome: 'failed', counts: { stale: 1 } });
    expect(result.tenants[0]?.detail).toContain('flapping');
  });
});

describe('what the result keeps', () => {
  test('60: the commit that each tenant ran before, whatever it runs now', async () => {
    const options = await start(['acme', 'birch', 'cedar', 'dune']);
    fleet.tenants.set('birch', 'c'.repeat(40));
    fleet.tenants.set('cedar', 'dev');
    fleet.tenants.set('dune', (response) => void response.socket?.destroy());
    const { result } = await run({ ...options, batchSize: 4 });
    expect(result.outcome).toBe('succeeded');
    expect(result.tenants.map((tenant) => tenant.baseline_sha)).toEqual([OLD, 'c'.repeat(40), 'dev', null]);
  });

  test('83: deployed is said by the verdict alone: no outcome that stopped early claims it', async () => {
    const options = await start(['acme'], NEW);
    const abort = AbortSignal.abort('SIGTERM');
    expect((await run(options, { signal: abort })).result).toMatchObject({
      outcome: 'interrupted',
      deployed: false,
    });
    expect((await run({ ...options, hold: 'on' })).result).toMatchObject({
      outcome: 'held',
      deployed: false,
    });
    expect((await run(options, { command: 'plan' })).result).toMatchObject({
      outcome: 'planned',
      deployed: false,
    });
  });

  test('68: without the commit to expect there is no roll, since nothing could prove it', async () => {
    const options = await start(['acme']);
    await expect(run({ ...options, expectedSha: undefined })).rejects.toMatchObject({
      code: 'USAGE',
      option: 'expectedSha',
    });
    expect(fleet.requests).toBe(0);
  });
});

describe('commands that change nothing', () => {
  test('61: a plan probes everybody, says what it would do, rolls nothing and exits 0', async () => {
    const options = await start();
    fleet.tenants.set('acme', NEW);
    const { result, sink } = await run({ ...options, canary: 'elm', batchSize: 3 }, { command: 'plan' });
    expect(result).toMatchObject({ outcome: 'planned', deployed: false, exit_code: 0, lock: null });
    expect(result.counts).toMatchObject({ on_target: 1, stale: 5 });
    expect(result.tenants.map((tenant) => tenant.phase)).toEqual([
      null,
      'batch-1',
      'batch-1',
      'batch-1',
      'canary',
      'batch-2',
    ]);
    expect(sink.of('plan.ready')[0]?.waves).toHaveLength(3);
    expect(fleet.rolls).toHaveLength(0);
    expect(fleet.probes).toHaveLength(6);
  });

  test('verify asks until the budget ends, and knows the fleet from the control plane or from the user', async () => {
    const options = await start(['acme', 'birch'], NEW);
    expect((await run(options, { command: 'verify' })).result).toMatchObject({
      outcome: 'succeeded',
      deployed: true,
    });
    fleet.tenants.set('birch', OLD);
    const { result, sink } = await run(options, { command: 'verify' });
    expect(result).toMatchObject({ outcome: 'failed', exit_code: 1 });
    // What is wrong is said before it is waited for.
    const budget = sink.of('verify.started')[0]?.settle_budget_ms;
    expect(sink.of('verify.looked')).toMatchObject([
      {
        on_target: 1,
        of: 2,
        open: ['birch'],
        settle_budget_ms: budget,
        at: sink.of('verify.started')[0]?.at,
      },
    ]);
    const once = await run({ ...options, settleBudgetMs: 0 }, { command: 'verify' });
    expect(once.sink.codes).not.toContain('verify.looked');
    const untagged = await run({ ...options, targetTag: undefined }, { command: 'verify' });
    expect(untagged.result).toMatchObject({ target_tag: null, counts: { enumerated: 2 } });
    const plans = fleet.plans;
    const alone = await run(
      { ...options, tenant: ['acme'], controlPlane: undefined, controlPlaneToken: undefined },
      { command: 'verify' },
    );
    expect(alone.result).toMatchObject({ outcome: 'succeeded', counts: { enumerated: 1 } });
    expect(fleet.plans).toBe(plans);
    expect(fleet.rolls).toHaveLength(0);
  });
});

describe('going on', () => {
  test('a halted run names what was rolled and what was not, and the same command goes on from there', async () => {
    const options = { ...(await start()), batchSize: 2 };
    fleet.stuck.add('dune');
    const halted = await run(options);
    expect(halted.result.next).toContain('rolled and on target: acme, birch, cedar');
    expect(halted.result.next.at(-1)).toMatch(/^not rolled: elm, fig; run the same command again/);
    fleet.stuck.clear();
    const resumed = await run(options);
    expect(resumed.result).toMatchObject({ outcome: 'succeeded', counts: { on_target: 6 } });
    expect(phases()).toEqual(['acme birch', 'cedar dune', 'dune elm', 'fig']);
  });

  test('a run that was cut off is gone on with from what tenants answer now', async () => {
    const options = { ...(await start()), batchSize: 3 };
    const abort = new AbortController();
    fleet.script.set(0, (_, _response, done) => {
      done();
      abort.abort('SIGTERM');
    });
    expect((await run(options, { signal: abort.signal })).result.outcome).toBe('interrupted');
    expect((await run(options)).result.outcome).toBe('succeeded');
    expect(phases()).toEqual(['acme birch cedar', 'dune elm fig']);
  });
});

describe('endings', () => {
  test('--timeout in the middle of a roll ends in failed, with what is known', async () => {
    const options = await start();
    for (const slug of SLUGS.slice(3)) fleet.stuck.add(slug);
    const { result, clock } = await run({
      ...options,
      batchSize: 3,
      settleBudgetMs: 600_000,
      timeoutMs: 60_000,
    });
    expect(result).toMatchObject({ outcome: 'failed', exit_code: 1, counts: { on_target: 3, stale: 3 } });
    expect(result.reason).toContain('--timeout 60s');
    expect(clock.monotonic()).toBe(60_000);
    expect(clock.pending).toBe(0);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('%s ends the run as interrupted with a report of what is known', async (signal, code) => {
    const options = await start();
    const abort = new AbortController();
    fleet.script.set(0, (_, _response, done) => {
      done();
      abort.abort(signal);
    });
    const { result, clock } = await run({ ...options, batchSize: 3 }, { signal: abort.signal });
    expect(result).toMatchObject({
      outcome: 'interrupted',
      exit_code: code,
      deployed: false,
      counts: { enumerated: 6 },
    });
    expect(result.reason).toContain(`${signal} while rolling`);
    expect(clock.pending).toBe(0);
  });

  test('a sink that throws decides nothing', async () => {
    const options = await start(['acme']);
    const emit = () => {
      throw new Error('a broken reader');
    };
    expect((await run(options, { ports: { emit } })).result.outcome).toBe('succeeded');
  });
});
