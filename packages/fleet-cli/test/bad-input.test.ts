import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FakeGitea } from '@tenant-fleet/fleet-core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checked, countingServer, fleet, folder, SHA, TOKEN } from './cli.js';

let server: Awaited<ReturnType<typeof countingServer>>;
const temp = folder();
let good: string[];

beforeAll(async () => {
  server = await countingServer();
  good = [
    ...['--control-plane', server.url, '--tenant-url', `${server.url}/{slug}`],
    ...['--target-tag', 'main-1', '--expected-sha', SHA, '--lock-group', 'staging'],
  ];
  mkdirSync(join(temp.path, 'folder'));
  writeFileSync(join(temp.path, 'file'), '');
  writeFileSync(join(temp.path, 'broken.yaml'), 'a: [1');
  writeFileSync(join(temp.path, 'unknown.yaml'), 'sook: 3s\n');
  writeFileSync(join(temp.path, 'secret.yaml'), `control-plane-token: ${TOKEN}\n`);
  writeFileSync(join(temp.path, 'two.yaml'), 'environments: {staging: {}, production: {}}\n');
  writeFileSync(join(temp.path, 'not-a-result.json'), '{"schema":"fleet-result/1"}');
  writeFileSync(join(temp.path, 'empty-token'), '\n');
});
afterAll(async () => {
  temp.remove();
  await server.close();
});

