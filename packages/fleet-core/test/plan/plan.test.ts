import { describe, expect, test } from 'vitest';
import { checkSlug } from '../../src/clients/control-plane/slug.js';
import type { RedeployRow } from '../../src/contract.js';
import type { EventData } from '../../src/events/events.js';
import { checkCanary, planWaves, readFleet, type WavePolicy } from '../../src/plan/plan.js';
import { applyRows } from '../../src/rollout/rows.js';
import { Ledger, type RowReport } from '../../src/verify/ledger.js';

const steady = { batchSize: 9, batchGrowth: 1, batchMax: null };

describe('the fleet that a plan lists', () => {
  test('is every tenant once, in the order of the control plane', () => {
    const rows = [{ slug: 'b' }, { slug: 'a' }, { slug: 'b' }, { slug: null }, {}, { slug: '' }];
    expect(readFleet(rows)).toEqual({
      slugs: ['b', 'a'],
      warnings: [
        'the control plane listed 3 row(s) without a tenant',
        'the control plane listed a tenant twice',
      ],
    });
    expect(readFleet([{ slug: 'a' }]).warnings).toEqual([]);
  });

  test.each<[string, RedeployRow[]]>([
    ['no rows', []],
    ['rows without a tenant', [{}, { slug: null }]],
  ])('137: of %s is a failure', (_name, rows) => {
    expect(() => readFleet(rows)).toThrow(expect.objectContaining({ code: 'FAILED', outcome: 'failed' }));
  });

  test.each([
    'a.b',
    'a/b',
    'A',
    '-a',
    'a-',
    'a b',
    'a\n',
    '../x',
    'a?x',
    'x@evil.example',
    'ü',
    'a'.repeat(64),
    '[::1]',
  ])('106: with %j in it breaks the contract, and nothing is sent there', (slug) => {
    const refused = expect.objectContaining({
      code: 'CP_CONTRACT',
      message: expect.not.stringMatching(/\n/),
    });
    expect(() => readFleet([{ slug: 'ok' }, { slug }])).toThrow(refused);
    expect(() => checkSlug(slug)).toThrow(refused);
  });

  test.each(['a', '0', 'a-b', 'a--b', 'a'.repeat(63)])('takes %s for a slug', (slug) => {
    expect(checkSlug(slug)).toBe(slug);
  });
});

