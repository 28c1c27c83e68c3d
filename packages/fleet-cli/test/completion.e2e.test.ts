/** `fleet completion`, by the shells that are here, against a real control plane. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, fleet, folder, TOKEN } from './cli.js';
import { World } from './world.js';

let world: World;
const temp = folder();
const env = { PATH: `${join(temp.path, 'bin')}:${process.env.PATH}`, HOME: temp.path, FLEET_CP_TOKEN: TOKEN };
beforeAll(async () => {
  world = await World.start();
  await world.setFleet({ acme: {}, birch: {}, cobalt: {} });
  mkdirSync(join(temp.path, 'bin'));
  symlinkSync(CLI, join(temp.path, 'bin/fleet'));
  const place = `control-plane: ${world.plane.url}, tenant-url: "${world.plane.tenantUrlTemplate}"`;
  writeFileSync(
    join(temp.path, 'fleet.config.yaml'),
    `environments: {staging: {${place}}, production: {control-plane: https://cp.invalid}}\n`,
  );
});
afterAll(async () => {
  temp.remove();
  await world?.plane.close();
});

const has = (shell: string) => spawnSync(shell, ['--version']).status === 0;
/** The control plane answers in this process: it must not stand still meanwhile. */
const run = async (shell: string, script: string): Promise<string[]> => {
  const { stdout } = await promisify(execFile)(shell, ['-c', script], { env, cwd: temp.path });
  return stdout.split('\n').filter(Boolean);
};
const quoted = (words: string[]) => words.map((word) => `'${word}'`).join(' ');

const SHELLS: Record<string, (words: string[]) => Promise<string[]>> = {
  bash: (words) =>
    run(
      'bash',
      `source <(fleet completion bash); COMP_WORDS=(fleet ${quoted(words)}); COMP_CWORD=${words.length}
       _fleet_completion; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ),
  zsh: async (words) =>
    (
      await run(
        'zsh',
        `compdef() { :; }; _describe() { print -l -- "\${(@P)2}"; }; _files() { :; }; source <(fleet completion zsh)
       words=(fleet ${quoted(words)}); CURRENT=${words.length + 1}; _fleet_completion`,
      )
    ).map((line) => line.split(':')[0] ?? ''),
  fish: async (words) =>
    (await run('fish', `fleet completion fish | source; complete -C "fleet ${words.join(' ')}"`)).map(
      (line) => line.split('\t')[0] ?? '',
    ),
};

const CASES: [string[], string[]][] = [
  [['re'], ['redeploy', 'report']],
  [['lock', 'un'], ['unfreeze']],
  [
    ['redeploy', '--report-'],
    ['--report-json', '--report-html', '--report-junit'],
  ],
  [
    ['status', '--environment', ''],
    ['staging', 'production'],
  ],
  [['redeploy', '--environment', 'staging', '--only', 'b'], ['birch']],
  [
    ['plan', '--strategy', 's'],
    ['scoped', 'single-call'],
  ],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
];

describe.each(Object.keys(SHELLS))('%s', (shell) => {
  it.skipIf(!has(shell))('completes commands, flags, environments and tenants', async () => {
    // What differs by shell is how it asks, not what it gets.
    const cases = shell === 'bash' ? CASES : CASES.slice(2, 5);
    const found = cases.map(async ([words]) => [words, (await SHELLS[shell]?.(words))?.sort()]);
    expect(await Promise.all(found)).toEqual(cases.map(([words, expected]) => [words, expected.toSorted()]));
  });
});

it('runs nothing of what is typed', async () => {
  const mark = join(temp.path, 'mark');
  await run(
    'bash',
    `source <(fleet completion bash); COMP_WORDS=(fleet lock freeze --reason '$(touch ${mark})' --f); COMP_CWORD=5; _fleet_completion`,
  );
  expect(spawnSync('test', ['-e', mark]).status).toBe(1);
});

describe('what is handed to the shell', () => {
  const ask = async (...words: string[]) =>
    (await fleet(['completion', '--complete', '--', ...words], { cwd: temp.path })).stdout;
  it('values behind "=", as one word and as the three of bash', async () => {
    expect(await ask('plan', '--strategy=sc')).toBe('--strategy=scoped\t\n');
    expect(await ask('plan', '--strategy', '=', 'sc')).toBe('scoped\t\n');
    expect(await ask('plan', '--strategy', '=')).toBe('scoped\t\nsingle-call\t\n');
  });

  it('a flag that is typed is not told again, unless it may be repeated', async () => {
    expect(await ask('plan', '--dry', '--canary', 'acme', '--can')).toBe('');
    expect(await ask('plan', '--only', 'acme', '--onl')).toMatch(/^--only\t/);
  });

  it('is nothing, and no error, where the control plane is away', async () => {
    const started = Date.now();
    const ran = await fleet(
      ['completion', '--complete', '--', 'plan', '--environment', 'production', '--only', ''],
      { cwd: temp.path },
    );
    expect(ran).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(Date.now() - started).toBeLessThan(5_000);
  });

  it.each([[['completion']], [['completion', 'tcsh']]])('%j: exit code 2', async (args) => {
    const ran = await fleet(args);
    expect([ran.code, ran.stderr]).toEqual([
      2,
      expect.stringMatching(/takes one shell: bash, zsh, fish\nnext: /),
    ]);
  });
});