type Case = [name: string, args: string[], says: RegExp, env?: Record<string, string>];
/** `...` and `...lock` stand for flags that are all well, so that the one after them is what is wrong. */
const cases: Case[] = [
  ['an unknown command', ['redeply'], /unknown command.*\n.*did you mean redeploy/],
  ['what other tools call it', ['undo'], /unknown command.*\n.*did you mean fleet rollback/],
  ['the same, of a command below', ['thaw'], /unknown command.*\n.*did you mean fleet lock unfreeze/],
  ['an unknown topic', ['help', 'outcome'], /no command and no topic "outcome"\n.*did you mean outcomes/],
  ['a topic far off', ['help', 'everything'], /no topic.*\n.*topics are outcomes, exit-codes, concepts/],
  ['an unknown format', ['report', 'x.json', '--format', 'pdf'], /--format: "pdf" is not known\n.*markdown/],
  ['an unknown flag', ['redeploy', '--sook', '3s'], /unknown option '--sook'\n.*did you mean --soak/],
  [
    'a flag of another command',
    ['verify', '--dry-run'],
    /unknown option '--dry-run'\nnext: fleet verify --help/,
  ],
  ['a flag without its value', ['redeploy', '--soak'], /--soak.* argument missing/],
  ['an argument too many', ['redeploy', 'main-1'], /an argument too many/],
  ['the token as an argument', ['redeploy', '--token', TOKEN], /never an argument/],
  ['the token glued to a flag', ['redeploy', `--cp-token=${TOKEN}`], /never an argument/],
  ['no control plane', ['redeploy', '...', '--control-plane', ''], /--control-plane is missing/],
  [
    'nothing at all',
    ['redeploy'],
    /--control-plane, --tenant-url, --target-tag, .* and --lock-group are missing/,
  ],
  ['no tag', ['redeploy', '...', '--target-tag', ''], /--target-tag is missing/],
  ['a bad tag', ['redeploy', '...', '--target-tag', 'a b'], /--target-tag: .*not an image tag/],
  ['no commit', ['redeploy', '...', '--expected-sha', ''], /--expected-sha is missing/],
  ['a short commit', ['redeploy', '...', '--expected-sha', 'abcdef1'], /--expected-sha: .*full commit/],
  ['no token', ['redeploy', '...'], /FLEET_CP_TOKEN is missing/, { FLEET_CP_TOKEN: '' }],
  ['a token that is none', ['redeploy', '...'], /FLEET_CP_TOKEN/, { FLEET_CP_TOKEN: 'null' }],
  [
    'an absent token file',
    ['redeploy', '...', '--token-file', 'nope'],
    /--token-file: cannot read .*no such file/,
  ],
  ['the token for its file', ['redeploy', '...', '--token-file', TOKEN], /--token-file: cannot read/],
  [
    'an empty token file',
    ['redeploy', '...', '--token-file', 'empty-token'],
    /--token-file: the file that it names is empty/,
  ],
  [
    'http to another host',
    ['redeploy', '...', '--control-plane', 'http://cp.example.com'],
    /--control-plane: http:\/\/ to cp\.example\.com/,
  ],
  [
    'a URL with a password',
    ['redeploy', '...', '--control-plane', 'https://u:hunter2@cp.example.com'],
    /--control-plane: carries a user name or password/,
  ],
  ['no URL', ['redeploy', '...', '--control-plane', 'cp.example.com'], /not an http\(s\) URL/],
  [
    'no {slug}',
    ['redeploy', '...', '--tenant-url', 'https://x.example.com'],
    /--tenant-url: must contain \{slug\}/,
  ],
  [
    'a bare number as duration',
    ['redeploy', '...', '--soak', '60'],
    /--soak: "60" has no unit\n.*60s or 60m/,
  ],
  ['a negative duration', ['redeploy', '...', '--soak', '-5s'], /--soak: "-5s" is not a duration/],
  ['a word as number', ['redeploy', '...', '--batch-size', 'many'], /--batch-size: "many"/],
  ['a batch of none', ['redeploy', '...', '--batch-size', '0'], /--batch-size: 0 is not.* at least 1/],
  ['half a straggler', ['redeploy', '...', '--max-stragglers', '1.5'], /--max-stragglers: "1.5"/],
  [
    'an unknown strategy',
    ['redeploy', '...', '--strategy', 'hope'],
    /--strategy: "hope" is not known\n.*scoped/,
  ],
  ['a bad canary', ['redeploy', '...', '--canary', 'a/b'], /--canary: .*not a tenant slug/],
  [
    'a glob that excuses all',
    ['redeploy', '...', '--ephemeral', '*'],
    /--ephemeral: \* matches every tenant/,
  ],
  [
    'an empty required check',
    ['redeploy', '...', '--require-context', 'a', '--require-context', ' '],
    /--require-context/,
  ],
  ['a switch that is neither', ['redeploy', '...', '--hold', 'maybe'], /--hold: "maybe" is neither/],
  ['no lock group', ['redeploy', '...', '--lock-group', ''], /no lock group.*\n.*--no-lock/],
  ['a bad lock group', ['redeploy', '...', '--lock-group', 'A B'], /--lock-group/],
  ['a lease too short', ['redeploy', '...', '--lock-ttl', '1s'], /--lock-ttl: must be from 2s/],
  [
    'the kill switch without a token',
    [
      'redeploy',
      '...',
      '--gitea-url',
      'https://g.example.com',
      '--repository',
      'o/r',
      '--kill-switch',
      'HOLD',
    ],
    /GITEA_TOKEN: is empty/,
  ],
  ['an absent configuration file', ['redeploy', '--config', 'nope.yaml'], /--config: cannot read nope.yaml/],
  ['a broken configuration file', ['redeploy', '--config', 'broken.yaml'], /^error: broken\.yaml:\d/],
  [
    'an unknown key in a file',
    ['redeploy', '--config', 'unknown.yaml'],
    /sook in unknown\.yaml: unknown key\n.*did you mean soak/,
  ],
  ['a token in a file', ['redeploy', '--config', 'secret.yaml'], /unknown key\n.*never stands in this file/],
  [
    'no environment chosen',
    ['redeploy', '--config', 'two.yaml'],
    /--environment is missing: two\.yaml has staging, production/,
  ],
  [
    'an unknown environment',
    ['redeploy', '--config', 'two.yaml', '--environment', 'x'],
    /has no environment "x"/,
  ],
  ['a bad variable', ['redeploy', '...'], /^error: FLEET_SOAK: "soon"/, { FLEET_SOAK: 'soon' }],
  [
    'an expression that CI left',
    ['redeploy', '...'],
    /FLEET_CANARY: contains/,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what CI leaves is exactly this text
    { FLEET_CANARY: '${{ vars.X }}' },
  ],
  [
    'a report in no folder',
    ['redeploy', '...', '--report-json', 'nope/r.json'],
    /--report-json: cannot write nope\/r\.json: its folder/,
  ],
  [
    'a report that is a folder',
    ['redeploy', '...', '--report-html', 'folder'],
    /--report-html: cannot write folder: it is a folder/,
  ],
  [
    'a report below a file',
    ['redeploy', '...', '--report-json', 'file/r.json'],
    /--report-json: cannot write file\/r\.json: .*not a folder/,
  ],
  [
    'a report that is no file',
    ['redeploy', '...', '--report-json', '/dev/null'],
    /--report-json: .*not a regular file/,
  ],
  [
    'two reports in one file',
    ['redeploy', '...', '--report-json', 'r', '--report-html', 'r'],
    /--report-html: names the same/,
  ],
  ['a report without a name', ['redeploy', '...', '--report-json', ''], /--report-json: names no file/],
  ['no result to show', ['report', 'nope.json'], /nope\.json: there is no such file/],
  ['a file that is no result', ['report', 'not-a-result.json'], /is not a fleet result/],
  ['no command to run', ['lock', 'run', '...lock'], /no command is given\n.*-- CMD/],
  ['no command after the dashes', ['lock', 'run', '...lock', '--'], /no command is given/],
  [
    'a command on a system without process groups',
    ['lock', 'run', '...lock', '--', 'true'],
    /Windows has none\n.*WSL/,
    {
      NODE_OPTIONS: "--import=data:text/javascript,Object.defineProperty(process,'platform',{value:'win32'})",
    },
  ],
  [
    'a flag of the command before the dashes',
    ['lock', 'run', '-c', 'x'],
    /unknown option '-c'\nnext: fleet lock run --help/,
  ],
  [
    'a lease too short for a command',
    ['lock', 'run', '...lock', '--lock-ttl', '1s', '--', 'true'],
    /--lock-ttl: must be from 2s/,
  ],
  [
    'a fence that is none',
    ['lock', 'run', '...lock', '--', 'true'],
    /FLEET_LOCK_FENCE: "x" is not/,
    { FLEET_LOCK_GROUP: 'staging', FLEET_LOCK_FENCE: 'x' },
  ],
  ['a watch of nothing', ['lock', 'status', '--watch'], /--lock-group and --control-plane are missing/],
  ['a watch of no lock', ['lock', 'status', '--control-plane', 'https://cp.example.com'], /no lock group/],
  ['a break without a reason', ['lock', 'break', '...lock', '--yes'], /--reason is missing\n.*audit log/],
  ['an empty reason', ['lock', 'break', '...lock', '--yes', '--reason', ' '], /--reason is missing/],
  ['a reason too long', ['lock', 'freeze', '...lock', '--reason', 'x'.repeat(501)], /--reason: is too long/],
  [
    'a break that nobody confirms',
    ['lock', 'break', '...lock', '--reason', 'stuck'],
    /--yes is missing: nobody is here/,
  ],
  [
    'a bad fencing token',
    ['lock', 'break', '...lock', '--reason', 'stuck', '--yes', '--fencing-token', '0'],
    /--fencing-token: "0" is not/,
  ],
  [
    'a freeze with two ends',
    ['lock', 'freeze', '...lock', '--reason', 'x', '--for', '1h', '--until', '2099-01-01T00:00:00Z'],
    /--until: --for says already/,
  ],
  [
    'a freeze for no unit',
    ['lock', 'freeze', '...lock', '--reason', 'x', '--for', '5'],
    /--for: "5" has no unit/,
  ],
  [
    'a freeze until some time',
    ['lock', 'freeze', '...lock', '--reason', 'x', '--until', 'tomorrow'],
    /--until: "tomorrow" is not a moment/,
  ],
  [
    'a freeze until yesterday',
    ['lock', 'freeze', '...lock', '--reason', 'x', '--until', '2020-01-01T00:00:00Z'],
    /--until: .* has passed/,
  ],
  ['a lift without a reason', ['lock', 'unfreeze', '...lock'], /--reason is missing/],
  ['a log after a word', ['lock', 'log', '...lock', '--after', 'noon'], /--after: "noon" is not/],
  ['a lock without a name', ['lock', 'status', '--control-plane', 'https://cp.example.com'], /no lock group/],
];