describe('the waves', () => {
  const slugs = ['a', 'b', 'c', 'd', 'e'];
  test.each<[string, string | null, number, string[], [string, string[]][]]>([
    [
      'canary first, then batches in order',
      'c',
      2,
      [],
      [
        ['canary', ['c']],
        ['batch-1', ['a', 'b']],
        ['batch-2', ['d', 'e']],
      ],
    ],
    [
      'without a canary',
      null,
      3,
      [],
      [
        ['batch-1', ['a', 'b', 'c']],
        ['batch-2', ['d', 'e']],
      ],
    ],
    ['one batch for all', null, 9, [], [['batch-1', slugs]]],
    [
      'one tenant a batch',
      null,
      1,
      ['b', 'c', 'd'],
      [
        ['batch-1', ['a']],
        ['batch-2', ['e']],
      ],
    ],
    [
      'without those that are on target',
      'a',
      3,
      ['b', 'd'],
      [
        ['canary', ['a']],
        ['batch-1', ['c', 'e']],
      ],
    ],
    ['without a canary that is on target', 'a', 9, ['a'], [['batch-1', ['b', 'c', 'd', 'e']]]],
    ['the canary alone', 'a', 3, ['b', 'c', 'd', 'e'], [['canary', ['a']]]],
    ['nothing to do', 'a', 3, slugs, []],
  ])('%s', (_name, canary, batchSize, skip, expected) => {
    const waves = planWaves(slugs, (slug) => skip.includes(slug), {
      canary,
      ...{ batchSize, batchGrowth: 1, batchMax: null },
      force: false,
      soakMs: 0,
    });
    expect(waves.map(({ phase, slugs: wave }) => [phase, wave])).toEqual(expected);
  });

  test('forced, those on target are rolled as well', () => {
    const waves = planWaves(slugs, () => true, { canary: 'a', ...steady, force: true, soakMs: 60_000 });
    expect(waves.map(({ slugs: wave }) => wave)).toEqual([['a'], ['b', 'c', 'd', 'e']]);
  });

  test.each<[string, { on: string[]; soakMs?: number; soaked?: boolean }, boolean]>([
    ['others are to follow', { on: ['a'] }, true],
    ['its soak is on record', { on: ['a'], soaked: true }, false],
    ['nobody is to follow', { on: slugs }, false],
    ['it is not on target and rolled itself', { on: ['b'] }, false],
    ['no soak is wanted', { on: ['a'], soakMs: 0 }, false],
  ])('a canary on target soaks again where %s: %o, %s', (_name, { on, soakMs = 60_000, soaked }, again) => {
    const policy = { canary: 'a', ...steady, force: false, soakMs };
    const waves = planWaves(slugs, (slug) => on.includes(slug), policy, soaked);
    expect(waves.some((wave) => wave.soak_only)).toBe(again);
    if (again) expect(waves[0]).toEqual({ phase: 'canary', slugs: ['a'], soak_only: true });
  });

  test.each<[string, Partial<WavePolicy>, number[]]>([
    ['a share of the fleet, rounded up', { batchSize: '31%' }, [4, 4, 2]],
    ['a share below one tenant', { batchSize: '0.5%' }, Array(10).fill(1)],
    ['the whole fleet', { batchSize: '100%' }, [10]],
    ['that grow', { batchSize: 1, batchGrowth: 2 }, [1, 2, 4, 3]],
    ['that grow up to a limit', { batchSize: 1, batchGrowth: 2, batchMax: 3 }, [1, 2, 3, 3, 1]],
    ['a share above the limit', { batchSize: '80%', batchMax: 5 }, [5, 5]],
  ])('batches of %s: %o', (_name, policy, sizes) => {
    const ten = Array.from({ length: 10 }, (_none, index) => `t${index}`);
    const waves = planWaves(ten, () => false, {
      ...steady,
      canary: null,
      force: false,
      soakMs: 0,
      ...policy,
    });
    expect(waves.map(({ slugs: wave }) => wave.length)).toEqual(sizes);
    expect(waves.flatMap(({ slugs: wave }) => wave)).toEqual(ten);
    expect(waves.map(({ phase }) => phase)).toEqual(sizes.map((_size, index) => `batch-${index + 1}`));
  });

  test('47: a canary that is not in the fleet fails before anything is rolled', () => {
    expect(() => checkCanary('z', slugs)).toThrow(
      expect.objectContaining({
        code: 'FAILED',
        outcome: 'failed',
        slug: 'z',
        message: expect.stringMatching(/nothing was rolled/),
      }),
    );
    checkCanary('a', slugs);
    checkCanary(null, slugs);
  });

  test('the fleet is named, within bounds', () => {
    const many = Array.from({ length: 500 }, (_none, index) => `t${index}`);
    expect(() => checkCanary('z', many)).toThrow(
      expect.objectContaining({ next: expect.stringMatching(/t9 and 490 more$/) }),
    );
  });
});

