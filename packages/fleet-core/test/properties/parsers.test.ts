/** What people type and what files hold: read as it is meant, or refused as a mistake of usage, and never anything else. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseChallenges } from '../../src/clients/registry/challenge.js';
import { isShare, tenantsOf } from '../../src/config/batch.js';
import { checkOptions } from '../../src/config/check-options.js';
import * as checks from '../../src/config/checks.js';
import { parseDuration } from '../../src/config/duration.js';
import { matcherOf, selectorProblem } from '../../src/config/glob.js';
import { resolveConfig } from '../../src/config/resolve.js';
import { eventBehind } from '../../src/config/trigger.js';
import { parseYaml } from '../../src/config/yaml.js';
import { slugSchema } from '../../src/contract.js';
import { isFleetError, usageError } from '../../src/errors.js';
import { tenantUrlProblem } from '../../src/io/address.js';
import { retryAfterMs } from '../../src/io/retry-after.js';
import { formatDuration } from '../../src/text/duration.js';
import { parseTarget } from '../../src/text/target.js';
import { good } from '../helpers/options.js';
import { always, textOf } from '../helpers/property.js';

/** The value, or undefined where it was refused. @throws what is no mistake of usage, or says more than one line. */
function readOrRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!isFleetError(error) || error.code !== 'USAGE') throw error;
    expect(`${error.message} ${error.next ?? ''}`).not.toMatch(/[\p{Cc}\u2028\u2029]|^::/u);
    return undefined;
  }
}

test('a duration is between nothing and a week, and reads as it was written', async () => {
  await always(
    textOf('1', '0', '.5', 'ms', 's', 'm', 'h', ' ', '-', 'e3', '٣', '\n', '9'.repeat(400)),
    (text) => {
      const ms = readOrRefused(() => parseDuration(text, '--soak'));
      if (ms === undefined) return;
      expect(ms).toSatisfy(Number.isInteger);
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThanOrEqual(7 * 24 * 3_600_000);
    },
  );
  await always(fc.tuple(fc.nat(168), fc.constantFrom('s', 'm', 'h')), ([count, unit]) => {
    const ms = parseDuration(`${count}${unit}`, '--soak');
    expect(ms).toBe(count * { s: 1000, m: 60_000, h: 3_600_000 }[unit as 's']);
    const [said = ''] = formatDuration(ms).split(' ');
    if (!formatDuration(ms).includes(' ')) expect(parseDuration(said, '--soak')).toBe(ms);
  });
});

test('a file of settings is read, or refused with its place', async () => {
  const pieces = [
    'environments:',
    '\n',
    '  ',
    'staging:',
    'soak: ',
    '90s',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '&a ',
    '*a',
    '<<: *a',
    '"',
    "'",
    '---',
    '#',
    '\t',
    '|',
    '>',
    '!!js/function ',
    '? ',
    ': ',
    '\ufeff',
    '%YAML 1.1',
    'on',
    '0x1f',
    '1e999',
  ];
  await always(textOf(...pieces), (source) => {
    const content = readOrRefused(() => parseYaml(source, 'fleet.config.yaml'));
    readOrRefused(() =>
      resolveConfig('redeploy', { flags: {}, env: {}, file: { path: 'fleet.config.yaml', content } }),
    );
  });
});

test('JSON is YAML: what was written is read', async () => {
  const keys = fc.string().filter((key) => key !== '<<' && key !== '__proto__');
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.string({ unit: 'grapheme' }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(keys, tie('tree'), { maxKeys: 4 }),
    ),
  }));
  await always(fc.record({ tree, indent: fc.constantFrom(undefined, 2) }), ({ tree, indent }) => {
    const source = JSON.stringify(tree, null, indent);
    expect(JSON.stringify(parseYaml(source, 'fleet.config.json'))).toBe(JSON.stringify(tree));
  });
});

