import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { digestOf, parseTokens } from '../../src/http/auth/tokens.js';
import { type Parsed, parseArguments } from '../../src/program/options.js';
import { TOKEN } from '../support/plane.js';

const GATEWAY = ['--mode', 'gateway', '--upstream', 'https://cp.example.com'];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleet-cp-test-'));
  // PostgreSQL's own user has to get through when the tests run as root.
  await chmod(folder, 0o711);
});
afterAll(() => rm(folder, { recursive: true }));

async function parse(
  argv: string[],
  env: NodeJS.ProcessEnv = { FLEET_CP_TOKEN: TOKEN },
): Promise<[Parsed, string]> {
  let said = '';
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
  try {
    return [await parseArguments(argv, env), said];
  } finally {
    spy.mockRestore();
  }
}

describe('options', () => {
  it.each<[string, string[], RegExp, NodeJS.ProcessEnv?]>([
    ['an unknown flag', ['--prot', '1'], /--prot/],
    ['a port that is no number', ['--port', 'http'], /--port.*0 to 65535/],
    ['a port out of range', ['--port', '65536'], /--port/],
    ['a token as an argument', ['--token', 'sesame'], /--token/],
    ['no token', [], /--token-file FILE or set FLEET_CP_TOKEN/, {}],
    ['an empty token', [], /FLEET_CP_TOKEN/, { FLEET_CP_TOKEN: ' ' }],
    ['a token of two words', [], /one word/, { FLEET_CP_TOKEN: 'a b' }],
    ['a token that could be guessed', [], /fewer than 16 characters/, { FLEET_CP_TOKEN: 'x'.repeat(15) }],
    ['a token without a scope', ['token', 'ci'], /--scope/],
    ['a token of an unknown scope', ['token', 'ci', '--scope', 'all'], /read, roll, operate/],
    ['a token with a name that is none', ['token', 'a b', '--scope', 'read'], /letters/],
    ['a token for a malformed group', ['token', 'ci', '--scope', 'read', '--group', 'A B'], /lock groups/],
    ['a token until "tomorrow"', ['token', 'ci', '--scope', 'read', '--expires', 'tomorrow'], /2027-01-31/],
    ['a token file that is missing', ['--token-file', '/nowhere/token'], /\/nowhere\/token: ENOENT/],
    ['a database URL of another kind', ['--database-url', 'mysql://x'], /postgres:\/\//],
    ['a malformed lock group', ['--lock-group', 'A B'], /--lock-group/],
    ['fleet and tenants at once', ['--fleet', 'x', '--tenants', '3'], /exclude/],
    ['no tenants', ['--tenants', '0'], /--tenants/],
    ['an unknown mode', ['--mode', 'fleet'], /--mode.*sim, gateway, lock/],
    ['tenants of a lock alone', ['--mode', 'lock', '--tenants', '3'], /--mode sim/],
    ['a gateway without an upstream', ['--mode', 'gateway'], /--upstream URL and --upstream-token-file FILE/],
    ['an upstream without a gateway', ['--upstream', 'https://cp.example.com'], /--mode gateway/],
    [
      'an upstream over plain HTTP',
      ['--mode', 'gateway', '--upstream', 'http://cp.example.com', '--upstream-token-file', '/x'],
      /--upstream.*https:\/\//,
    ],
    [
      'a tenant URL without a place for the slug',
      [...GATEWAY, '--upstream-token-file', '/x', '--tenant-url', 'https://a.example.com'],
      /--tenant-url.*\{slug\}/,
    ],
    [
      'an upstream token that is missing',
      [...GATEWAY, '--upstream-token-file', '/nowhere/t'],
      /\/nowhere\/t: ENOENT/,
    ],
    ['a fleet file that is missing', ['--fleet', '/nowhere/fleet.yaml'], /ENOENT/],
    ['an argument that is none', ['start'], /argument/],
    ['a restore without a database', ['restore-check'], /--database-url URL or --data-dir FOLDER/],
  ])('answers %s with one line and exit code 2', async (_what, argv, says, env) => {
    const [parsed, said] = await parse(argv, env);
    expect(parsed).toEqual({ kind: 'exit', code: 2 });
    expect(said).toMatch(says);
    expect(said.trim().split('\n')).toHaveLength(1);
    expect(said).toMatch(/^fleet-control-plane: /);
  });

  it.each([
    ['not YAML', 'tenants: [', /not YAML/],
    ['no tenants', 'tenants: []', /tenants/],
    ['an unknown behaviour', 'tenants: [{slug: acme, behaviour: odd}]', /tenants\.0/],
    ['an unknown field', 'tenant: [acme]', /tenant/],
    ['a commit that YAML reads as a number', `images: {a: ${'2'.repeat(40)}}\ntenants: [acme]`, /quotes/],
  ])('names what is wrong in a fleet file: %s', async (_what, text, says) => {
    const file = join(folder, 'bad.yaml');
    await writeFile(file, text);
    const [parsed, said] = await parse(['--fleet', file]);
    expect([parsed, said.trim().split('\n').length]).toEqual([{ kind: 'exit', code: 2 }, 1]);
    expect(said).toMatch(says);
  });

  it.each([
    ['acme\nAcme', /"Acme" is not a slug/],
    ['# nobody yet\n', /names no tenant/],
  ])('names what is wrong in a tenants file: %j', async (text, says) => {
    const [token, file] = [join(folder, 'upstream-token'), join(folder, 'tenants')];
    await writeFile(token, TOKEN);
    await writeFile(file, text);
    const [parsed, said] = await parse([...GATEWAY, '--upstream-token-file', token, '--tenants-file', file]);
    expect([parsed, said.trim().split('\n').length]).toEqual([{ kind: 'exit', code: 2 }, 1]);
    expect(said).toMatch(says);
  });

  it('makes a token with the line that a tokens file takes', async () => {
    const [parsed] = await parse(
      ['token', 'ci', '--scope', 'roll', '--group', 'stag*', '--expires', '2027-01-31'],
      {},
    );
    const text = parsed.kind === 'print' ? parsed.text : '';
    const [, token = '', , line = ''] = text.split('\n');
    const [read] = parseTokens(line);
    expect(read).toMatchObject({ name: 'ci', digest: digestOf(token), scopes: new Set(['roll']) });
    expect([read?.mayName('staging'), read?.mayName('qa')]).toEqual([true, false]);
  });

  it('needs no plain token where there is a tokens file', async () => {
    for (const [argv, env] of [
      [['--tokens-file', 'tokens.yaml'], {}],
      [[], { FLEET_CP_TOKENS_FILE: 'tokens.yaml' }],
    ] as const) {
      const [parsed] = await parse([...argv], env);
      expect(parsed).toMatchObject({ settings: { options: { tokensFile: 'tokens.yaml' } } });
      expect(parsed).not.toHaveProperty('settings.options.token');
    }
  });

  it('reads flags, files and environment', async () => {
    await writeFile(join(folder, 'token'), 'token-from-a-file\n');
    await writeFile(join(folder, 'fleet.json'), '{"tenants":["acme"]}');
    const [parsed] = await parse(
      [
        '--token-file',
        join(folder, 'token'),
        '--fleet',
        join(folder, 'fleet.json'),
        '--group',
        'a',
        '--group',
        'b',
        '--json',
      ],
      { DATABASE_URL: 'postgres://db/x' },
    );
    expect(parsed).toMatchObject({
      kind: 'run',
      settings: {
        json: true,
        options: {
          token: 'token-from-a-file',
          databaseUrl: 'postgres://db/x',
          groups: ['a', 'b'],
          lockGroup: 'staging',
          fleet: { tenants: ['acme'] },
        },
      },
    });
  });
});
