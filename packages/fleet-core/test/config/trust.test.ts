/** Which secret may be sent where, for every secret and every address. */
import { describe, expect, test } from 'vitest';
import { checkOptions } from '../../src/config/check-options.js';
import type { Config } from '../../src/config/config.js';
import { loadConfig } from '../../src/config/load.js';
import type { Command } from '../../src/config/options.js';
import { type Layers, resolveConfig } from '../../src/config/resolve.js';
import { eventBehind } from '../../src/config/trigger.js';
import { good, SHA } from '../helpers/options.js';
import { usageOf } from '../helpers/usage.js';

const SECRETS = {
  FLEET_CP_TOKEN: 'secret-of-cp',
  FLEET_LOCK_TOKEN: 'secret-of-lock',
  GITEA_TOKEN: 'secret-of-gitea',
  FLEET_REGISTRY_PASSWORD: 'secret-of-registry',
};
const WEBHOOK = { FLEET_ALERT_WEBHOOK: 'https://chat.example.com/secret-of-webhook' };
const PUSH = { CI: 'true', GITHUB_EVENT_NAME: 'push' };
const UNNAMED = { CI: 'true' };

/** Every setting whose address is sent a secret, with an address. */
const ADDRESSES = {
  'control-plane': 'https://cp.example.com',
  'lock-url': 'https://lock.example.com',
  'gitea-url': 'https://git.example.com',
  image: 'registry.example.com/team/server',
};
type Address = keyof typeof ADDRESSES;
const HOSTS = ['cp', 'lock', 'git', 'registry', 'chat'].map((name) => `${name}.example.com`);

const REST = {
  'tenant-url': 'https://{slug}.example.com',
  'target-tag': 'main-1',
  'expected-sha': SHA,
  'lock-group': 'staging',
  repository: 'o/r',
  branch: 'main',
  'kill-switch': 'HOLD',
  'registry-user': 'robot',
};

/** A configuration with each address from a file, or from where `named` says. */
function resolve(
  env: Layers['env'],
  named: Layers['flags'] = {},
  command: Command = 'redeploy',
  file = {},
): Config {
  const content = { ...REST, ...ADDRESSES, ...file };
  for (const name of Object.keys(named)) delete (content as Record<string, unknown>)[name];
  return resolveConfig(command, {
    flags: named,
    env: { ...SECRETS, ...env },
    file: { path: 'fleet.config.yaml', content },
  });
}

const refused = /secret-of-/;
/** Read value by value: a configuration that is printed hides its secrets, also those that it still has. */
const expectNoSecret = (config: Config) => expect(valuesOf(config).join('\n')).not.toMatch(refused);
const valuesOf = (value: unknown): unknown[] =>
  typeof value === 'object' && value !== null ? Object.values(value).flatMap(valuesOf) : [value];

describe('an event that anybody can cause', () => {
  const EVENTS = [
    'pull_request',
    'pull_request_target',
    'issue_comment',
    'workflow_call',
    'workflow_run',
    'x',
  ];
  test.each(EVENTS)('%s: no command has a secret to send', (event) => {
    for (const command of ['redeploy', 'plan', 'verify', 'lock', 'lock run'] as const) {
      const config = resolve({ ...WEBHOOK, GITHUB_EVENT_NAME: event }, ADDRESSES, command);
      expect([command, config.refusal?.message]).toEqual([command, expect.stringContaining(`"${event}"`)]);
      expect(config.refusal?.next).toMatch(/push/);
      expectNoSecret(config);
    }
    const dry = resolve({ GITHUB_EVENT_NAME: event }, { ...ADDRESSES, 'dry-run': true });
    expect(dry.refusal).not.toBeNull();
    expectNoSecret(dry);
  });

  test('a pin vouches for no event', () => {
    const config = resolve({ GITHUB_EVENT_NAME: 'pull_request' }, { 'control-plane-host': HOSTS });
    expect(config.refusal).not.toBeNull();
  });

  test('what needs no secret goes on without one', () => {
    const config = resolve({ GITHUB_EVENT_NAME: 'pull_request' }, { tenant: ['acme'] }, 'verify');
    expect(config).toMatchObject({ refusal: null, gitea: null, tenants: ['acme'] });
    expectNoSecret(config);
  });

  test('is refused where a program says so too', () => {
    expect(checkOptions('plan', { ...good, trigger: { event: 'pull_request' } }).refusal).not.toBeNull();
    expect(checkOptions('plan', { ...good, trigger: { event: 'push' } }).refusal).toBeNull();
  });
});

