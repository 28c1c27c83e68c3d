import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodeOf, OUTCOMES } from '@tenant-fleet/fleet-core';
import { settingsFor } from '@tenant-fleet/fleet-core/config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CLI,
  countingServer,
  fleet,
  folder,
  hasPty,
  atTerminal as narrow,
  type Ran,
  SHA,
  TOKEN,
} from './cli.js';

const LOCK = ['status', 'run', 'break', 'freeze', 'unfreeze', 'log'].map((name) => ['lock', name]);

const temp = folder();
let server: Awaited<ReturnType<typeof countingServer>>;
beforeAll(async () => {
  server = await countingServer();
});
afterAll(async () => {
  temp.remove();
  await server.close();
});

/** What a command says of itself, asked once. */
const helps = new Map<string, Promise<Ran>>();
function helpOf(path: string[]): Promise<Ran> {
  const key = path.join(' ');
  const help = helps.get(key) ?? fleet([...path, '--help']);
  helps.set(key, help);
  return help;
}

describe('help and version', () => {
  it('prints the version of the package and nothing else', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    for (const args of [['--version'], ['-V'], ['version'], ['--version', '--no-color']]) {
      expect(await fleet(args)).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
    }
  });

  it('names every setting that redeploy takes, with its variables and its default', async () => {
    const { stdout, code } = await helpOf(['redeploy']);
    expect(code).toBe(0);
    const text = stdout.replace(/\s+/g, ' ');
    for (const setting of settingsFor('redeploy')) {
      if (setting.kind === 'secret') {
        expect(text).not.toContain(` --${setting.name} `);
        continue;
      }
      expect(text).toContain(` --${setting.name} `);
      for (const name of setting.env) expect(text).toContain(name);
      if (setting.default) expect(text).toContain(`default ${setting.default}`);
    }
  });

  it('shows examples first and the exit codes last', async () => {
    const commands = [
      ['redeploy'],
      ['plan'],
      ['verify'],
      ['config'],
      ['config', 'schema'],
      ['report'],
      ...LOCK,
    ];
    for (const args of commands) {
      const { stdout } = await helpOf(args);
      expect(stdout).toMatch(/^Examples:/);
      expect(stdout.indexOf('Exit codes:')).toBeGreaterThan(stdout.indexOf('--no-color'));
    }
  });

  const codesOf = (help: string) =>
    [...(help.split('Exit codes:')[1] ?? '').matchAll(/^ {2}(\d+|N) /gm)].map(([, code]) => code).join(' ');
  it.each([
    ['redeploy', '0 1 2 3 4 5 130'],
    ['rollback', '0 1 2 3 4 5 130'],
    ['plan', '0 1 2 4 5 130'],
    ['gates', '0 2 4 130'],
    ['verify', '0 1 2 4 5 130'],
    ['status', '0 2 4 5 130'],
    ['history', '0 1 2 4 5'],
    ['history show', '0 1 2 4 5'],
    ['doctor', '0 1 2 130'],
    ['watch', '0 1 2 4 5 130'],
    ['conformance', '0 1 2 4 5 130'],
    ['config', '0 2'],
    ['config schema', '0 2'],
    ['report', '0 2'],
    ['completion', '0 2'],
    ['help', '0 2'],
    ['version', '0 2'],
    ['lint', '0 1 2'],
    ['lock status', '0 2 4 5 130'],
    ['lock run', 'N 2 3 4 5 126 130'],
    ['lock break', '0 2 4 5 130'],
    ['lock freeze', '0 2 4 5 130'],
    ['lock unfreeze', '0 2 4 5 130'],
    ['lock log', '0 2 4 5 130'],
  ])('%s: its help shows its own exit codes and headings', async (command, codes) => {
    const { stdout } = await helpOf(command.split(' '));
    expect(codesOf(stdout)).toBe(codes);
    const rolls = ['redeploy', 'rollback', 'plan', 'config', 'doctor'].includes(command);
    for (const heading of ['What to roll', 'Rollout:', 'Gates (off'])
      expect([heading, stdout.includes(heading)]).toEqual([heading, rolls]);
  });

  it('every command has examples and exit codes of its own', async () => {
    const below = async (path: string[]): Promise<string[][]> => {
      const { stdout } = await helpOf(path);
      const [, list = ''] = stdout.split('\nCommands:\n');
      const names = [...list.matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => [...path, `${name}`]);
      return names.length ? (await Promise.all(names.map(below))).flat() : [path];
    };
    for (const path of await below([])) {
      const { stdout } = await helpOf(path);
      expect([path, stdout.startsWith(`Examples:\n  fleet ${path.join(' ')}`)]).toEqual([path, true]);
      expect([path, codesOf(stdout)]).toEqual([path, expect.stringMatching(/\b2\b/)]);
    }
  });

  it('every flag in an example exists', async () => {
    for (const command of [
      ['redeploy'],
      ['rollback'],
      ['plan'],
      ['gates'],
      ['verify'],
      ['status'],
      ['history'],
      ['watch'],
      ['doctor'],
      ['conformance'],
      ['config'],
      ['report'],
      ...LOCK,
    ]) {
      const { stdout } = await helpOf(command);
      const [examples = '', rest = ''] = stdout.split('\nUsage: ');
      // What stands in quotes belongs to another command.
      for (const [flag] of examples.replace(/"[^"]*"/g, '').matchAll(/--[a-z-]+/g)) {
        if (flag === '--short') continue;
        expect(rest).toContain(`${flag} `);
      }
    }
  });

  it('without a command: the help on stderr, exit code 2', async () => {
    const ran = await fleet([]);
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toMatch(/^Examples:[\s\S]*Commands:/);
  });
});

