import { describe, expect, test } from 'vitest';
import type * as z from 'zod';
import * as contract from '../src/contract.js';

const SHA = '0123456789abcdef0123456789abcdef01234567';
const UUID = '8d6f2f0e-3c0b-4f53-a8b8-6f3a1d0c7e52';
const SESSION = 'session-1';
const schemas: Record<string, unknown> = { ...contract };
const takes = (schema: z.ZodType, value: unknown) => schema.safeParse(value).success;

describe('words', () => {
  test.each<[keyof typeof contract, unknown[], unknown[]]>([
    [
      'slugSchema',
      ['a', '0', 'a-b', 'a'.repeat(63)],
      ['', 'A', '-a', 'a-', 'a.b', 'a_b', 'a/b', 'a\n', 'ü', 'a'.repeat(64), 7, null],
    ],
    [
      'lockGroupSchema',
      ['a', '0', 'staging', 'a.b_c-d', `a${'.'.repeat(62)}`],
      ['', '.a', '-a', '_a', 'A', 'a/b', 'a b', 'a\n', 'a'.repeat(64)],
    ],
    [
      'shaSchema',
      [SHA, SHA.toUpperCase()],
      ['', 'dev', SHA.slice(1), `${SHA}0`, ` ${SHA}`, `${SHA}\n`, 'g'.repeat(40), null],
    ],
    [
      'tagSchema',
      ['latest', 'staging-a1b2c3d', '_x', 'A.b', 'a'.repeat(128)],
      ['', '.a', '-a', 'a:b', 'a/b', 'a b', 'a\n', 'a'.repeat(129)],
    ],
    [
      'fencingTokenSchema',
      [1, Number.MAX_SAFE_INTEGER],
      [0, -1, 1.5, Number.MAX_SAFE_INTEGER + 1, '1', null, Number.NaN],
    ],
    ['claimIdSchema', [UUID], ['', 'x', UUID.slice(1), `${UUID}/..`]],
    [
      'sessionSchema',
      ['12345678', 'a'.repeat(128), 'A-z_0-9x'],
      ['1234567', 'a'.repeat(129), 'a b c d e', 'a/b/c/d/'],
    ],
  ])('%s', (name, good, bad) => {
    const schema = schemas[name] as z.ZodType;
    expect(good.filter((value) => !takes(schema, value))).toEqual([]);
    expect(bad.filter((value) => takes(schema, value))).toEqual([]);
  });

  test('a commit is brought into small letters', () => {
    expect(contract.shaSchema.parse(SHA.toUpperCase())).toBe(SHA);
  });
});

describe('a redeploy request', () => {
  const request = { target_tag: 'a', confirm: true };
  test.each<[string, unknown, boolean]>([
    ['the least that there is', request, true],
    [
      'all that there is',
      {
        ...request,
        dry_run: true,
        canary_slug: 'a',
        soak_seconds: 0,
        batch_size: 1,
        only_slugs: ['a'],
        max_stragglers: 0,
      },
      true,
    ],
    ['16: no tag', { confirm: true }, false],
    ['34: no confirmation', { target_tag: 'a' }, false],
    ['a confirmation that is none', { ...request, confirm: false }, false],
    ['a scope of nobody', { ...request, only_slugs: [] }, false],
    ['a scope of no slug', { ...request, only_slugs: ['a/b'] }, false],
    ['an empty canary', { ...request, canary_slug: '' }, false],
    ['a batch of nobody', { ...request, batch_size: 0 }, false],
    ['half a second', { ...request, soak_seconds: 0.5 }, false],
    ['a misspelt field', { ...request, max_straglers: 1 }, false],
  ])('%s: %j', (_name, value, expected) => {
    expect(takes(contract.redeployRequestSchema, value)).toBe(expected);
  });
});