describe.each(Object.keys(ADDRESSES) as Address[])('%s', (name) => {
  /** All others are named from outside. */
  const others = Object.fromEntries(Object.entries(ADDRESSES).filter(([other]) => other !== name));
  const host = name === 'image' ? 'registry.example.com' : new URL(ADDRESSES[name]).host;

  test.each(['push', 'schedule', 'workflow_dispatch', 'release'])(
    'of the file, on %s: gets its secret',
    (event) => {
      expect(resolve({ CI: 'true', GITHUB_EVENT_NAME: event }, others).refusal).toBeNull();
    },
  );

  test('of the file, at a terminal: gets its secret', () => {
    expect(resolve({}, others).refusal).toBeNull();
    expect(resolve({ CI: 'false' }, others).refusal).toBeNull();
  });

  test.each(['CI', 'GITHUB_ACTIONS', 'GITEA_ACTIONS'])(
    'of the file, in a CI (%s) that names no event: does not',
    (ci) => {
      const config = resolve({ [ci]: 'true' }, others);
      expect(config.refusal?.message).toBe(
        `${name} in fleet.config.yaml names ${host}, and CI names no event that vouches for the file: no secret is sent there`,
      );
      expect(config.refusal?.next).toBe(
        `give --control-plane-host ${host}, or --${name} by flag or variable`,
      );
      expectNoSecret(config);
    },
  );

  test('named by a flag or a variable in such a CI: gets it', () => {
    expect(resolve(UNNAMED, ADDRESSES).refusal).toBeNull();
    const variable = `FLEET_${name.toUpperCase().replaceAll('-', '_')}`;
    expect(resolve({ ...UNNAMED, [variable]: ADDRESSES[name] }, others).refusal).toBeNull();
  });

  test('pinned from outside in such a CI: gets it; pinned by the file itself: does not', () => {
    const pins = { FLEET_CONTROL_PLANE_HOST: HOSTS.join('\n') };
    expect(resolve({ ...UNNAMED, ...pins }, others).refusal).toBeNull();
    expect(resolve(UNNAMED, { ...others, 'control-plane-host': HOSTS }).refusal).toBeNull();
    expect(resolve(UNNAMED, others, 'redeploy', { 'control-plane-host': HOSTS }).refusal).not.toBeNull();
  });

  test('left out by the pin: is a usage error, wherever it stands', async () => {
    const pins = HOSTS.filter((one) => one !== host);
    for (const named of [others, ADDRESSES]) {
      const error = await usageOf(() => resolve(PUSH, { ...named, 'control-plane-host': pins }));
      expect(error.message).toMatch(new RegExp(`names ${host}, and a secret may only go to`));
      expect(error.next).toBe(`add --control-plane-host ${host}, where that is meant`);
    }
  });

  test('of the file at another port than the pin: is refused; named with that port, it is what was meant', async () => {
    const elsewhere = ADDRESSES[name].replace(host, `${host}:8443`);
    const pinned = { ...others, 'control-plane-host': HOSTS };
    await usageOf(() => resolve(PUSH, pinned, 'redeploy', { [name]: elsewhere }));
    expect(resolve(PUSH, { ...pinned, [name]: elsewhere }).refusal).toBeNull();
    const exact = { ...others, 'control-plane-host': [...HOSTS, `${host}:8443`] };
    expect(resolve(PUSH, exact, 'redeploy', { [name]: elsewhere }).refusal).toBeNull();
  });

  test('a pin with a port holds for named addresses too', async () => {
    const pins = HOSTS.map((one) => (one === host ? `${host}:9443` : one));
    await usageOf(() => resolve(PUSH, { ...ADDRESSES, 'control-plane-host': pins }));
    const standard = HOSTS.map((one) => (one === host ? `${host.toUpperCase()}:443` : one));
    expect(resolve(PUSH, { ...ADDRESSES, 'control-plane-host': standard }).refusal).toBeNull();
  });
});

