import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fleet, folder } from './cli.js';

const GOOD = `name: deploy
on:
  push:
    branches: [main]
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - run: fleet redeploy --environment staging --target-tag main-1
`;
const WARNED = GOOD.replace('    steps:', '    environment: staging\n    steps:');
const BAD = GOOD.replace('main-1', 'main-1 || true');

let temp: ReturnType<typeof folder>;
beforeEach(() => {
  temp = folder();
});
afterEach(() => temp.remove());

function put(path: string, text: string): void {
  mkdirSync(dirname(join(temp.path, path)), { recursive: true });
  writeFileSync(join(temp.path, path), text);
}
const lint = (...args: string[]) => fleet(['lint', ...args], { cwd: temp.path });

describe('what is found', () => {
  it.each(['redeploy', 'rollback', 'plan', 'verify'])('knows every flag of fleet %s', async (command) => {
    const { stdout: help } = await fleet([command, '--help']);
    const flags = [...help.matchAll(/^ +(?:-\w, )?(--[\w-]+)/gm)].map(([, flag]) => flag);
    expect(flags).toEqual(expect.arrayContaining(['--config', '--json', '--help']));
    put(
      '.gitea/workflows/deploy.yml',
      GOOD.replace(/fleet redeploy .*/, `fleet ${command} ${flags.join(' ')}`),
    );
    const { findings } = JSON.parse((await lint('--json')).stdout);
    expect(findings.filter(({ message }: { message: string }) => /has no flag/.test(message))).toEqual([]);
  });

  it('is shown with its place, why it bites and what to do; exit code 1', async () => {
    put('.gitea/workflows/deploy.yml', BAD);
    const { code, stdout, stderr } = await lint();
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    const [first, why, next, last, ...more] = stdout.trimEnd().split('\n');
    expect(first).toMatch(
      /^\.gitea\/workflows\/deploy\.yml:9:71 {2}error {2}masked-exit-code {2}`\|\| true` /,
    );
    expect(why).toMatch(/^ {2}why: .+/);
    expect(next).toMatch(/^ {2}next: .+/);
    expect(last).toBe('1 error, 0 warnings in 1 file');
    expect(more).toEqual([]);
  });

  it('is one JSON document with --json', async () => {
    put('.gitea/workflows/deploy.yml', BAD);
    put('fleet.config.yaml', 'soak: 1s\nsoak: 2s\n');
    const { code, stdout, stderr } = await lint('--json');
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      schema: 'fleet-lint/1',
      passed: false,
      counts: { errors: 2, warnings: 0 },
      files: ['.gitea/workflows/deploy.yml', 'fleet.config.yaml'],
      findings: [
        expect.objectContaining({
          ...{ file: '.gitea/workflows/deploy.yml', line: 9, column: 71 },
          ...{ rule: 'masked-exit-code', severity: 'error' },
        }),
        expect.objectContaining({ file: 'fleet.config.yaml', line: 2, column: 1, rule: 'duplicate-key' }),
      ],
    });
  });

  it('is SARIF with --format sarif', async () => {
    put('.gitea/workflows/deploy.yml', BAD);
    const { code, stdout, stderr } = await lint('--format', 'sarif');
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    const { version, runs } = JSON.parse(stdout);
    expect([version, runs[0].results.map((one: { ruleId: string }) => one.ruleId)]).toEqual([
      '2.1.0',
      ['masked-exit-code'],
    ]);
    expect(JSON.parse((await lint('--format', 'json')).stdout)).toEqual(
      JSON.parse((await lint('--json')).stdout),
    );
  });

  it('fails by warnings only with --strict', async () => {
    put('.gitea/workflows/deploy.yml', WARNED);
    expect(await lint()).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('0 errors, 1 warning in 1 file'),
    });
    expect((await lint('--strict')).code).toBe(1);
    const { code, stdout } = await lint('--strict', '--json');
    expect([code, JSON.parse(stdout).passed]).toEqual([1, false]);
  });

  it('nothing: exit code 0', async () => {
    put('.gitea/workflows/deploy.yml', GOOD);
    expect(await lint('--strict')).toEqual({ code: 0, stdout: 'nothing found in 1 file\n', stderr: '' });
  });

  it('colours where they are forced', async () => {
    put('.gitea/workflows/deploy.yml', BAD);
    const { stdout } = await fleet(['lint'], { cwd: temp.path, env: { FORCE_COLOR: '1' } });
    expect(stdout).toContain('\u001b[');
  });
});