describe('topics', () => {
  it('tells every outcome with the exit codes that it has', async () => {
    const { stdout } = await fleet(['help', 'outcomes']);
    for (const outcome of OUTCOMES) {
      const line = stdout.split('\n').find((one) => one.startsWith(`${outcome} (exit code `));
      for (const askedBy of ['ci', 'human'] as const)
        expect([outcome, line]).toEqual([
          outcome,
          expect.stringContaining(`${exitCodeOf(outcome, { askedBy })}`),
        ]);
    }
  });

  it('lists topics, tells of each, and of commands', async () => {
    const all = await fleet(['help']);
    const topics = [...(all.stdout.split('\nTopics')[1] ?? '').matchAll(/^ {2}([a-z-]+) /gm)].map(
      ([, name]) => `${name}`,
    );
    expect([all.code, topics]).toEqual([0, ['outcomes', 'exit-codes', 'concepts']]);
    for (const topic of topics) expect((await fleet(['help', topic])).stdout.length).toBeGreaterThan(400);
    const [help, flag] = await Promise.all([fleet(['help', 'lock', 'break']), helpOf(['lock', 'break'])]);
    expect(help).toEqual(flag);
  });

  it.skipIf(!hasPty).each(['outcomes', 'exit-codes', 'concepts'])('%s keeps to 40 columns', async (topic) => {
    for (const line of (await narrow(40, ['help', topic])).split('\n'))
      expect(line.length).toBeLessThanOrEqual(40);
  });
});

describe('precedence', () => {
  const place = async (args: string[], env: Record<string, string>, file: string) => {
    writeFileSync(join(temp.path, 'fleet.config.yaml'), file);
    const ran = await fleet(['redeploy', ...args], { cwd: temp.path, env });
    expect(ran.code).toBe(2);
    return ran.stderr;
  };

  it('a flag wins over a variable, that over the file, that over the default', async () => {
    expect(await place(['--soak', '1'], { FLEET_SOAK: '2' }, 'soak: 3')).toContain('--soak: "1"');
    expect(await place([], { FLEET_SOAK: '2' }, 'soak: 3')).toContain('FLEET_SOAK: "2"');
    expect(await place([], {}, 'soak: 3')).toContain('soak in fleet.config.yaml: "3"');
    expect(await place([], {}, '{}')).toMatch(/--control-plane, .* are missing/);
  });

  it('the last of a flag given twice wins', async () => {
    expect(await place(['--soak', '1s', '--soak', '7'], {}, '{}')).toContain('--soak: "7"');
  });

  it('the token file wins over the variable', async () => {
    writeFileSync(join(temp.path, 'token'), 'null\n');
    const args = ['--control-plane', server.url, '--token-file', 'token'];
    expect(await place(args, {}, '{}')).toContain('what was given is not a token');
  });
});

/** A roll that the control plane refuses at once. */
const args = () => [
  ...['redeploy', '--control-plane', server.url, '--tenant-url', `${server.url}/{slug}`],
  ...['--target-tag', 'main-1', '--expected-sha', SHA, '--no-lock', '--timeout', '2s'],
];