test('the webhook is pinned without its host being shown', async () => {
  const pins = HOSTS.filter((host) => host !== 'chat.example.com');
  const error = await usageOf(() =>
    resolve({ ...PUSH, ...WEBHOOK }, { ...ADDRESSES, 'control-plane-host': pins }),
  );
  expect(error.option).toBe('FLEET_ALERT_WEBHOOK');
  expect(`${error.message}${error.next}`).not.toMatch(/chat\.example|secret-of/);
  expect(resolve({ ...PUSH, ...WEBHOOK }, { ...ADDRESSES, 'control-plane-host': HOSTS }).refusal).toBeNull();
});

test('a file cannot lower a pinned address to http', async () => {
  const content = { 'gitea-url': 'http://git.example.com:443', 'allow-http-gitea': true };
  const named = {
    'control-plane-host': [
      'cp.example.com',
      'lock.example.com',
      'registry.example.com',
      'git.example.com:443',
    ],
  };
  await usageOf(() => resolve(PUSH, named, 'redeploy', content));
});

test.each([
  ['git.example.com:80', true],
  ['git.example.com:443', false],
  ['git.example.com', true],
])('an address that is named with http has the port of http: pinned by %s, %j', async (pin, meant) => {
  const http = { 'gitea-url': 'http://git.example.com', 'allow-http-gitea': true };
  const pins = [...HOSTS.filter((host) => host !== 'git.example.com'), pin];
  const named = () => resolve(PUSH, { ...ADDRESSES, ...http, 'control-plane-host': pins });
  if (meant) expect(named().gitea?.token).toBe('secret-of-gitea');
  else expect((await usageOf(named)).message).toContain('a secret may only go to');
});

test('a Gitea that nothing needs is left alone where it may get no token', () => {
  const named = { ...ADDRESSES, 'kill-switch': '', 'superseded-by': 'off' };
  const pins = HOSTS.filter((host) => host !== 'git.example.com');
  expect(resolve(PUSH, { ...named, 'control-plane-host': pins })).toMatchObject({
    refusal: null,
    gitea: null,
  });
  expect(resolve(PUSH, named).gitea?.token).toBe('secret-of-gitea');
});

describe('a called workflow', () => {
  const given = (payload: string | null) => ({
    flags: { ...ADDRESSES, ...REST } as Layers['flags'],
    env: {
      ...SECRETS,
      CI: 'true',
      GITHUB_EVENT_NAME: 'workflow_call',
      ...(payload ? { GITHUB_EVENT_PATH: '/payload' } : {}),
    },
  });
  const load = (payload: string | null) =>
    loadConfig('redeploy', given(payload), {
      readFile: async (path) => {
        if (path === '/payload' && payload) return payload;
        throw Object.assign(new Error('absent'), { code: 'ENOENT' });
      },
    });

  test.each<[string, unknown, string | undefined]>([
    ['by name', { event_name: 'push' }, 'push'],
    ['by name, one that is not trusted', { event_name: 'pull_request' }, 'pull_request'],
    ['as the payload of a push', { before: 'a', after: 'b', commits: [], pusher: {} }, 'push'],
    ['by nothing', { workflow: 'deploy.yml', ref: 'refs/heads/main', inputs: {} }, undefined],
    ['by an input, which is no word of the server', { inputs: { event_name: 'push' } }, undefined],
    ['with a pull request in it', { before: 'a', after: 'b', commits: [], pull_request: {} }, undefined],
    ['with an issue in it', { before: 'a', after: 'b', commits: [], issue: {} }, undefined],
    ['with a comment in it', { before: 'a', after: 'b', commits: [], comment: {} }, undefined],
    ['by half a push', { before: 'a', commits: [] }, undefined],
    ['by a push without commits', { before: 'a', after: 'b' }, undefined],
    ['by no text', { event_name: { push: 1 } }, undefined],
    ['by an array', ['push'], undefined],
    ['by null', null, undefined],
  ])('is judged by the event behind it, named %s', async (_name, payload, event) => {
    expect(eventBehind(JSON.stringify(payload))).toBe(event);
    const config = await load(JSON.stringify(payload));
    expect(config.trigger.event).toBe(event ?? 'workflow_call');
    expect(config.refusal === null).toBe(event === 'push');
  });

  test.each([null, '{', ''])('with the payload %j: is refused, and told what to do', async (payload) => {
    const { refusal } = await load(payload);
    expect(refusal?.next).toMatch(/composite action/);
  });
});