test('any tree in place of the settings is taken or refused', async () => {
  const names = [
    'environments',
    'environment',
    'control-plane',
    'tenant-url',
    'soak',
    'batch-size',
    'ephemeral',
    'hold',
    'image',
    'only',
    'kill-switch',
    '__proto__',
    'token',
    'staging',
  ];
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<unknown>(
        'staging',
        '90s',
        'https://cp.example.com',
        '',
        null,
        true,
        0,
        -1,
        1.5,
        '*',
        '{slug}',
        'x'.repeat(3000),
      ),
      fc.string(),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), tie('tree'), { maxKeys: 5 }),
    ),
  }));
  await always(tree, (content) => {
    readOrRefused(() =>
      resolveConfig('redeploy', { flags: {}, env: {}, file: { path: 'fleet.config.yaml', content } }),
    );
  });
});

test('a target is a tag, with a digest or without, and is sent as it was written', async () => {
  const digest = `sha256:${'0a'.repeat(32)}`;
  await always(
    textOf('main', '-4f2c1a9', '@', digest, 'sha256:', ':', '/', '.', ' ', '\n', 'A', 'é'),
    (text) => {
      const targetTag = readOrRefused(() => checkOptions('redeploy', { ...good, targetTag: text }).targetTag);
      if (!targetTag) return;
      expect(targetTag).toBe(text.trim());
      const target = parseTarget(targetTag);
      expect([target.tag, target.digest].filter((part) => part !== null).join('@')).toBe(targetTag);
      expect(target.tag).toMatch(/^\w[\w.-]{0,127}$/);
      expect(target.digest ?? digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    },
  );
});

test('the name of an image leads to the registry that it begins with, and nowhere else', async () => {
  const pieces = [
    'registry.example.com',
    ':5000',
    '/',
    'team',
    'server',
    '@',
    ':',
    'user:pw',
    '..',
    '.',
    '-',
    '_',
    'localhost',
    '127.0.0.1',
    '[::1]',
    'https://',
    '?x',
    '#',
    '%2f',
    '\\',
    'É',
    ' ',
  ];
  await always(textOf(...pieces), (name) => {
    const image = readOrRefused(() => checkOptions('redeploy', { ...good, image: name }).image);
    if (!image) return;
    const url = new URL(`${image.registry}/v2/${image.repository}/manifests/x`);
    const [host = ''] = name.trim().split('/');
    expect(url.host).toBe(new URL(`${url.protocol}//${host}`).host);
    expect(url.href.endsWith(`/v2/${image.repository}/manifests/x`)).toBe(true);
    expect(`${url.username}${url.password}${url.search}${url.hash}`).toBe('');
  });
});

test('a tenant URL that is taken leads every slug to an address of its own', async () => {
  const pieces = [
    'https://',
    'http://',
    '{slug}',
    '.example.com',
    'localhost',
    ':8080',
    '/',
    '@',
    '?',
    '#',
    '\\',
    '%',
    '..',
    '[',
    'x',
    ' ',
  ];
  await always(textOf(...pieces), (template) => {
    if (tenantUrlProblem(template)) return;
    const [one, other] = ['one', 'other'].map((slug) => new URL(template.replace('{slug}', slug)).href);
    expect(one).not.toBe(other);
    expect(new URL(template.replace('{slug}', 'one')).username).toBe('');
  });
});

test('a selector that is taken matches in no time, and only slugs', async () => {
  const slug = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
  await always(
    fc.tuple(textOf('*', '?', '[a-z]', '{a,b}', '{', '}', '[', ']', ',', '-', 'e2e', '1', '!', '/'), slug),
    ([glob, name]) => {
      if (selectorProblem(glob)) return;
      const started = performance.now();
      matcherOf([glob])(name);
      matcherOf([glob])('a'.repeat(63));
      expect(performance.now() - started).toBeLessThan(2_000);
    },
  );
  await always(slug, (name) => {
    expect(selectorProblem(name)).toBe(null);
    expect([matcherOf([name])(name), matcherOf([name])(`${name}x`)]).toEqual([true, false]);
  });
});

test('a share of a fleet is at least one tenant and at most all', async () => {
  await always(
    fc.tuple(textOf('5', '0', '.', '%', '100', '-', ' '), fc.integer({ min: 1, max: 1_000_000 })),
    ([text, fleet]) => {
      if (!isShare(text)) return;
      const tenants = tenantsOf(text, fleet);
      expect(tenants).toBeGreaterThanOrEqual(1);
      expect(tenants).toBeLessThanOrEqual(fleet);
    },
  );
});

test.each(Object.entries(checks))(
  'the check %s takes any text, and quotes no secret and no second line',
  async (name, check) => {
    await always(
      textOf(
        'https://',
        'http://',
        'hooks.example.com',
        '/',
        '@',
        ':',
        's3cr3t-Value',
        '*',
        '${{',
        '\n::error::',
        '0'.repeat(40),
        'true',
        ' ',
      ),
      (text) => {
        const [problem, next] = check(text) ?? [];
        if (problem === undefined) return;
        const said = usageError(problem, { next });
        expect(`${said.message} ${said.next}`).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
        if (['token', 'webhook', 'registryUser'].includes(name))
          expect(`${said.message} ${said.next}`).not.toContain('s3cr3t');
      },
    );
  },
);

test('a wait that a server asks for is at least a second, and bounded', async () => {
  await always(
    textOf('0', '1', '120', '-1', '1.5', 'Wed, 21 Oct 2026 07:28:00 GMT', ' ', '9'.repeat(20), '1e3'),
    (header) => {
      const ms = retryAfterMs(header, 2_000, 30_000);
      expect(ms).toBeGreaterThanOrEqual(1_000);
      expect(ms).toBeLessThanOrEqual(30_000);
    },
  );
});

test('what a registry offers for signing in is read back as it was written', async () => {
  const word = fc.stringMatching(/^[a-zA-Z][\w-]{0,8}$/);
  const text = fc.string({ unit: fc.constantFrom('a', '=', ',', ' ', '"', '\\', '/', ':'), maxLength: 10 });
  const challenge = fc.record({
    scheme: word,
    params: fc.dictionary(
      word.map((name) => name.toLowerCase()),
      text,
      { minKeys: 1, maxKeys: 4 },
    ),
  });
  const quoted = (value: string) => `"${value.replace(/["\\]/g, '\\$&')}"`;
  await always(fc.array(challenge, { minLength: 1, maxLength: 3 }), (challenges) => {
    const header = challenges.map(
      ({ scheme, params }) =>
        `${scheme} ${Object.entries(params)
          .map(([name, value]) => `${name}=${quoted(value)}`)
          .join(', ')}`,
    );
    expect(parseChallenges(header.join(', '))).toEqual(
      challenges.map(({ scheme, params }) => ({ scheme: scheme.toLowerCase(), params: { ...params } })),
    );
  });
  await always(textOf('Bearer', ' ', 'realm', '=', '"', '\\', ',', 'x'.repeat(1000)), (header) => {
    const started = performance.now();
    parseChallenges(header.repeat(20));
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

test('an event is found behind a payload, or none', async () => {
  await always(
    fc.oneof(fc.json(), textOf('{', '}', '"event_name":', '"push"', ',', '"event":', '[')),
    (payload) => {
      expect(['string', 'undefined']).toContain(typeof eventBehind(payload));
    },
  );
});

test('what is a slug is one label of a host name', async () => {
  await always(textOf('a', '-', '.', 'A', '0', '_', 'é', '\n', ' ', 'x'.repeat(63)), (text) => {
    if (!slugSchema.safeParse(text).success) return;
    expect(new URL(`https://${text}.example.com`).hostname).toBe(`${text}.example.com`);
    expect(text.length).toBeLessThanOrEqual(63);
  });
});