describe('streams', () => {
  it('119: nothing but one document on stdout with --json, and the token nowhere', async () => {
    const ran = await fleet([...args(), '--json', '--verbose']);
    expect(JSON.parse(ran.stdout)).toMatchObject({ schema: 'fleet-result/1', exit_code: ran.code });
    expect(ran.stderr).toContain('CONTROL PLANE ERROR');
    expect(ran.stdout + ran.stderr).not.toContain(TOKEN);
    expect(server.seen.length).toBeGreaterThan(0);
  });

  it('progress on stderr, the closing block on stdout', async () => {
    const ran = await fleet(args());
    expect(ran.stderr).toMatch(/^rolling the fleet to main-1/);
    expect(ran.stdout).toMatch(/^CONTROL PLANE ERROR: /);
  });

  it('only the closing block with --quiet', async () => {
    const ran = await fleet([...args(), '--quiet']);
    expect(ran.stderr).toBe('');
    expect(ran.stdout).toMatch(/^CONTROL PLANE ERROR: /);
  });

  it('colours where they are forced, and never with --no-color', async () => {
    const colour = '\u001b[';
    expect((await fleet(args())).stdout).not.toContain(colour);
    expect((await fleet(args(), { env: { FORCE_COLOR: '1' } })).stdout).toContain(colour);
    expect((await fleet([...args(), '--no-color'], { env: { FORCE_COLOR: '1' } })).stdout).not.toContain(
      escape,
    );
  });

  it('a reader that goes away does not end the run with a stack', async () => {
    const child = spawn(process.execPath, [CLI, ...args(), '--json'], {
      env: { PATH: process.env.PATH, FLEET_CP_TOKEN: TOKEN },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(5);
    expect(stderr).not.toMatch(/EPIPE|\n\s+at /);
  });
});

describe('telemetry', () => {
  it('leaves where OTEL_* says, below the parent; requests name the trace', async () => {
    const collector = await countingServer();
    const before = server.traceparents.length;
    const trace = 'c'.repeat(32);
    const env = { TRACEPARENT: `00-${trace}-${'d'.repeat(16)}-01` };
    const ran = await fleet(args(), { env: { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } });
    expect(ran.code).toBe(5);
    expect([...new Set(collector.seen)].sort()).toEqual(['POST /v1/metrics', 'POST /v1/traces']);
    // This collector refuses, as whatever it is here refuses.
    expect(ran.stderr).toMatch(/^telemetry: some of it was not taken by the collector/m);
    const named = server.traceparents.slice(before);
    expect(named.length).toBeGreaterThan(0);
    for (const one of named) expect(one).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
    await fleet(args(), { env });
    expect(server.traceparents.at(-1)).toBeUndefined();
    await collector.close();
  });
});

describe('a fault of our own', () => {
  it('is one line without the token; the stack is for --verbose', async () => {
    const broken = `globalThis.performance.now=()=>{throw new Error('boom ${TOKEN}')}`;
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(broken)}` };
    const ran = await fleet(args(), { env });
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(/^error: boom \[secret\] \(INTERNAL\)\nnext: .*--verbose.*\n$/);
    const verbose = await fleet([...args(), '--verbose'], { env });
    expect(verbose.stderr).toMatch(/\n\s+at /);
    expect(verbose.stderr).not.toContain(TOKEN);
  });

  it.each([
    ['a token file', [], { FLEET_CP_TOKEN: '', FLEET_TOKEN_FILE: 'stored-secret' }],
    ['a typed token file', ['--token-file', 'stored-secret'], { FLEET_CP_TOKEN: 'another' }],
    ['the registry password', [], { FLEET_REGISTRY_PASSWORD: 'word-in-a-place' }],
    ['the password of a registry that is not asked', [], { FLEET_REGISTRY_PASSWORD_FILE: 'stored-secret' }],
  ])('says nothing of %s either', async (_name, more, given) => {
    writeFileSync(join(temp.path, 'stored-secret'), 'word-in-a-place\n');
    const broken = "globalThis.performance.now=()=>{throw new Error('boom word-in-a-place')}";
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(broken)}`, ...given };
    const ran = await fleet([...args(), ...more], { env: env as Record<string, string>, cwd: temp.path });
    expect(ran.stderr).toMatch(/^error: boom \[secret\] \(INTERNAL\)/);
  });
});