describe('what the rows of a roll say', () => {
  function apply(rows: RedeployRow[], slugs = ['acme']) {
    const ledger = new Ledger(null, 1, []);
    for (const slug of ['acme', 'globex']) ledger.add(slug);
    const events: EventData[] = [];
    applyRows(ledger, (event) => events.push(event), slugs, rows);
    return { acme: ledger.get('acme'), globex: ledger.get('globex'), events };
  }

  test.each<[string, RedeployRow[], RowReport]>([
    ['nothing but the name', [{ slug: 'acme' }], { healthy: null, verified: null, failure: null }],
    [
      'all is well',
      [{ slug: 'acme', ssm_status: 'Success', ssm_exit_code: 0, healthz_ok: true, verified_on_target: true }],
      { healthy: true, verified: true, failure: null },
    ],
    [
      '52: null is no proof',
      [{ slug: 'acme', verified_on_target: null }],
      { healthy: null, verified: false, failure: null },
    ],
    [
      '52: an absent field is no word',
      [{ slug: 'acme', healthz_ok: null }],
      { healthy: null, verified: null, failure: null },
    ],
    [
      '52: two rows, false then true',
      [
        { slug: 'acme', verified_on_target: false },
        { slug: 'acme', verified_on_target: true },
      ],
      { healthy: null, verified: false, failure: null },
    ],
    [
      'two rows, true then false',
      [
        { slug: 'acme', healthz_ok: true },
        { slug: 'acme', healthz_ok: false },
      ],
      { healthy: false, verified: null, failure: null },
    ],
    [
      'two rows, a word and none',
      [{ slug: 'acme', healthz_ok: true }, { slug: 'acme' }],
      { healthy: true, verified: null, failure: null },
    ],
    [
      'two rows, the second failed',
      [
        { slug: 'acme', ssm_status: 'Success' },
        { slug: 'acme', ssm_status: 'Failed' },
      ],
      { healthy: null, verified: null, failure: 'its redeploy command ended Failed' },
    ],
    [
      'a command that timed out',
      [{ slug: 'acme', ssm_status: 'TimedOut' }],
      { healthy: null, verified: null, failure: 'its redeploy command ended TimedOut' },
    ],
    [
      '56: a command that ended with a code',
      [{ slug: 'acme', ssm_status: 'Failed', ssm_exit_code: 2 }],
      { healthy: null, verified: null, failure: 'its redeploy command ended Failed (exit code 2)' },
    ],
    [
      '53: success with a code that says otherwise',
      [{ slug: 'acme', ssm_status: 'Success', ssm_exit_code: 2 }],
      { healthy: null, verified: null, failure: 'its redeploy command ended Success (exit code 2)' },
    ],
    [
      'a code alone',
      [{ slug: 'acme', ssm_exit_code: 127 }],
      {
        healthy: null,
        verified: null,
        failure: 'its redeploy command ended without a status (exit code 127)',
      },
    ],
    [
      'a dry run where a roll was asked for',
      [{ slug: 'acme', ssm_status: 'DryRun' }],
      { healthy: null, verified: null, failure: 'its redeploy command ended DryRun' },
    ],
    [
      'a status that is no word',
      [{ slug: 'acme', ssm_status: 'i-0abc ::error::' }],
      { healthy: null, verified: null, failure: 'its redeploy command ended with an unknown status' },
    ],
    [
      '104: an error, whose words stay out',
      [{ slug: 'acme', error: 'arn:aws:iam::123456789012:role/x' }],
      { healthy: null, verified: null, failure: 'its redeploy reported an error' },
    ],
  ])('%s', (_name, rows, expected) => {
    const { acme, events } = apply(rows);
    expect(acme.row).toEqual(expected);
    expect(acme.note).toBeNull();
    expect(events).toEqual([]);
  });

  test('48: a tenant without a row is said to have none', () => {
    const { acme } = apply([]);
    expect([acme.row, acme.note]).toEqual([null, 'the control plane said nothing about it']);
  });

  test('a row of a tenant that was not asked for counts as well', () => {
    const { globex } = apply([{ slug: 'acme' }, { slug: 'globex', healthz_ok: false }]);
    expect([globex.row?.healthy, globex.note]).toEqual([false, null]);
  });

  test('a row of a tenant that nobody listed is a warning', () => {
    const { events } = apply([{ slug: 'acme' }, { slug: 'stranger' }]);
    expect(events).toEqual([{ code: 'warning', reason: expect.stringMatching(/reports on stranger/) }]);
  });

  test('a name that is no slug breaks the contract, and no row is taken', () => {
    expect(() => apply([{ slug: 'acme', healthz_ok: true }, { slug: 'a/b' }])).toThrow(
      expect.objectContaining({ code: 'CP_CONTRACT' }),
    );
  });
});
