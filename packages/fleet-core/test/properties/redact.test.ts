/** Whatever a secret stands among, nothing of it is shown. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { oneLine, redact } from '../../src/text/sanitize.js';
import { always } from '../helpers/property.js';

const of = (letters: string, min: number, max = min) =>
  fc.string({ unit: fc.constantFrom(...letters), minLength: min, maxLength: max });
const HEX = '0123456789abcdef';
const ALNUM = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const join = (separator: string, ...parts: fc.Arbitrary<string>[]) =>
  fc.tuple(...parts).map((all) => all.join(separator));
const times = (count: number, part: fc.Arbitrary<string>) => Array.from({ length: count }, () => part);
const withDigit = (letters: string, min: number, max: number) =>
  join('', of(letters, min, max), of('0123456789', 1), of(letters, 0, 4));

/** What may stand between a name and its value. */
const NAMES = [
  'token',
  'cp_token',
  'SECRET',
  'client-secret',
  'password',
  'passwd',
  'api_key',
  'apikey',
  'api-key',
  'authorization',
  'credential',
  'credentials',
];
const name = fc.constantFrom(...NAMES);
const value = withDigit(ALNUM, 5, 12);

/** A text that holds a secret, and the secret itself. */
const kinds: Record<string, fc.Arbitrary<{ text: string; secret: string }>> = {
  'a role': of(ALNUM, 4, 20).map((role) => ({
    text: `arn:aws:iam::123456789012:role/${role}`,
    secret: role,
  })),
  'a URL with a password': fc
    .tuple(fc.constantFrom('https', 'postgres', 'amqp+ssl', 'redis'), value)
    .map(([scheme, pass]) => ({ text: `${scheme}://user:${pass}@host:5432/db?x=1`, secret: pass })),
  'a web token': fc.tuple(of(ALNUM, 8, 20), of(ALNUM, 6, 20), of(ALNUM, 6, 20)).map(([head, body, mac]) => ({
    text: `eyJ${head}.${body}.${mac}`,
    secret: body,
  })),
  'a web token without a signature': fc.tuple(of(ALNUM, 8, 20), of(ALNUM, 6, 20)).map(([head, body]) => ({
    text: `eyJ${head}.${body}`,
    secret: body,
  })),
  'a value behind its scheme': fc
    .tuple(fc.constantFrom('Bearer', 'basic', 'Token'), fc.constantFrom(' ', '  ', '\t'), value)
    .map(([scheme, space, secret]) => ({ text: `${scheme}${space}${secret}`, secret })),
  'letters behind a scheme, many of them': of('abcdefghijklmnopqrstuvwxyz', 20, 30).map((secret) => ({
    text: `Bearer ${secret}`,
    secret,
  })),
  'a value behind = and its name': fc
    .tuple(name, fc.constantFrom('=', '="', "='", '"="'), of(ALNUM, 3, 12))
    .map(([key, sign, secret]) => ({ text: `${key}${sign}${secret}`, secret })),
  'a value behind : and its name': fc
    .tuple(name, fc.constantFrom(':', ': ', '": "', "': '", ':"'), value)
    .map(([key, sign, secret]) => ({ text: `${key}${sign}${secret}`, secret })),
  'a mail': fc.tuple(of(ALNUM, 3, 10), of(ALNUM.toLowerCase(), 3, 8)).map(([who, host]) => ({
    text: `${who}@${host}.example.co.uk`,
    secret: who,
  })),
  'an id': join('-', of(HEX, 8), of(HEX, 4), of(HEX, 4), of(HEX, 4), of(HEX, 12)).map((secret) => ({
    text: secret,
    secret,
  })),
  'a resource': fc
    .tuple(
      fc.constantFrom('i', 'mi', 'vol', 'vpc', 'subnet', 'sg', 'ami', 'eni', 'eipalloc', 'cmd'),
      of(HEX, 6, 17),
    )
    .map(([kind, id]) => ({ text: `${kind}-${id}`, secret: id })),
  'an access key': fc
    .tuple(fc.constantFrom('AKIA', 'ASIA'), of('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16))
    .map(([kind, id]) => ({ text: `${kind}${id}`, secret: id })),
  'an address': join('.', ...times(4, fc.nat(255).map(String))).map((secret) => ({
    text: `${secret}:5432`,
    secret,
  })),
  'an address without a port': join('.', ...times(4, fc.nat(255).map(String))).map((secret) => ({
    text: secret,
    secret,
  })),
  'a host by its address': join('-', ...times(4, fc.nat(255).map(String))).map((secret) => ({
    text: `ip-${secret}.ec2.internal`,
    secret,
  })),
  'a long address': fc
    .ipV6()
    .filter((text) => text.replace(/[^:]/g, '').length > 3 && !text.includes('.'))
    .map((secret) => ({
      text: secret,
      secret,
    })),
  'an account': of('0123456789', 12).map((secret) => ({ text: secret, secret })),
  'an account with dashes': join('-', ...times(3, of('0123456789', 4))).map((secret) => ({
    text: secret,
    secret,
  })),
  'a long value': of(`${ALNUM}+/`, 34, 60)
    .filter((text) => /^\w/.test(text))
    .map((secret) => ({ text: secret, secret })),
};

/** Words and signs that texts of control planes have around what they show. */
const beside = fc
  .array(
    fc.constantFrom(
      'cannot read',
      'failed:',
      ' ',
      ', ',
      '(',
      ')',
      '"',
      "'",
      '; ',
      '\n',
      '[',
      '<',
      '500 ',
      '🙂 ',
      'é ',
    ),
    { maxLength: 5 },
  )
  .map((all) => all.join(''));
/** A word is known by its ends. */
const apart = (text: string) => (/[\w:+@./=-]$/.test(text) ? `${text} ` : text);

test.each(Object.entries(kinds))('%s is masked, wherever it stands', async (_name, kind) => {
  await always(
    fc.record({ before: beside.map(apart), held: kind, after: beside }),
    ({ before, held, after }) => {
      const shown = redact(`${before}${held.text} ${after}`, 4_000);
      expect(shown).not.toContain(held.secret);
    },
  );
});

test('a mask is one line, bounded, and stays as it is when it is masked again', async () => {
  const text = fc.array(
    fc.oneof(beside, ...Object.values(kinds).map((kind) => kind.map((one) => one.text))),
    { maxLength: 6 },
  );
  await always(fc.record({ parts: text, max: fc.integer({ min: 1, max: 400 }) }), ({ parts, max }) => {
    const shown = redact(parts.join(' '), max);
    expect(shown.length).toBeLessThanOrEqual(max);
    expect(oneLine(shown, max)).toBe(shown);
  });
});
