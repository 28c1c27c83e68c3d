import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { oneLine, redact } from '../../src/text/sanitize.js';

describe('one line', () => {
  test.each([
    ['line breaks', 'a\r\nb\nc\u2028d\u2029e\u0085f', 'a b c d e f'],
    ['tabs, bells and zero bytes', 'a\tb\u0007c\u0000d', 'a b c d'],
    ['colours of a terminal', '\u001b[31mred\u001b[0m', '[31mred [0m'],
    ['text that runs backwards', 'a\u202egpj.exe\u2066b\u061cc', 'a gpj.exe b c'],
    ['letters without width', 'a\u200bb\u2060c\ufeffd\u00ade', 'a b c d e'],
    ['invisible tags', 'a\u{e0041}\u{e007f}b', 'a b'],
    ['half of a pair', 'a\ud83db', 'a b'],
    ['a workflow command', '::error::boom', ': :error: :boom'],
    ['a workflow command after a break', 'ok\n::set-output name=x::1', 'ok : :set-output name=x: :1'],
    ['a workflow command behind a colon', ':::error::x', ': : :error: :x'],
    ['a workflow command in two halves', ':\u200b:error:\u200b:x', ': :error: :x'],
    ['a group', '##[group]x', '# #[group]x'],
    ['a group behind a sharp', '###[group]x', '## #[group]x'],
    ['letters of all the world', '  Ünïcödé 日本 👍🏽 ', 'Ünïcödé 日本 👍🏽'],
  ])('of %s', (_name, text, expected) => {
    expect(oneLine(text)).toBe(expected);
  });

  test('is bounded, and says so', () => {
    expect(oneLine('x'.repeat(1_000))).toBe(`${'x'.repeat(199)}…`);
    expect(oneLine('x'.repeat(200))).toBe('x'.repeat(200));
    expect(oneLine('x'.repeat(1e7), 5)).toBe('xxxx…');
  });

  test('is read no further than it can reach', () => {
    expect(oneLine(`${'\n'.repeat(800)}x`)).toBe('');
    expect(oneLine(`${'\n'.repeat(799)}x`)).toBe('x');
  });

  test('is not cut in the middle of a letter', () => {
    expect(oneLine('👍👍👍', 4)).toBe('👍…');
  });

  const hostile = fc.string({
    unit: fc.constantFrom('a', ':', '#', '[', '\n', '\u202e', '\u200b', '👍', '\ud83d', ' '),
  });
  test('is harmless and bounded for any text', () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 1, max: 40 }), (text, max) => {
        const line = oneLine(text, max);
        expect(line).not.toMatch(/::|##\[|[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        expect(line.length).toBeLessThanOrEqual(max);
        expect(oneLine(line, max)).toBe(line);
      }),
    );
  });
});

describe('104: what identifies accounts, machines and credentials is masked', () => {
  test.each([
    [
      'a role',
      'AccessDenied for arn:aws:sts::123456789012:assumed-role/cp-prod/i-0abc123def',
      'AccessDenied for [arn]',
    ],
    ['a bucket', 'cannot read arn:aws:s3:::acme-backups/db.sql', 'cannot read [arn]'],
    [
      'an instance',
      'instance i-0123456789abcdef0 is not in a valid state',
      'instance [resource] is not in a valid state',
    ],
    ['a managed instance', 'mi-0123456789abcdef0 timed out', '[resource] timed out'],
    ['a network', 'vpc-0a1b2c3d subnet-0a1b2c3d sg-0a1b2c3d', '[resource] [resource] [resource]'],
    ['an account', 'account 123456789012 is closed', 'account [account] is closed'],
    ['an account with dashes', 'account 1234-5678-9012 is closed', 'account [account] is closed'],
    [
      'a registry',
      'pull 123456789012.dkr.ecr.eu-central-1.amazonaws.com failed',
      'pull [account].dkr.ecr.eu-central-1.amazonaws.com failed',
    ],
    ['an address', 'dial tcp 10.0.3.17:5432: refused', 'dial tcp [ip]: refused'],
    ['an address as a host name', 'ip-10-0-3-17.ec2.internal', '[ip].ec2.internal'],
    ['a long address', 'from 2001:0db8:85a3:0000:0000:8a2e:0370:7334', 'from [ip]'],
    ['a short long address', 'from fd00::1 and 2001:db8::8a2e:370 and ::1', 'from [ip] and [ip] and [ip]'],
    ['a mail', 'ask anna.b+ops@example.co.uk', 'ask [address]'],
    ['a URL', 'GET https://user:pw@cp.internal/x?token=abc failed', 'GET [url] failed'],
    ['a connection text', 'postgres://cp:hunter2@db:5432/cp is down', '[url] is down'],
    ['an access key', 'key AKIAIOSFODNN7EXAMPLE is revoked', 'key [key] is revoked'],
    ['a secret key', 'secret wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'secret [long value]'],
    ['a bearer token', 'Authorization: Bearer s3cr3t-value rejected', 'Authorization: [credential] rejected'],
    ['111: the beginning of a token', 'token 1a2b3c4d is unknown', '[credential] is unknown'],
    ['a value by its name', 'password=hunter2&x=1', '[credential]&x=1'],
    ['a value in JSON', '{"api_key":"a1b2c3d4","n":1}', '{"[credential]","n":1}'],
    ['a web token', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln is old', '[credential] is old'],
    ['an id', 'command 8d6f2f0e-3c0b-4f53-a8b8-6f3a1d0c7e52 failed', 'command [uuid] failed'],
    ['a long value', `digest ${'0123456789abcdef'.repeat(4)}`, 'digest [long value]'],
  ])('%s', (_name, text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  test('a cut leaves no piece that is no longer known for what it is', () => {
    const text = `${'word '.repeat(398)}ab arn:aws:iam::123456789012:role/cp`;
    expect(redact(text, 4_000)).not.toMatch(/arn|1234/);
  });

  test('masks make no workflow command', () => {
    expect(redact('##arn:aws:s3:::x')).toBe('# #[arn]');
  });

  test('takes no long time over any text', () => {
    const started = performance.now();
    for (const piece of ['a-', 'a.', 'token', 'a@', '1.', ':a', 'eyJ', '::', 'x'])
      redact(piece.repeat(5_000_000 / piece.length));
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe('a plain sentence stays as it is', () => {
  test.each([
    'tenant acme did not become healthy within 120s',
    'the token expired yesterday',
    'the token: expired',
    'invalid token provided',
    'basic authentication is required',
    'the secret was rotated',
    'canary halted at 12:34:56, 3 of 17 tenants remain',
    'InvalidInstanceId: instances not in a valid state for account',
    'exit code 127 (command not found)',
    'rolled batch-12 on 2026-01-02 with staging-a14cf86',
    'HTTP 502 after 20000 ms',
    'version 1.22.6 is too old',
    'batch B2C20260102030405 of E2E202601020304 is late',
  ])('%s', (sentence) => {
    expect(redact(sentence)).toBe(sentence);
  });
});
