/** A part of a fleet, and a fleet that has lost some. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { announcementsOf } from '../../src/announce/plan.js';
import { verdictOf } from '../../src/render/result.js';
import { FakeFleet, json, NEW } from '../helpers/fake-fleet.js';
import { FakeLock } from '../helpers/fake-lock.js';
import { run } from '../helpers/run.js';

let fleet: FakeFleet;
let lock: FakeLock;
beforeEach(async () => {
  fleet = await FakeFleet.start(['acme', 'birch', 'cedar', 'e2e-1']);
  lock = new FakeLock(fleet);
});
afterEach(() => fleet.stop());
const locked = () => ({ ...fleet.options, noLock: undefined, lockGroup: 'staging' });

describe('a part of the fleet', () => {
  test.each(['scoped', 'single-call'] as const)(
    '%s: only what is meant is rolled, and never counts as deployed',
    async (strategy) => {
      const { result } = await run({ ...locked(), strategy, only: ['a*', 'birch'], exclude: ['acme'] });
      expect(fleet.rolls.map((roll) => roll.body.only_slugs)).toEqual([['birch']]);
      expect(result).toMatchObject({
        ...{ outcome: 'succeeded', exit_code: 0, deployed: false },
        reason: 'all 1 tenants on target; 1 of 4 tenants: --only a* --only birch --exclude acme',
        scope: { only: ['a*', 'birch'], exclude: ['acme'], tenants: 1, of: 4 },
        counts: { enumerated: 1, on_target: 1 },
      });
      expect(verdictOf(result)).toMatch(/^PART OF THE FLEET: 1 of 1 tenant .* NOT deployed/);
      expect(announcementsOf(result)).toEqual({ status: 'warning', alert: null });
      expect(lock.of('release')[0]?.body).toMatchObject({
        result: 'not_proven',
        rollout: { slugs: ['acme', 'birch', 'cedar', 'e2e-1'] },
      });
    },
  );

  test('a scope that takes everybody is the whole fleet', async () => {
    const { result } = await run({ ...locked(), exclude: ['rt-*'] });
    expect(result).toMatchObject({ deployed: true, scope: { tenants: 4, of: 4 } });
    expect(lock.of('release')[0]?.body.result).toBe('proven');
  });

  test('what comes while others are rolled is not meant either', async () => {
    fleet.script.set(0, (roll, response, done) => {
      done();
      fleet.tenants.set('dune', NEW);
      json(response, 200, { ok: true, results: roll.slugs.map((slug) => ({ slug })) });
    });
    const { result } = await run({ ...locked(), only: ['birch'] });
    expect(result.tenants.map(({ slug }) => slug)).toEqual(['birch']);
  });

  test.each([
    [{ only: ['nobody'] }, '--only nobody is of no tenant of the fleet'],
    [{ only: ['acme'], exclude: ['acme'] }, 'leave no tenant of the fleet'],
  ])('%o: nothing to prove is no success', async (scope, reason) => {
    const { result } = await run({ ...locked(), ...scope });
    expect(result).toMatchObject({ outcome: 'failed', deployed: false });
    expect(result.reason).toContain(reason);
    expect(fleet.rolls).toEqual([]);
  });

  test('a canary outside of it is said', async () => {
    const { result } = await run({ ...locked(), only: ['birch'], canary: 'acme' });
    expect(result).toMatchObject({
      outcome: 'succeeded',
      warnings: [expect.stringContaining('the canary acme is not in the scope')],
    });
  });

  test('verify and plan know it too', async () => {
    const planned = await run({ ...locked(), only: ['birch'] }, { command: 'plan' });
    expect(planned.result.reason).toBe('1 of 1 tenant would be rolled in 1 wave');
    fleet.tenants.set('birch', NEW);
    const verified = await run({ ...locked(), only: ['birch'] }, { command: 'verify' });
    expect(verified.result).toMatchObject({ outcome: 'succeeded', deployed: false, scope: { of: 4 } });
  });
});

describe('a fleet that has lost tenants', () => {
  beforeEach(async () => {
    await run(locked());
    fleet.tenants.delete('acme');
    fleet.tenants.delete('e2e-1');
    for (const slug of fleet.tenants.keys()) fleet.tenants.set(slug, 'a'.repeat(40));
    fleet.rolls.length = 0;
  });

  test('is refused, with their names; ephemeral ones may go', async () => {
    const { result } = await run({ ...locked(), ephemeral: ['e2e-*'] });
    expect(result).toMatchObject({ outcome: 'refused', exit_code: 4 });
    expect(result.reason).toBe(
      'the control plane does not list 1 tenant that the last rollout had: acme; nothing was rolled',
    );
    expect(result.next.join()).toContain('--allow-missing acme');
    expect(fleet.rolls).toEqual([]);
    const again = await run({ ...locked(), ephemeral: ['e2e-*'] });
    expect(again.result.outcome).toBe('refused');
  });

  test('is rolled where somebody says that they may be gone, and then for good', async () => {
    const { result } = await run({ ...locked(), ephemeral: ['e2e-*'], allowMissing: ['acme'] });
    expect(result).toMatchObject({ outcome: 'succeeded', counts: { enumerated: 2 } });
    expect((await run({ ...locked(), ephemeral: ['e2e-*'] })).result.outcome).toBe('succeeded');
  });

  test('is rolled where somebody says how many may be gone, and names them', async () => {
    const few = await run({ ...locked(), allowMissing: ['1'] });
    expect(few.result).toMatchObject({ outcome: 'refused', reason: expect.stringContaining('acme, e2e-1') });
    expect(fleet.rolls).toEqual([]);
    const { result } = await run({ ...locked(), allowMissing: ['2'] });
    expect(result).toMatchObject({
      ...{ outcome: 'succeeded', counts: { enumerated: 2 } },
      warnings: ['gone since the last rollout, which --allow-missing allows: acme, e2e-1'],
    });
  });

  test.each(['redeploy', 'verify', 'plan'] as const)(
    '%s: --min-tenants says so without a record',
    async (command) => {
      lock.rollouts = [];
      const { result } = await run({ ...locked(), minTenants: 3 }, { command });
      const said = 'the control plane lists 2 tenants, and there must be at least 3';
      if (command === 'plan') expect(result.warnings.join()).toContain(said);
      else expect(result).toMatchObject({ outcome: 'refused', reason: expect.stringContaining(said) });
      expect(fleet.rolls).toEqual([]);
    },
  );
});