describe('a redeploy answer', () => {
  test.each<[string, unknown, boolean]>([
    [
      'rows of today',
      { ok: true, results: [{ slug: 'a', ssm_status: 'Success', ssm_exit_code: 0, healthz_ok: true }] },
      true,
    ],
    ['fields of tomorrow', { ok: true, results: [{ slug: 'a', later: { x: 1 } }], later: [] }, true],
    [
      'nulls',
      {
        ok: false,
        error: null,
        results: [
          {
            slug: null,
            phase: null,
            ssm_exit_code: null,
            healthz_ok: null,
            verified_on_target: null,
            error: null,
          },
        ],
      },
      true,
    ],
    ['no rows', { ok: false, error: 'x' }, true],
    ['null for rows', { ok: true, results: null }, true],
    ['no `ok`', { results: [] }, false],
    ['`ok` as a text', { ok: 'true', results: [] }, false],
    ['rows that are a mapping', { ok: true, results: { a: {} } }, false],
    ['health as a text', { ok: true, results: [{ healthz_ok: 'true' }] }, false],
    ['38: a list', [], false],
    ['null', null, false],
  ])('%s: %j', (_name, value, expected) => {
    expect(takes(contract.redeployAnswerSchema, value)).toBe(expected);
  });

  test('has rows, if only none', () => {
    expect(contract.redeployAnswerSchema.parse({ ok: true }).results).toEqual([]);
  });

  test('52: keeps null and absent apart', () => {
    const { results } = contract.redeployAnswerSchema.parse({
      ok: true,
      results: [{ verified_on_target: null }, {}],
    });
    expect(results.map((row) => 'verified_on_target' in row)).toEqual([true, false]);
  });
});

describe('the lock', () => {
  const claim = { session: SESSION, ttl_seconds: 30, holder: { name: 'x' } };
  test.each<[string, keyof typeof contract, unknown, boolean]>([
    ['a claim', 'claimRequestSchema', claim, true],
    [
      'a claim with all',
      'claimRequestSchema',
      { ...claim, order: { key: 'o/r@main', number: 0 }, max_hold_seconds: 1 },
      true,
    ],
    ['a lease too short', 'claimRequestSchema', { ...claim, ttl_seconds: 1.9 }, false],
    ['a lease too long', 'claimRequestSchema', { ...claim, ttl_seconds: 3_601 }, false],
    ['a holder without a name', 'claimRequestSchema', { ...claim, holder: { name: '' } }, false],
    [
      'a holder whose link is no web page',
      'claimRequestSchema',
      { ...claim, holder: { name: 'x', run_url: 'javascript:alert(1)' } },
      false,
    ],
    ['a field nobody knows', 'claimRequestSchema', { ...claim, priority: 1 }, true],
    ['an order below nothing', 'claimRequestSchema', { ...claim, order: { key: 'k', number: -1 } }, false],
    ['held', 'claimHeldSchema', { state: 'held', fencing_token: 1, ttl_seconds: 30, acquired_at: 'x' }, true],
    ['held without a token', 'claimHeldSchema', { state: 'held', ttl_seconds: 30, acquired_at: 'x' }, false],
    [
      'held for no time',
      'claimHeldSchema',
      { state: 'held', fencing_token: 1, ttl_seconds: 0, acquired_at: 'x' },
      false,
    ],
    ['queued', 'claimQueuedSchema', { state: 'queued', position: 1, queue_length: 1 }, true],
    ['queued at no place', 'claimQueuedSchema', { state: 'queued', position: 0, queue_length: 1 }, false],
    ['a renewal', 'renewRequestSchema', { session: SESSION, fencing_token: 7, step: 'rolling' }, true],
    ['a renewal without a token', 'renewRequestSchema', { session: SESSION }, false],
    ['a release from the queue', 'releaseRequestSchema', { session: SESSION }, true],
    [
      'a release with a result',
      'releaseRequestSchema',
      { session: SESSION, fencing_token: 7, result: 'proven' },
      true,
    ],
    ['a release with another result', 'releaseRequestSchema', { session: SESSION, result: 'fine' }, false],
    ['a break', 'breakRequestSchema', { fencing_token: 7, reason: 'dead', actor: 'anna' }, true],
    [
      'a break without a reason',
      'breakRequestSchema',
      { fencing_token: 7, reason: '', actor: 'anna' },
      false,
    ],
    [
      'a freeze with an end',
      'freezeRequestSchema',
      { reason: 'x', actor: 'anna', until: '2026-01-01T00:00:00+02:00' },
      true,
    ],
    [
      'a freeze until someday',
      'freezeRequestSchema',
      { reason: 'x', actor: 'anna', until: 'tomorrow' },
      false,
    ],
    [
      'a free lock',
      'lockStatusSchema',
      { group: 'g', version: 0, held: null, queue: [], frozen: null, last_fencing_token: 0 },
      true,
    ],
    [
      'a lock without a queue',
      'lockStatusSchema',
      { group: 'g', version: 0, held: null, frozen: null, last_fencing_token: 0 },
      false,
    ],
    [
      'a problem',
      'problemSchema',
      { error: 'superseded', by: { number: 7, holder: { name: 'x' } }, later: 1 },
      true,
    ],
    ['a problem without a code', 'problemSchema', { message: 'x' }, false],
  ])('%s', (_name, schema, value, expected) => {
    expect(takes(schemas[schema] as z.ZodType, value)).toBe(expected);
  });
});
