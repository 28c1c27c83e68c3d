/** What a deploy from here would need, and what mends it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { examine } from '../../src/doctor/doctor.js';
import { renderDoctor } from '../../src/render/doctor.js';
import { FakeGitea } from '../../src/testing/index.js';
import { FakeFleet, json, NEW } from '../helpers/fake-fleet.js';
import { FakeLock } from '../helpers/fake-lock.js';

const SECRETS = ['cp-token-never-print-me', 'gitea-token-never-print-me'];
let fleet: FakeFleet;
let lock: FakeLock;
let gitea: FakeGitea;
beforeEach(async () => {
  fleet = await FakeFleet.start(['acme', 'birch', 'cobalt'], NEW);
  lock = new FakeLock(fleet);
  gitea = await FakeGitea.start({ token: SECRETS[1] });
  gitea.repository.addCommit(NEW, [], 'main');
});
afterEach(async () => {
  await fleet.stop();
  await gitea.stop();
});

type Changes = {
  env?: Record<string, string | undefined>;
  file?: string | null;
  files?: Record<string, string>;
  git?: string | null;
};
const fileOf = () =>
  [
    'environments: {staging: {',
    `control-plane: "${fleet.url}", tenant-url: "${fleet.url}/t/{slug}", gitea-url: "${gitea.url}",`,
    'repository: acme/server, branch: main, kill-switch: FREEZE, require-context: [ci], alert-issue: true, commit-status: true}}',
  ].join(' ');
const report = async ({ env, file = fileOf(), files = {}, git = '2.39.5' }: Changes = {}) => {
  const readFile = async (path: string) => {
    const text = path === 'fleet.config.yaml' ? file : path === '.git' ? '' : files[path];
    if (text === undefined || text === null) throw Object.assign(new Error('gone'), { code: 'ENOENT' });
    return text;
  };
  const given = { flags: {}, env: { FLEET_CP_TOKEN: SECRETS[0], GITEA_TOKEN: SECRETS[1], ...env } };
  const result = await examine(given, { node: '20.19.0', git }, { ports: { readFile } });
  const text = renderDoctor(result).map((line) => line.text);
  for (const secret of SECRETS) expect(JSON.stringify(result) + text).not.toContain(secret);
  return { result, text, of: (name: string) => result.checks.find((check) => check.name === name) };
};

describe('fleet doctor', () => {
  it('finds nothing where all is well, and names where each value comes from', async () => {
    gitea.repository.addStatus(NEW, { context: 'ci', state: 'success' });
    const { result, of } = await report();
    expect(result.checks.filter(({ state }) => !['ok', 'skipped'].includes(state))).toEqual([
      expect.objectContaining({ name: 'commit status', state: 'warning' }),
    ]);
    expect([result.exit_code, result.environment]).toEqual([0, 'staging']);
    expect(of('configuration')?.says).toBe('fleet.config.yaml, found');
    expect(of('control plane')?.says).toMatch(
      /accepts the token and lists 3 tenants; its token comes from FLEET_CP_TOKEN$/,
    );
    expect(of('tenants')?.says).toBe('3 of 3 were asked, and all of them answer with buildinfo');
    expect(of('kill switch')?.says).toBe('FREEZE can be read: not set');
    expect(of('gitea')?.says).toMatch(/the token comes from GITEA_TOKEN$/);
    expect(fleet.rolls).toEqual([]);
    expect(gitea.exchanges.every(({ method }) => method === 'GET')).toBe(true);
  });

  it.each<[string, Changes & { prepare?: () => void }, string, string, RegExp, RegExp]>([
    [
      'a token that is not accepted',
      {
        prepare: () => {
          fleet.planAnswer = (response) => json(response, 401, {});
        },
      },
      'control plane',
      'problem',
      /does not accept the token .*comes from FLEET_CP_TOKEN/,
      /--token-file/,
    ],
    [
      'an empty fleet',
      { prepare: () => fleet.tenants.clear() },
      'control plane',
      'problem',
      /lists 0 tenants/,
      /fleet config/,
    ],
    [
      'tenants behind a web page',
      {
        prepare: () => {
          for (const slug of fleet.tenants.keys())
            fleet.tenants.set(slug, (response) => response.end('<html>'));
        },
      },
      'tenants',
      'problem',
      /3 cannot be read: acme: a web page/,
      /curl -i .*\/t\/acme\/buildinfo/,
    ],
    [
      'one tenant that is away',
      { prepare: () => fleet.tenants.set('birch', (response) => void response.destroy()) },
      'tenants',
      'warning',
      /1 cannot be read: birch/,
      /curl/,
    ],
    [
      'a server without a lock',
      {
        prepare: () => {
          fleet.extra = null;
        },
      },
      'lock',
      'problem',
      /serves no fleet lock/,
      /fleet-control-plane/,
    ],
    [
      'an old lock server',
      {
        prepare: () => {
          lock.features = [];
        },
      },
      'lock features',
      'warning',
      /./,
      /newest fleet-control-plane/,
    ],
    [
      'a frozen lock',
      {
        prepare: () => {
          lock.status = (_, response) => lock.show(response, { frozen: { actor: 'ann', reason: 'x' } });
        },
      },
      'freeze',
      'warning',
      /frozen by ann: x/,
      /fleet lock unfreeze/,
    ],
    [
      'a value that no run takes',
      { env: { FLEET_SOAK: '5' } },
      'settings',
      'problem',
      /FLEET_SOAK: "5" has no unit/,
      /5s/,
    ],
    [
      'nothing at all',
      { file: null },
      'settings',
      'problem',
      /--control-plane, .* are missing/,
      /give --control-plane/,
    ],
    ['no git', { git: null }, 'git', 'warning', /no git/, /install git/],
    [
      'an untrusted event',
      { env: { GITHUB_EVENT_NAME: 'pull_request' } },
      'event',
      'problem',
      /not trusted/,
      /push/,
    ],
    [
      'a kill switch that the job may not read',
      { prepare: () => gitea.fail(403, { path: /variables/ }) },
      'kill switch',
      'problem',
      /cannot be read: the user of the token lacks the right/,
      /GITEA_TOKEN; or pass --hold/,
    ],
    [
      'the same with --hold',
      { env: { FLEET_HOLD: '' }, prepare: () => gitea.fail(403, { path: /variables/ }) },
      'kill switch',
      'warning',
      /value of --hold counts/,
      /GITEA_TOKEN/,
    ],
    [
      'a check of another name',
      {},
      'required checks',
      'warning',
      /"ci" is not named/,
      /compare --require-context/,
    ],
    [
      'a wrong Gitea token',
      { env: { GITEA_TOKEN: 'another' } },
      'gitea',
      'problem',
      /does not accept GITEA_TOKEN/,
      /read:repository/,
    ],
    [
      'issues that are off',
      {
        prepare: () => {
          gitea.repository.hasIssues = false;
        },
      },
      'alert issue',
      'problem',
      /switched off/,
      /--alert-issue/,
    ],
    [
      'a proxy that is none',
      {
        env: { http_proxy: 'http://' },
        file: 'environments: {staging: {control-plane: "https://cp.invalid", tenant-url: "https://{slug}.invalid"}}',
        prepare: () => {},
      },
      'proxy',
      'problem',
      /is no address/,
      /HTTPS_PROXY/,
    ],
    [
      'a CA that is not there',
      { env: { NODE_EXTRA_CA_CERTS: 'ca.pem' } },
      'certificates',
      'problem',
      /ca\.pem cannot be read/,
      /PEM/,
    ],
    [
      'a CA that is none',
      { env: { NODE_EXTRA_CA_CERTS: 'ca.pem' }, files: { 'ca.pem': 'x' } },
      'certificates',
      'problem',
      /holds no certificate/,
      /PEM/,
    ],
    [
      'certificates that are not checked',
      { env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } },
      'certificates',
      'problem',
      /anybody on the way/,
      /NODE_EXTRA_CA_CERTS/,
    ],
  ])('%s: what it is, and what mends it', async (_name, { prepare, ...changes }, name, state, says, next) => {
    prepare?.();
    const { result, of } = await report(changes);
    expect(of(name)).toMatchObject({
      state,
      says: expect.stringMatching(says),
      next: expect.stringMatching(next),
    });
    if (state === 'problem') expect(result.exit_code).toBe(1);
  });

  it('a clock that is off is said', async () => {
    const clock = fleet.extra;
    fleet.extra = (request, response, body) => {
      response.setHeader('date', new Date(Date.now() + 300_000).toUTCString());
      return clock?.(request, response, body) ?? false;
    };
    expect((await report()).of('clock')).toMatchObject({
      state: 'warning',
      says: expect.stringMatching(/behind the lock server/),
    });
  });
});
