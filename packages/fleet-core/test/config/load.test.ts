import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import type { Layers } from '../../src/config/resolve.js';
import { systemPorts } from '../../src/ports.js';
import { usageOf } from '../helpers/usage.js';

const SHA = 'b'.repeat(40);
const YAML = `
control-plane: https://cp.example.com
tenant-url: https://{slug}.example.com
target-tag: staging-1
expected-sha: "${SHA}"
environments:
  staging:
    canary: acme
    soak: 5s
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleet-load-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(name: string, content: string | Buffer): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

/** Loads with the real file system; the default file is looked for in the folder of the test. */
const load = (flags: Layers['flags'] = {}, env: Layers['env'] = { FLEET_CP_TOKEN: 's3cr3t-value' }) =>
  loadConfig(
    'redeploy',
    { flags, env },
    {
      readFile: (path) => systemPorts().readFile(path.startsWith('/') ? path : join(folder, path)),
    },
  );

describe('a configuration file', () => {
  test('that a flag names is read', async () => {
    const path = await write('a.yaml', YAML);
    expect(await load({ config: path })).toMatchObject({
      environment: 'staging',
      canary: 'acme',
      soakMs: 5_000,
    });
  });

  test('that a variable names is read; an empty flag and an empty variable name none', async () => {
    const path = await write('a.yaml', YAML);
    const env = { FLEET_CP_TOKEN: 's3cr3t-value', FLEET_CONFIG: path };
    expect((await load({ config: '' }, env)).canary).toBe('acme');
    expect((await usageOf(() => load({}, { ...env, FLEET_CONFIG: '' }))).message).toMatch(
      /^--control-plane, .* are missing$/,
    );
  });

  test('may be JSON', async () => {
    const path = await write(
      'a.json',
      JSON.stringify({ ...minimal, environments: { staging: { soak: '7s' } } }),
    );
    expect((await load({ config: path })).soakMs).toBe(7_000);
  });

  test('may begin with a byte order mark and end its lines as Windows does', async () => {
    const path = await write('bom.yaml', `\ufeff${YAML.replaceAll('\n', '\r\n')}`);
    expect((await load({ config: path })).canary).toBe('acme');
  });

  test('is looked for under its usual name, and may be absent there', async () => {
    const flags = { ...minimal, environment: 'x' };
    expect((await load(flags)).canary).toBeNull();
    const path = await write('fleet.config.yaml', 'canary: acme');
    expect((await load(flags)).canary).toBe('acme');
    await rm(path);
  });

  test.each([
    ['--config', { config: '/nowhere/x.yaml' }, {}],
    ['FLEET_CONFIG', {}, { FLEET_CONFIG: '/nowhere/x.yaml' }],
  ])('that %s names must be there', async (option, flags, env) => {
    const error = await usageOf(() => load(flags, env));
    expect(error).toMatchObject({
      option,
      message: `${option}: cannot read /nowhere/x.yaml: there is no such file`,
    });
  });

  test('that is a folder cannot be read', async () => {
    expect((await usageOf(() => load({ config: folder }))).message).toBe(`--config: cannot read ${folder}`);
  });

  test.each<[string, string, RegExp]>([
    ['9: a key twice', 'soak: 1s\nbranch: main\nsoak: 2s\n', /bad\.yaml:3: Map keys must be unique/],
    [
      '9: a key twice within an environment',
      'environments:\n  a:\n    soak: 1s\n    soak: 2s\n',
      /bad\.yaml:4: Map keys/,
    ],
    ['an indentation that does not fit', 'environments:\n  a:\n   soak: 1s\n  \tx: 1\n', /bad\.yaml:\d+: /],
    ['an open bracket', 'ephemeral: [a, b\n', /bad\.yaml:\d+: /],
    ['two documents', 'soak: 1s\n---\nsoak: 2s\n', /bad\.yaml:\d+: /],
    [
      'aliases that multiply',
      `a: &a [x,x]\n${'b: [*a,*a]\n'.repeat(1)}c: &c [${'*a,'.repeat(50)}]\n`,
      /bad\.yaml/,
    ],
  ])('names file and line of %s', async (_name, source, message) => {
    const path = await write('bad.yaml', source);
    const error = await usageOf(() => load({ config: path }));
    expect(error.message).toMatch(message);
    expect(error.option).toBe('--config');
  });

  test('says in which file and where a bad value stands', async () => {
    const path = await write('value.yaml', YAML.replace('5s', '5'));
    expect(await usageOf(() => load({ config: path }))).toMatchObject({
      option: `environments.staging.soak in ${path}`,
      message: `environments.staging.soak in ${path}: "5" has no unit`,
    });
  });
});

describe('what people write', () => {
  const env = { FLEET_CP_TOKEN: 's3cr3t-value', FLEET_ENVIRONMENT: 'production' };
  const ADDRESS = 'control-plane: https://cp.example.com\ntenant-url: https://{slug}.example.com\n';

  test('a merge key brings the keys of another environment, and own keys win', async () => {
    const source = `environments:\n  staging: &staging\n    canary: acme\n    batch-size: 2\n  production:\n    <<: *staging\n    batch-size: 1\n`;
    const path = await write('merge.yaml', ADDRESS + source);
    const config = await load({ ...minimal, config: path }, env);
    expect(config).toMatchObject({ environment: 'production', canary: 'acme', batchSize: 1 });
  });

  test('dashes at the end are the end', async () => {
    const path = await write('dashes.yaml', `${ADDRESS}lock-group: a\n---\n`);
    expect((await load({ ...minimal, config: path })).lock?.group).toBe('a');
    expect(
      (await load({ ...minimal, config: await write('front.yaml', `---\nlock-group: b\n...\n`) })).lock
        ?.group,
    ).toBe('b');
  });

  test.each<[string, string, RegExp, RegExp]>([
    [
      'a second document',
      'branch: a\n---\nbranch: b\n',
      /bad\.yaml:2: there is a second document/,
      /below environments:/,
    ],
    [
      'a star first',
      'lock-group: a\nephemeral: *-e2e\n',
      /bad\.yaml:2: .*alias/i,
      /in quotes, for example "\*-e2e"/,
    ],
    ['a tab', 'environments:\n\ta: 1\n', /bad\.yaml:2: /, /spaces/],
    [
      'an environment in capitals',
      'environments:\n  Production:\n    canary: acme\n',
      /"Production" must match/,
      /lock-group: production, or call the environment production/,
    ],
    ['a dump', `${'x'.repeat(40)}: 1\n`.repeat(30_000), /longer than a configuration file/, /^/],
  ])('%s: one line that says what to change', async (_name, source, message, next) => {
    const error = await usageOf(async () => load({ ...minimal, config: await write('bad.yaml', source) }));
    expect(error.message).toMatch(message);
    expect(error.next ?? '').toMatch(next);
  });

  test('100 000 keys end in one line, and soon', async () => {
    const keys = Array.from({ length: 100_000 }, (_none, at) => `k${at}: 1`).join('\n');
    for (const source of [keys, `environments:\n  ${keys.replaceAll('\n', '\n  ')}`.slice(0, 999_000)]) {
      const started = performance.now();
      await usageOf(async () => load({ ...minimal, config: await write('many.yaml', source) }));
      expect(performance.now() - started).toBeLessThan(10_000);
    }
  }, 60_000);
});

describe('a file that nobody names', () => {
  const here = async (cwd: string) =>
    loadConfig(
      'redeploy',
      { flags: { ...minimal, environment: 'x' }, env: { FLEET_CP_TOKEN: 's3cr3t-value' } },
      { readFile: (path) => systemPorts().readFile(join(cwd, path)) },
    );

  test.each(['fleet.config.yaml', 'fleet.config.yml', 'fleet.config.json'])(
    'is found as %s',
    async (name) => {
      const root = await mkdtemp(join(folder, 'names-'));
      await writeFile(join(root, name), '{"canary": "acme"}');
      expect((await here(root)).canary).toBe('acme');
    },
  );

  test('is one: two of them are an error', async () => {
    const root = await mkdtemp(join(folder, 'two-'));
    for (const name of ['fleet.config.yaml', 'fleet.config.yml'])
      await writeFile(join(root, name), 'canary: acme');
    const error = await usageOf(() => here(root));
    expect(error.message).toBe('fleet.config.yaml and fleet.config.yml are both there');
    expect(error.next).toMatch(/remove one of them/);
  });

  test('is looked for up to the root of the repository, and no further', async () => {
    const root = await mkdtemp(join(folder, 'up-'));
    const inner = join(root, 'repository', 'a', 'b');
    await mkdir(inner, { recursive: true });
    await writeFile(join(root, 'fleet.config.yaml'), 'canary: outside');
    expect((await here(inner)).canary).toBeNull();
    await mkdir(join(root, 'repository', '.git'));
    expect((await here(inner)).canary).toBeNull();
    await writeFile(join(root, 'repository', 'fleet.config.yml'), 'canary: of-root');
    expect((await here(inner)).canary).toBe('of-root');
    await writeFile(join(root, 'repository', 'a', 'fleet.config.json'), '{"canary": "of-a"}');
    expect((await here(inner)).canary).toBe('of-a');
    // A worktree has a file of that name.
    await rm(join(root, 'repository', '.git'), { recursive: true });
    await writeFile(join(root, 'repository', '.git'), 'gitdir: /x');
    expect((await here(join(root, 'repository', 'a'))).canary).toBe('of-a');
    expect((await here(inner)).canary).toBe('of-a');
  });

  test('that is nowhere is told with where it was looked for', async () => {
    const root = await mkdtemp(join(folder, 'none-'));
    const inner = join(root, 'a');
    await mkdir(join(root, '.git'));
    await mkdir(inner);
    const missing = async (from: string) => {
      const files = {
        readFile: (path: string) => systemPorts().readFile(join(from, path)),
        folder: () => from,
      };
      return (await usageOf(() => loadConfig('redeploy', { flags: {}, env: {} }, files))).next;
    };
    expect(await missing(inner)).toContain(`(none was found in ${inner} and above, up to ${root}`);
    expect(await missing(root)).toContain(`(none was found in ${root})`);
    await writeFile(join(root, 'fleet.config.yaml'), 'soak: 1s');
    expect(await missing(inner)).not.toContain('none was found');
  });

  test('whose value is wrong is named with its folder', async () => {
    const root = await mkdtemp(join(folder, 'bad-'));
    await mkdir(join(root, '.git'));
    await mkdir(join(root, 'a'));
    await writeFile(join(root, 'fleet.config.yaml'), 'soak: 5');
    expect((await usageOf(() => here(join(root, 'a')))).option).toBe('soak in ../fleet.config.yaml');
  });
});

const minimal = {
  'control-plane': 'https://cp.example.com',
  'tenant-url': 'https://{slug}.example.com',
  'target-tag': 'staging-1',
  'expected-sha': SHA,
};

describe('a token file', () => {
  const flags = { ...minimal, environment: 'x' };

  test('goes before FLEET_CP_TOKEN, which goes before FLEET_TOKEN_FILE', async () => {
    const path = await write('token', 's3cr3t-of-file\n');
    const both = { FLEET_CP_TOKEN: 's3cr3t-of-env', FLEET_TOKEN_FILE: path };
    expect((await load({ ...flags, 'token-file': path }, both)).controlPlaneToken).toBe('s3cr3t-of-file');
    expect((await load(flags, both)).controlPlaneToken).toBe('s3cr3t-of-env');
    expect((await load(flags, { ...both, FLEET_CP_TOKEN: '' })).controlPlaneToken).toBe('s3cr3t-of-file');
  });

  test.each([
    ['--token-file', { 'token-file': 's3cr3t-value' }, {}],
    ['FLEET_TOKEN_FILE', {}, { FLEET_TOKEN_FILE: 's3cr3t-value' }],
  ])('that %s names must be there; a token in its place is not repeated', async (option, extra, env) => {
    const error = await usageOf(() => load({ ...flags, ...extra }, env));
    expect(error).toMatchObject({ option, message: expect.stringMatching(/there is no such file$/) });
    expect(error.next).toMatch(/never an argument/);
    expect(`${error.message}${error.next}${error.stack}${error.cause}`).not.toContain('s3cr3t-value');
  });

  test.each([
    ['empty', '\n', /is empty/],
    ['108: the text null', 'null\n', /not a token/],
    ['two lines', 's3cr3t\nvalue\n', /not a token/],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x61, 0x00]), /not a token/],
  ])('is refused: %s', async (_name, content, message) => {
    const path = await write('token', content);
    const error = await usageOf(() => load({ ...flags, 'token-file': path }, { FLEET_CP_TOKEN: 'x' }));
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('s3cr3t');
  });

  test('109: an absent token is found before anything is waited for', async () => {
    expect((await usageOf(() => load(flags, {}))).option).toBe('FLEET_CP_TOKEN');
  });
});
