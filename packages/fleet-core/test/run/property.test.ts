/**
 * What no run may ever do, over random fleets, behaviours and control planes.
 *
 * FLEET_TEST_PROPERTY_RUNS sets the number of cases (default 2 000; CI runs 10 000), FLEET_TEST_SEED repeats one run.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { redeployFleet } from '../../src/index.js';
import { exitCodeOf, isDeployed } from '../../src/result/outcome.js';
import { addsUp, resultSchema } from '../../src/result/result.js';
import { ManualClock } from '../../src/testing/index.js';
import { seed } from '../helpers/property.js';
import { type Fate, type Nature, NEW, runFast, World, type WorldPlan } from '../helpers/world.js';

const runs = Number(process.env.FLEET_TEST_PROPERTY_RUNS ?? 2_000);

const often = <T>(weight: number, value: T, ...rest: T[]) =>
  fc.oneof(
    { weight, arbitrary: fc.constant(value) },
    ...rest.map((other) => ({ weight: 1, arbitrary: fc.constant(other) })),
  );
const tenant = fc.record({
  nature: often<Nature>(
    10,
    'moves',
    'drains',
    'stuck',
    'dies',
    'html',
    'unhealthy',
    'flaps',
    'falls-back',
    'dev',
  ),
  start: often<WorldPlan['tenants'][number]['start']>(8, 'old', 'new', 'dev', 'gone', 'html'),
  ephemeral: often(5, false, true),
});
const fate = often<Fate>(
  12,
  'ok',
  'rows-500',
  'bad-gateway',
  'gateway-timeout',
  'dies-before',
  'dies-after',
  'edge',
  'html',
  'draining',
  'silent-row',
  'halts',
  'denied',
);
const scenario = fc.record({
  tenants: fc.array(tenant, { maxLength: 7 }),
  fates: fc.array(fate, { maxLength: 6 }),
  strategy: often<'scoped' | 'single-call'>(3, 'scoped', 'single-call'),
  canary: fc.option(fc.nat(7), { nil: null }),
  batchSize: fc.integer({ min: 1, max: 4 }),
  maxStragglers: fc.nat(3),
  confirmations: fc.integer({ min: 1, max: 3 }),
  soakMs: fc.constantFrom(0, 5_000, 60_000),
  settleBudgetMs: fc.constantFrom(0, 2_000, 30_000),
  force: often(5, false, true),
});

test(`${runs} random runs: nothing is claimed that was not answered, nothing is rolled that should not be`, async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const clock = new ManualClock();
      const tenants = given.tenants.map(({ ephemeral, ...rest }, index) => ({
        ...rest,
        slug: `${ephemeral ? 'e2e-' : 't'}${index}`,
      }));
      const world = new World({ tenants, fates: given.fates }, clock);
      const slugs = tenants.map(({ slug }) => slug);
      const canary = given.canary === null ? undefined : (slugs[given.canary] ?? 'nobody');
      const { strategy, batchSize, maxStragglers, force } = given;
      const result = await runFast(
        clock,
        redeployFleet(
          {
            controlPlane: 'http://127.0.0.1:9',
            controlPlaneToken: 'secret-token',
            tenantUrl: 'http://127.0.0.1:9/t/{slug}',
            targetTag: 'staging-bbbbbbb',
            expectedSha: NEW,
            noLock: true,
            ephemeral: ['e2e-*'],
            timeoutMs: 24 * 3_600_000,
            ...{ strategy, batchSize, maxStragglers, force, canary },
            confirmations: given.confirmations,
            soakMs: given.soakMs,
            settleBudgetMs: given.settleBudgetMs,
          },
          { ports: { clock, http: world.http } },
        ),
      );

      // Accounting and agreement.
      expect(resultSchema.safeParse(result).success).toBe(true);
      expect(addsUp(result.counts)).toBe(true);
      expect(result.exit_code).toBe(exitCodeOf(result.outcome, { askedBy: 'human' }));
      expect(result.deployed).toBe(isDeployed(result.outcome));
      expect(new Set(result.tenants.map((entry) => entry.slug)).size).toBe(result.tenants.length);
      expect(clock.pending).toBe(0);

      // "Deployed" is what the tenants said last.
      const last = (slug: string) => world.tenants.get(slug)?.lastAnswer;
      for (const entry of result.tenants) {
        if (entry.status === 'on_target') expect(last(entry.slug)).toBe(NEW);
        if (entry.status === 'excused') expect(entry.slug).toMatch(/^e2e-/);
      }
      if (result.deployed) {
        const off = slugs.filter((slug) => last(slug) !== NEW && !slug.startsWith('e2e-'));
        const on = result.counts.on_target;
        expect(result.tenants.map((entry) => entry.slug)).toEqual(slugs);
        expect(on).toBeGreaterThan(0);
        expect(off.length).toBeLessThanOrEqual(maxStragglers);
        if (result.outcome === 'succeeded') expect(off).toEqual([]);
        if (result.outcome === 'succeeded_with_quarantine')
          expect(on * 2).toBeGreaterThan(slugs.length - result.counts.excused);
        if (canary) expect(last(canary)).toBe(NEW);
      }

      // Nothing is rolled that was seen on target, and again only what the contract calls repeatable.
      const sent = new Map<string, Fate[]>();
      for (const roll of world.rolls) {
        if (!force) expect(roll.knownOnTarget).toEqual([]);
        if (strategy === 'scoped') expect(roll.slugs.length).toBeLessThanOrEqual(batchSize);
        for (const slug of roll.slugs) {
          for (const before of sent.get(slug) ?? [])
            expect(['bad-gateway', 'gateway-timeout', 'draining']).toContain(before);
          sent.set(slug, [...(sent.get(slug) ?? []), roll.fate]);
        }
      }
      // Nobody is rolled before the canary is proven.
      if (strategy === 'scoped' && canary && world.rolls.length > 0) {
        const others = world.rolls.filter((roll) => !roll.slugs.includes(canary));
        const first = world.rolls.findIndex((roll) => !roll.slugs.includes(canary));
        if (others.length)
          expect(world.rolls.slice(first).some((roll) => roll.slugs.includes(canary))).toBe(false);
        if (others.length && result.outcome === 'failed' && !result.reason.includes('halted at batch'))
          expect(slugs).toContain(canary);
      }
    }),
    { numRuns: runs, seed, path: process.env.FLEET_TEST_PATH },
  );
}, 3_600_000);