describe('what is read', () => {
  const filesOf = async (...args: string[]) => JSON.parse((await lint('--json', ...args)).stdout).files;

  it('workflows in sub-folders, local actions and the configuration, of the folder that is named', async () => {
    for (const path of ['.gitea/workflows/a.yml', '.gitea/workflows/more/b.yaml', '.github/workflows/c.yml'])
      put(`server/${path}`, GOOD.replace('name: deploy', `name: ${path}`));
    put('server/.gitea/workflows/notes.md', '# notes');
    put('server/.gitea/actions/x/action.yaml', 'runs: {using: node20, main: a.js}');
    put('server/.gitea/actions/x/node_modules/y/action.yml', 'runs: {using: node20}');
    put('server/fleet.config.yaml', 'soak: 1s');
    expect(await filesOf('server')).toEqual([
      '.gitea/workflows/a.yml',
      '.gitea/workflows/more/b.yaml',
      '.github/workflows/c.yml',
      '.gitea/actions/x/action.yaml',
      'fleet.config.yaml',
    ]);
    const { stdout } = await lint('server');
    expect(stdout).toContain('server/.github/workflows/c.yml:6:3  warning  shadowed-workflow');
  });

  it('for one server alone', async () => {
    put('.gitea/workflows/deploy.yml', GOOD.replace('push:\n    branches: [main]', 'workflow_dispatch:'));
    expect((await lint('--server', 'gitea-1.22')).stdout).toContain('dispatch-only');
    expect((await lint('--server', 'gitea-1.25')).stdout).toBe('nothing found in 1 file\n');
    expect((await lint('--server', 'github')).stdout).toContain('shadowed-workflow');
  });

  it('.github/workflows where there is no .gitea/workflows', async () => {
    put('.github/workflows/deploy.yml', BAD);
    expect((await lint()).stdout).toContain('masked-exit-code');
  });
});

describe('usage: exit code 2', () => {
  it.each([
    ['no such folder', ['nowhere'], 'nowhere is not there'],
    ['a file', ['file.txt'], 'file.txt is not a folder'],
    [
      'nothing to read',
      [],
      'there is nothing to read: no .yml or .yaml file in .forgejo/workflows, .gitea/workflows, .github/workflows',
    ],
    ['two folders', ['a', 'b'], 'an argument too many'],
    ['an unknown flag', ['--stict'], '--stict'],
    ['an unknown format', ['--format', 'xml'], 'there is no format xml'],
    ['an unknown server', ['--server', 'gitea'], 'there is no server gitea'],
  ])('%s', async (_name, args, says) => {
    put('file.txt', '');
    put('fleet.config.yaml', 'soak: 1s');
    const { code, stdout, stderr } = await lint(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: .*\nnext: .*\n$/);
    expect(stderr).toContain(says);
  });

  it('with --json a document that says so, and no finding', async () => {
    const ran = await lint('--json');
    expect(ran.code).toBe(2);
    expect(JSON.parse(ran.stdout)).toMatchObject({ schema: 'fleet-error/1', code: 'USAGE', exit_code: 2 });
  });

  it('a file that cannot be read', async () => {
    put('.gitea/workflows/deploy.yml', GOOD);
    put('fleet.config.yaml/x.yml', '');
    expect((await lint()).stderr).toContain('fleet.config.yaml cannot be read (EISDIR)');
  });
});

it('the help shows examples first and the exit codes of this command last', async () => {
  const { stdout } = await lint('--help');
  expect(stdout).toMatch(/^Examples:\n {2}fleet lint\n/);
  expect(stdout).toMatch(/Exit codes:[\s\S]*nothing to read in it\n$/);
  for (const [flag] of stdout.matchAll(/--[a-z-]+/g)) expect(stdout.split('Usage: ')[1]).toContain(flag);
});
