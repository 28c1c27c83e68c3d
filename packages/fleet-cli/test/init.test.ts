import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answered, fleet, folder } from './cli.js';

const OLD = fileURLToPath(new URL('../../../examples/before-fleet', import.meta.url));
const ACTION = 'https://git.example.com/tenant-fleet/fleet/.gitea/actions/redeploy-fleet@v1.0.0';
const GIVEN = [
  ...['--control-plane', 'https://cp.example.com', '--tenant-url', 'https://{slug}.example.com'],
  ...['--action', ACTION],
];

let temp: ReturnType<typeof folder>;
beforeEach(() => {
  temp = folder();
  execFileSync('git', ['init', '-q'], { cwd: temp.path });
});
afterEach(() => temp.remove());

const init = (...args: string[]) => fleet(['init', ...args], { cwd: temp.path });
const read = (path: string) => readFileSync(join(temp.path, path), 'utf8');
const untouched = () => expect(readdirSync(temp.path)).toEqual(['.git']);

describe('an empty repository', () => {
  it('gets a configuration and a workflow in which lint finds nothing', async () => {
    const ran = await init('--yes', ...GIVEN);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain('Wrote fleet.config.yaml, .gitea/workflows/deploy.yml.\n');
    expect(ran.stderr).toContain('repository: secrets.FLEET_CP_TOKEN, vars.FLEET_HOLD\n');
    expect(read('.gitea/workflows/deploy.yml')).toContain(`uses: ${ACTION}\n`);
    expect(read('.gitea/workflows/deploy.yml').match(/checkout@[0-9a-f]{40} # v[\d.]+$/gm)).toHaveLength(2);
    expect((await fleet(['lint', '--strict'], { cwd: temp.path })).stdout).toBe('nothing found in 2 files\n');
    const shown = await fleet(['config', '--environment', 'staging'], { cwd: temp.path });
    expect(shown.stdout).toContain('control-plane: https://cp.example.com');
  });

  it('is left as it is by a second init', async () => {
    await init('--yes', ...GIVEN);
    const before = read('.gitea/workflows/deploy.yml');
    const again = await init('--yes', ...GIVEN);
    expect(again).toMatchObject({ code: 0, stderr: 'Nothing to do: this repository deploys by fleet.\n' });
    expect(read('.gitea/workflows/deploy.yml')).toBe(before);
  });

  it('--dry-run prints a diff that git applies, and writes nothing', async () => {
    const ran = await init('--dry-run', ...GIVEN);
    untouched();
    execFileSync('git', ['apply'], { cwd: temp.path, input: ran.stdout });
    expect(read('fleet.config.yaml')).toContain('tenant-url: https://{slug}.example.com\n');
  });

  it('takes the server of the action from the remote, and the folder that is there', async () => {
    const url = 'ssh://git@git.acme.example:2222/acme/server.git';
    execFileSync('git', ['remote', 'add', 'origin', url], { cwd: temp.path });
    mkdirSync(join(temp.path, '.github/workflows'), { recursive: true });
    writeFileSync(join(temp.path, '.github/workflows/test.yml'), 'on: push\njobs: {}\n');
    const ran = await init('--yes', '--json', ...GIVEN.slice(0, 4));
    const { files, written } = JSON.parse(ran.stdout);
    expect(written).toBe(true);
    expect(files.map(({ path }: { path: string }) => path)).toEqual([
      'fleet.config.yaml',
      '.github/workflows/deploy.yml',
    ]);
    expect(files[1].text).toMatch(
      /uses: https:\/\/git\.acme\.example\/tenant-fleet\/fleet\/\.gitea\/actions\/redeploy-fleet@v/,
    );
  });
});

describe('a repository that deploys by hand', () => {
  beforeEach(() => cpSync(OLD, temp.path, { recursive: true }));

  it('answers by itself, and what is not taken over is listed', async () => {
    const ran = await init('--yes', '--action', ACTION);
    expect(ran.code).toBe(0);
    expect(read('fleet.config.yaml')).toMatchInlineSnapshot(`
      "# All settings: fleet config schema. What is in force: fleet config --environment NAME.
      environments:
        staging:
          control-plane: https://staging-api.example.com
          tenant-url: https://{slug}.staging.example.com
          canary: hongdou
          soak: 60s
          batch-size: 3
          max-stragglers: 1
          ephemeral: [e2e-*, rt-e2e-*]
          settle-budget: 240s
      "
    `);
    expect(ran.stderr).toContain('Not taken over, look at each:\n');
    expect(ran.stderr).toMatch(/redeploy-tenants-on-staging\.yml:16 {2}`aws ecr describe-images/);
    const text = readdirSync(join(temp.path, '.gitea/workflows'))
      .map((name) => read(`.gitea/workflows/${name}`))
      .join('');
    expect(text).not.toMatch(/redeploy-fleet"|buildinfo/);
    expect(text.split(`uses: ${ACTION}`)).toHaveLength(3);
    expect((await fleet(['lint', '--strict'], { cwd: temp.path })).code).toBe(0);
  });

  it('an environment that is named holds for all, and a configuration that is there stays', async () => {
    writeFileSync(join(temp.path, 'fleet.config.yaml'), 'environments: {}\n');
    const ran = await init('--yes', '--action', ACTION, '--environment', 'blue');
    expect(read('fleet.config.yaml')).toBe('environments: {}\n');
    expect(ran.stderr).toContain('fleet.config.yaml:1  is there already and stays as it is');
    expect(read('.gitea/workflows/redeploy-tenants-on-staging.yml')).toContain('environment: blue\n');
  });
});

describe('bad input writes nothing', () => {
  it.each([
    ['what is missing, all at once', ['--yes'], 'init: --control-plane, --tenant-url, --action are missing'],
    ['nobody to ask', GIVEN, '--yes is missing: nobody is here to be asked'],
    [
      'an address',
      ['--yes', ...GIVEN, '--control-plane', 'htp://x'],
      '--control-plane: "htp://x" is not an http(s) URL',
    ],
    ['a template without a slug', ['--yes', ...GIVEN, '--tenant-url', 'https://x.example'], '--tenant-url: '],
    ['an action without a pin', ['--yes', ...GIVEN, '--action', 'a/b'], '--action: "a/b" has no pin'],
    ['an environment', ['--yes', ...GIVEN, '--environment', 'A b'], '--environment: "A b" is no name'],
  ])('%s', async (_name, args, says) => {
    const ran = await init(...args);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain(`error: ${says}`);
    untouched();
  });

  it('a folder that is not there', async () => {
    expect(await init('nowhere', '--yes', ...GIVEN)).toMatchObject({ code: 2 });
    expect(existsSync(join(temp.path, 'nowhere'))).toBe(false);
  });
});

it('asks at a terminal, proposes what it knows, and takes no for an answer', async () => {
  const answers = {
    'environment [staging] ': '\r',
    'control plane (https://...): ': 'https://cp.example.com\r',
    'for its name: ': 'https://{slug}.example.com\r',
    'vX.Y.Z): ': `${ACTION}\r`,
    'Write 2 files? [y/N] ': 'n\r',
  };
  const ran = await answered(['init', '--no-color'], answers, { cwd: temp.path });
  expect(ran.output).toContain('+    control-plane: https://cp.example.com');
  expect(ran.output).toContain('Declined: nothing was written.');
  expect(ran.code).toBe(4);
  untouched();
});