describe('under an event that anybody can cause', () => {
  const lock = (...words: string[]) => ['lock', ...words, '--control-plane', server.url, '--lock-group', 'a'];
  const roll = (...words: string[]) => [...words, ...args().slice(1)];
  const verify = () => ['verify', ...args().slice(1, 5), '--expected-sha', SHA];
  it.each([
    ['redeploy', () => roll('redeploy')],
    ['rollback', () => [...verify().slice(0, -2), '--yes', '--lock-group', 'a'].with(0, 'rollback')],
    ['redeploy --dry-run', () => [...roll('redeploy'), '--dry-run']],
    ['plan', () => roll('plan')],
    ['verify', verify],
    ['lock status', () => lock('status')],
    ['lock log', () => lock('log')],
    ['lock freeze', () => lock('freeze', '--reason', 'x')],
    ['lock unfreeze', () => lock('unfreeze', '--reason', 'x')],
    ['lock break', () => lock('break', '--reason', 'x', '--yes')],
    ['lock run', () => [...lock('run'), '--', process.execPath, '-e', 'process.exit(9)']],
  ])('%s asks nothing and ends with exit code 4', async (_name, line) => {
    const before = server.seen.length;
    const ran = await fleet(line(), { env: { GITHUB_EVENT_NAME: 'pull_request', CI: 'true' } });
    expect(ran.code).toBe(4);
    expect(ran.stdout + ran.stderr).toMatch(
      /"pull_request" is not trusted[\s\S]*\n(next|Next): run it from push/,
    );
    expect(server.seen.length).toBe(before);
  });
});

describe.skipIf(!hasPty)('the question before a roll', () => {
  /** Runs it at a terminal of its own; `answer` is typed once the question stands there. */
  const atTerminal = async (more: string, answer: string, env: Record<string, string> = {}) => {
    const line = `${process.execPath} ${CLI} ${args().join(' ')} ${more}`;
    // The exit code is that of fleet, also before a pipe.
    const command = more.includes('|') ? `bash -o pipefail -c "${line}"` : line;
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      env: { PATH: process.env.PATH, FLEET_CP_TOKEN: TOKEN, TERM: 'dumb', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
      if (answer && output.includes('[y/N] ')) {
        child.stdin.write(answer);
        answer = '';
      }
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    return { code, output };
  };

  it.each([
    ['n\r', 4, 'Declined: nothing was rolled.'],
    ['\r', 4, 'Declined: nothing was rolled.'],
    ['\u0003', 130, 'Nothing was rolled.'],
    ['\u0004', 4, 'Declined: nothing was rolled.'],
    ['y\r', 5, 'CONTROL PLANE ERROR'],
  ])('%j: exit code %i', async (answer, code, says) => {
    const ran = await atTerminal('', answer);
    expect(ran.output).toContain('Roll the fleet to main-1 (abcdef1)? [y/N] ');
    expect(ran.output).toContain(says);
    expect(ran.output).toContain('What it would do is not known: ');
    expect(ran.code).toBe(code);
  });

  it.each(['| cat', '2>&1 | cat', '2>/dev/null | cat'])('is asked with %j too', async (pipe) => {
    const ran = await atTerminal(pipe, 'n\r');
    expect(ran.output).toContain('Roll the fleet to main-1 (abcdef1)? [y/N] ');
    expect(ran.code).toBe(4);
  });

  it.each([
    ['--yes', {}],
    ['--dry-run', {}],
    ['', { CI: 'true' }],
  ])('is not asked with %j %j', async (more, env) => {
    const ran = await atTerminal(more, '', env as Record<string, string>);
    expect(ran.output).not.toContain('[y/N]');
    expect(ran.code).toBe(5);
  });
});

describe('saved results', () => {
  it('writes, shows and renders one', async () => {
    const [json, html] = [join(temp.path, 'result.json'), join(temp.path, 'result.html')];
    const ran = await fleet([
      ...[
        'redeploy',
        '--control-plane',
        server.url,
        '--tenant-url',
        `${server.url}/{slug}`,
        '--target-tag',
        'main-1',
      ],
      ...['--expected-sha', SHA, '--no-lock', '--timeout', '2s', '--report-json', json],
    ]);
    expect(ran.code).toBe(5);
    const shown = await fleet(['report', json, '--html', html]);
    expect(shown).toEqual({ code: 0, stdout: ran.stdout, stderr: '' });
    expect(readFileSync(html, 'utf8')).toMatch(/^<!doctype html>/);
    const as = async (format: string) => (await fleet(['report', json, '--format', format])).stdout;
    expect(await as('html')).toBe(readFileSync(html, 'utf8'));
    expect(await as('markdown')).toMatch(/^<h3>CONTROL PLANE ERROR: /);
    expect(JSON.parse(await as('json'))).toEqual(JSON.parse(readFileSync(json, 'utf8')));
  });
});