describe('bad input ends with exit code 2, one or two lines, no request, and no word of the token', () => {
  it.each(cases)('%s', async (_name, args, says, env) => {
    const lock = ['--control-plane', server.url, '--lock-group', 'staging'];
    const full = args.flatMap((arg) => (arg === '...' ? good : arg === '...lock' ? lock : [arg]));
    const ran = await fleet(full, { cwd: temp.path, env });
    expect(ran.stderr).toMatch(says);
    expect(ran.code).toBe(2);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toMatch(/^error: .+\n(?:next: .+\n)?$/);
    expect(ran.stderr).not.toMatch(new RegExp(`${TOKEN}|hunter2`));
    expect(server.seen).toEqual([]);
  });

  it('110: is an error and silent on stdout, never a quiet skip', async () => {
    const ran = await fleet(['redeploy', ...good, '--soak', '60'], { cwd: temp.path });
    expect([ran.code, ran.stdout]).toEqual([2, '']);
  });

  it.each([
    [['redeploy', '--soak', '60'], 'USAGE', 2],
    [['redeploy', '--unknown'], 'USAGE', 2],
    [['lock', 'status', '--control-plane', 'http://127.0.0.1:9', '--lock-group', 'g'], 'CP_UNREACHABLE', 5],
    [['lock', 'freeze', '--control-plane', 'http://127.0.0.1:9', '--lock-group', 'g'], 'USAGE', 2],
    [['lock', 'log', '--after', 'x'], 'USAGE', 2],
    [['report', 'nowhere.json'], 'USAGE', 2],
  ])('%j --json: one document that says why', async (args, code, exitCode) => {
    const ran = await fleet([...args, '--json'], { cwd: temp.path });
    const document = checked(ran.stdout);
    expect(document).toMatchObject({ schema: 'fleet-error/1', code, exit_code: exitCode });
    expect(ran.code).toBe(exitCode);
    expect(ran.stderr).toContain(`error: ${document.message}`);
  });

  it('in CI a deploy that never began is told of; at a terminal whoever typed it knows', async () => {
    const gitea = await FakeGitea.start({ token: 'gitea-token' });
    try {
      gitea.repository.addCommit(SHA);
      const bad = ['redeploy', ...good, '--soak', '60', '--commit-status', '--gitea-url', gitea.url];
      const env = { GITEA_TOKEN: 'gitea-token', FLEET_REPOSITORY: 'acme/server' };
      expect(await fleet(bad, { env })).toMatchObject({ code: 2 });
      expect(gitea.exchanges).toEqual([]);
      const ran = await fleet(bad, { env: { ...env, CI: 'true', GITHUB_EVENT_NAME: 'push' } });
      expect(ran).toMatchObject({ code: 2, stdout: '' });
      expect(ran.stderr).toMatch(/^commit status fleet\/staging: error \(abcdef1\)\nerror: --soak/);
      expect(gitea.repository.stateOf(SHA, 'fleet/staging')).toBe('error');
    } finally {
      await gitea.stop();
    }
  });

  it('leaves no file behind', () => {
    expect(readdirSync(temp.path).filter((name) => name.includes('tmp') || name.startsWith('r'))).toEqual([]);
  });
});
