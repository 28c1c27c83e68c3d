import { describe, expect, test } from 'vitest';
import { checkOptions } from '../../src/config/check-options.js';
import { parseDuration } from '../../src/config/duration.js';
import { globProblem, matcherOf } from '../../src/config/glob.js';
import { parseSwitch } from '../../src/config/switch.js';
import { formatDuration } from '../../src/text/duration.js';
import { gitea, good } from '../helpers/options.js';
import { usageOf } from '../helpers/usage.js';

// biome-ignore lint/suspicious/noTemplateCurlyInString: what CI leaves is exactly this text
const LEFT_BY_CI = '${{ secrets.TOKEN }}';

describe('a duration', () => {
  test.each([
    ['250ms', 250],
    ['90s', 90_000],
    ['4m', 240_000],
    ['1h', 3_600_000],
    ['1.5h', 5_400_000],
    ['0.25s', 250],
    ['0s', 0],
    [' 5s ', 5_000],
    ['168h', 604_800_000],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text, '--soak')).toBe(ms);
  });

  test.each([
    ['60', /--soak: "60" has no unit/, /60s or 60m/],
    ['0', /"0" has no unit/, /0s/],
    ['1.5', /"1.5" has no unit/, /1.5s/],
    ['-5s', /"-5s" is not a duration/, /for example/],
    ['5 s', /is not a duration/, /for example/],
    ['5S', /is not a duration/, /for example/],
    ['5d', /is not a duration/, /for example/],
    ['1h30m', /is not a duration/, /for example/],
    ['1e3s', /is not a duration/, /for example/],
    ['.5s', /is not a duration/, /for example/],
    ['5,5s', /is not a duration/, /for example/],
    ['٣s', /is not a duration/, /for example/],
    ['', /is not a duration/, /for example/],
    ['s', /is not a duration/, /for example/],
    ['Infinity', /is not a duration/, /for example/],
    ['169h', /longer than a week/, /168h/],
    [`${'9'.repeat(400)}h`, /longer than a week/, /168h/],
    ['soon\n::error::x', /is not a duration/, /for example/],
  ])('%j is refused', async (text, message, next) => {
    const error = await usageOf(() => parseDuration(text, '--soak'));
    expect(error).toMatchObject({ option: '--soak', message: expect.stringMatching(message) });
    expect(error.next).toMatch(next);
  });

  test.each([
    [0, '0ms'],
    [850.4, '850ms'],
    [999.6, '1s'],
    [1_500, '1.5s'],
    [9_960, '10s'],
    [12_345, '12s'],
    [59_499, '59s'],
    [59_500, '1m'],
    [250_000, '4m 10s'],
    [3_599_600, '1h'],
    [3_900_000, '1h 5m'],
    [90_000_000, '25h'],
  ])('of %d ms is said as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('91: one parser reads every kill switch', () => {
  test.each([
    ...['1', 'true', 'yes', 'on', 'disabled', 'disable', 'TRUE', ' On ', 'Disabled\n'].map((v) => [
      v,
      'armed',
    ]),
    ...['', ' ', '0', 'false', 'no', 'off', 'OFF', 'False\n'].map((v) => [v, 'off']),
    ...['y', 'n', '2', 'enabled', 'enable', 'null', '-1', 'on off', 'truе', LEFT_BY_CI].map((v) => [
      v,
      'unknown',
    ]),
  ])('%j is %s', (value, meaning) => {
    expect(parseSwitch(value as string)).toBe(meaning);
  });
});

describe('a token', () => {
  const check = (value: string | undefined) =>
    checkOptions('redeploy', { ...good, controlPlaneToken: value }).controlPlaneToken;

  test.each([
    ['as it is', 'abc.DEF-123_~+/=', 'abc.DEF-123_~+/='],
    ['without the line break at the end of its file', 's3cr3t-value\r\n', 's3cr3t-value'],
    ['without a byte order mark', '\ufeffs3cr3t-value', 's3cr3t-value'],
    ['that only contains a null', 'nullable', 'nullable'],
  ])('is taken %s', (_name, value, token) => {
    expect(check(value)).toBe(token);
  });

  test.each([
    ['absent', undefined, /is missing/],
    ['empty', '', /is missing/],
    ['white space', ' \n\t', /is missing/],
    ['108: the text null', 'null', /not a token/],
    ['108: the text None', 'None', /not a token/],
    ['the text undefined', 'undefined', /not a token/],
    ['the text false', 'FALSE', /not a token/],
    ['a mask', '***', /not a token/],
    ['an expression that CI left', LEFT_BY_CI, /not a token/],
    ['an expression without a space', LEFT_BY_CI.replaceAll(' ', ''), /not a token/],
    ['several lines', 's3cr3t\nvalue', /not a token/],
    ['words', 's3cr3t value', /not a token/],
    ['a control character', 's3cr3t\u0000value', /not a token/],
    ['letters that no header can carry', 's3cr3t-välue', /not a token/],
    ['a header with it', 'Bearer s3cr3t', /not a token/],
  ])('is refused: %s', async (_name, value, message) => {
    const error = await usageOf(() => check(value));
    expect(error).toMatchObject({ option: 'FLEET_CP_TOKEN', message: expect.stringMatching(message) });
    expect(`${error.message}${error.next}${error.stack}`).not.toContain('s3cr3t');
    expect(error.cause).toBeUndefined();
  });

  test('that is missing can be given in two ways', async () => {
    expect((await usageOf(() => check(''))).next).toBe('give --token-file, or set FLEET_CP_TOKEN');
  });

  test('of Gitea is asked for by its own name', async () => {
    const rest = { ...good, ...gitea, giteaToken: 'null' };
    expect((await usageOf(() => checkOptions('redeploy', rest))).option).toBe('GITEA_TOKEN');
  });
});

describe('a glob of ephemeral tenants', () => {
  test.each([
    ['e2e-*', ['e2e-', 'e2e-1', 'e2e-a-b'], ['rt-e2e-1', 'acme', 'e2e']],
    ['*-e2e', ['a-e2e'], ['e2e', 'a-e2e-b']],
    ['{e2e,rt-e2e}-*', ['e2e-1', 'rt-e2e-1'], ['rt-1']],
    ['e2e-?', ['e2e-1'], ['e2e-12', 'e2e-']],
    ['e2e-[0-9]*', ['e2e-1x'], ['e2e-x']],
    ['acme', ['acme'], ['acme2']],
  ])('%s', (glob, yes, no) => {
    expect(globProblem(glob)).toBeNull();
    const matches = matcherOf([glob]);
    expect(yes.filter((slug) => !matches(slug))).toEqual([]);
    expect(no.filter(matches)).toEqual([]);
  });

  test.each([
    ['*', /matches every tenant/],
    ['**', /matches every tenant/],
    ['?*', /matches every tenant/],
    ['*?*', /matches every tenant/],
    ['{*,e2e-*}', /matches every tenant/],
    ['[a-z]*', /matches every tenant/],
    ['[!e]*', /is not a glob/],
    ['!e2e-*', /is not a glob/],
    ['e2e-*,rt-*', /is not a glob/],
    ['{e2e', /is not a glob/],
    ['e2e}-*', /is not a glob/],
    ['E2E-*', /is not a glob/],
    ['e2e/*', /is not a glob/],
    ['@(e2e)', /is not a glob/],
    ['', /is not a glob/],
    ['e'.repeat(101), /is not a glob/],
  ])('%j is refused', (glob, problem) => {
    expect(globProblem(glob)?.[0]).toMatch(problem);
  });

  test('matches nobody where none is given', () => {
    expect(matcherOf([])('e2e-1')).toBe(false);
  });
});
