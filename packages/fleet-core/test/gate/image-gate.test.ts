/** The gate "image": what is waited for, what is refused, and after how long. Numbers name rows of docs/incidents.md. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkOptions } from '../../src/config/check-options.js';
import type { FleetOptions } from '../../src/config/options.js';
import { resolveConfig } from '../../src/config/resolve.js';
import { FakeFleet, NEW, OLD } from '../helpers/fake-fleet.js';
import { DOCKER_MANIFEST, FakeRegistry, OCI_MANIFEST, PASSWORD, USER } from '../helpers/fake-registry.js';
import { run } from '../helpers/run.js';
import { answer } from '../helpers/server.js';

const TAG = 'staging-bbbbbbb';
const LABEL = 'org.opencontainers.image.revision';

let fleet: FakeFleet;
let registry: FakeRegistry;
beforeEach(async () => {
  fleet = await FakeFleet.start(['acme', 'birch']);
  registry = await FakeRegistry.start();
});
afterEach(() => fleet.stop());

const options = () => ({ ...fleet.options, image: registry.image });
/** Does something right before the n-th look at the tag, from 1. */
const before = (look: number, change: () => void) => {
  let looks = 0;
  registry.takeover = (request) => {
    if (request.url?.endsWith(TAG) && ++looks === look) change();
    return false;
  };
};
const looks = () => registry.asked.filter((path) => path.endsWith(TAG)).length;

describe('image', () => {
  test('an image that is there lets the roll through, with its digest', async () => {
    const digest = registry.put(TAG, NEW.toUpperCase());
    const { result, sink } = await run(options());
    expect(result.outcome).toBe('succeeded');
    expect(sink.of('gate.passed')).toEqual([
      expect.objectContaining({
        gate: 'image',
        detail: `${TAG} is ${digest.slice(0, 19)}, built from bbbbbbb`,
      }),
    ]);
  });

  test('32: a tag that moves on while the run waits for the lock is not rolled', async () => {
    registry.put(TAG, NEW);
    before(2, () => registry.put(TAG, OLD));
    const { result } = await run({ ...options(), imageWaitMs: 20_000 });
    expect(result.outcome).toBe('refused');
    expect(fleet.rolls).toHaveLength(0);
  });

  test('21: a tag that appears late is awaited, looked for every 10 s', async () => {
    before(4, () => registry.put(TAG, NEW));
    const { result, sink, clock } = await run(options());
    expect(result.outcome).toBe('succeeded');
    expect(clock.monotonic()).toBe(30_000);
    // Four before the lock, and one more under it.
    expect(looks()).toBe(5);
    expect(sink.of('gate.waiting')).toEqual([
      expect.objectContaining({
        gate: 'image',
        pending: [`${registry.image}:${TAG} (there is no such tag)`],
      }),
    ]);
  });

  test('11, 32: a tag that still holds another commit is awaited too', async () => {
    registry.put(TAG, OLD);
    before(3, () => registry.put(TAG, NEW));
    const { result, clock } = await run(options());
    expect(result.outcome).toBe('succeeded');
    expect(clock.monotonic()).toBe(20_000);
  });

  test.each([
    ['27, 31: no such tag', () => {}, 'there is no such tag'],
    ['11: another commit', () => void registry.put(TAG, OLD), `it is built from ${OLD}, not from ${NEW}`],
    ['a short commit', () => void registry.put(TAG, NEW.slice(0, 7)), 'it is built from bbbbbbb, not from'],
    [
      'a hostile label',
      () => void registry.put(TAG, '\n::error::x'),
      'it is built from : :error: :x, not from',
    ],
    [
      '26: a registry that cannot be read',
      () => {
        registry.takeover = (_request, response) => {
          answer(response, 502, '<html>');
          return true;
        };
      },
      'it cannot be read: HTTP 502 for the manifest',
    ],
  ])('%s until the budget is spent is refused', async (_name, prepare, what) => {
    prepare();
    const { result, clock } = await run(options());
    expect(result).toMatchObject({ outcome: 'refused', exit_code: 4, deployed: false });
    expect(result.reason).toContain(`the image ${registry.image}:${TAG} is not ready after 5m: ${what}`);
    expect(clock.monotonic()).toBe(300_000);
    expect(fleet.requests).toBe(0);
  });

  test('the budget is kept to the second, with a last look at its end', async () => {
    const { clock } = await run({ ...options(), imageWaitMs: 25_000 });
    expect(clock.monotonic()).toBe(25_000);
    expect(looks()).toBe(4);
    expect((await run({ ...options(), imageWaitMs: 0 })).clock.monotonic()).toBe(0);
    expect(looks()).toBe(5);
  });

  test('a registry that comes back is read', async () => {
    registry.put(TAG, NEW);
    let down = 3;
    registry.takeover = (_request, response) => {
      if (down-- <= 0) return false;
      response.socket?.destroy();
      return true;
    };
    expect((await run(options())).result.outcome).toBe('succeeded');
  });

  test('an image without the label is refused at once: nothing proves what is in it', async () => {
    registry.put(TAG, null);
    const { result, clock } = await run(options());
    expect(result).toMatchObject({ outcome: 'refused', exit_code: 4 });
    expect(result.reason).toContain(`has no label ${LABEL}: it cannot be proven to hold the commit`);
    expect(result.next.join()).toContain(`--label ${LABEL}`);
    expect(clock.monotonic()).toBe(0);
    expect(fleet.requests).toBe(0);
  });

  test.each([
    [{}, 'set FLEET_REGISTRY_USER and FLEET_REGISTRY_PASSWORD'],
    [{ registryUser: USER, registryPassword: 'wr0ng-password' }, 'check FLEET_REGISTRY_USER'],
  ])('a registry that does not let us in is refused at once, with a next', async (credentials, next) => {
    registry.auth = 'basic';
    registry.put(TAG, NEW);
    const { result, clock, sink } = await run({ ...options(), ...credentials });
    expect(result).toMatchObject({ outcome: 'refused', exit_code: 4 });
    expect(result.next.join()).toContain(next);
    expect(clock.monotonic()).toBe(0);
    expect(JSON.stringify(sink.events)).not.toContain('wr0ng');
  });

  test('credentials let it in, and are told to nobody', async () => {
    registry.auth = 'bearer';
    registry.put(TAG, NEW);
    const { result, sink } = await run({ ...options(), registryUser: USER, registryPassword: PASSWORD });
    expect(result.outcome).toBe('succeeded');
    expect(JSON.stringify(sink.events)).not.toContain(PASSWORD);
  });

  test('the end of the whole run ends the waiting, and says what was missing', async () => {
    const { result, clock } = await run({ ...options(), timeoutMs: 45_000 });
    expect(result).toMatchObject({ outcome: 'refused', exit_code: 4 });
    expect(result.reason).toContain(`waiting for the image ${registry.image}:${TAG}: there is no such tag`);
    expect(clock.monotonic()).toBe(45_000);
  });

  test('an interrupt ends the waiting as an interrupt', async () => {
    const abort = new AbortController();
    before(2, () => abort.abort('SIGINT'));
    const { result } = await run(options(), { signal: abort.signal });
    expect(result).toMatchObject({ outcome: 'interrupted', exit_code: 130 });
  });

  test('a dry run shows it once, neither awaited nor obeyed', async () => {
    const { result, sink, clock } = await run(options(), { command: 'plan' });
    expect(result).toMatchObject({ outcome: 'planned', exit_code: 0 });
    expect(sink.of('gate.stopped')).toEqual([
      expect.objectContaining({
        gate: 'image',
        outcome: 'refused',
        obeyed: false,
        reason: `the image ${registry.image}:${TAG} is not ready now: there is no such tag`,
      }),
    ]);
    expect(clock.monotonic()).toBe(0);
    expect(looks()).toBe(1);
  });

  test.each([
    [NEW, `built from ${NEW}`],
    [null, 'built from an unknown commit'],
  ])('a dry run without an expected commit shows what is there', async (revision, said) => {
    registry.put(TAG, revision);
    const { sink } = await run({ ...options(), expectedSha: undefined }, { command: 'plan' });
    expect(sink.of('gate.passed')[0]?.detail).toContain(said);
  });

  test('without the setting, and in a verification, no registry is asked', async () => {
    await run(fleet.options);
    await run(options(), { command: 'verify' });
    expect(registry.asked).toEqual([]);
  });
});

describe('a target with a digest', () => {
  const pinned = (digest: string, more: FleetOptions = {}) => ({
    ...options(),
    targetTag: `${TAG}@${digest}`,
    imageWaitMs: 20_000,
    ...more,
  });

  test('is resolved by its tag, compared, and rolled as it was written', async () => {
    const digest = registry.putIndex(TAG, [{ mediaType: OCI_MANIFEST, digest: registry.put(null, NEW) }]);
    const { result, sink } = await run(pinned(digest));
    expect(result).toMatchObject({ outcome: 'succeeded', target_tag: `${TAG}@${digest}` });
    expect(sink.of('gate.passed')[0]?.detail).toBe(
      `${TAG} is ${digest.slice(0, 19)} as asked for, built from bbbbbbb`,
    );
    expect(new Set(fleet.rolls.map(({ body }) => body.target_tag))).toEqual(new Set([`${TAG}@${digest}`]));
    expect(registry.asked[0]).toBe(`manifests/${TAG}`);
  });

  test('whose tag is at another image of the same commit is refused, with both digests', async () => {
    const built = registry.put(null, NEW, DOCKER_MANIFEST);
    const again = registry.put(TAG, NEW);
    const { result, clock } = await run(pinned(built));
    expect(result).toMatchObject({ outcome: 'refused', exit_code: 4, deployed: false });
    expect(result.reason).toContain(`the tag is at ${again}, not at ${built}`);
    expect(result.next.join()).toContain(`--target-tag ${TAG}@${again}`);
    expect(clock.monotonic()).toBe(20_000);
    expect(fleet.requests).toBe(0);
  });

  test('whose tag moves while the run waits for the lock is not rolled', async () => {
    const digest = registry.put(TAG, NEW);
    before(2, () => registry.put(TAG, NEW, DOCKER_MANIFEST));
    expect((await run(pinned(digest))).result.outcome).toBe('refused');
    expect(fleet.rolls).toHaveLength(0);
  });

  test('and nothing but the digest right is refused: the label counts as ever', async () => {
    const other = await run(pinned(registry.put(TAG, OLD)));
    expect(other.result.reason).toContain(`it is built from ${OLD}, not from ${NEW}`);
    const unlabelled = await run(pinned(registry.put(TAG, null)));
    expect(unlabelled.result.reason).toContain('it cannot be proven to hold the commit');
    expect(fleet.requests).toBe(0);
  });

  test('without an image to compare with is rolled, and warned of', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const { result } = await run({ ...fleet.options, targetTag: `${TAG}@${digest}` });
    expect(result.outcome).toBe('succeeded');
    expect(result.warnings.join()).toContain('the digest of --target-tag goes to the control plane unseen');
    const compared = await run(pinned(registry.put(TAG, NEW)));
    expect(compared.result.warnings.join()).not.toContain('--target-tag');
  });
});

describe('the setting', () => {
  const configOf = (rest: FleetOptions) => checkOptions('redeploy', { ...fleet.options, ...rest }).image;

  test.each([
    ['registry.example.com/team/server', 'https://registry.example.com', 'team/server'],
    ['Registry.Example.com:5000/a', 'https://registry.example.com:5000', 'a'],
    ['registry.example.com:443/a/b/c_d/e__f/g-h.i', 'https://registry.example.com', 'a/b/c_d/e__f/g-h.i'],
    ['localhost/a', 'http://localhost', 'a'],
    ['127.0.0.1:5000/a', 'http://127.0.0.1:5000', 'a'],
    ['[::1]:5000/a', 'http://[::1]:5000', 'a'],
  ])('%s', (image, url, repository) => {
    expect(configOf({ image })).toEqual({
      name: image,
      registry: url,
      repository,
      credentials: null,
      waitMs: 300_000,
    });
  });

  test.each([
    ['team/server', 'does not begin with the host of a registry'],
    ['server', 'does not begin with the host of a registry'],
    ['registry.example.com', 'does not begin with the host of a registry'],
    ['registry.example.com/team/server:latest', 'carries a tag'],
    ['registry.example.com/team/server@sha256:aa', 'has an "@" in it'],
    ['user:secret@registry.example.com/team/server', 'has an "@" in it'],
    ['https://registry.example.com/team/server', 'is not a URL'],
    ['registry.example.com/Team/server', 'is not a repository name'],
    ['registry.example.com/team/../server', 'is not a repository name'],
    ['registry.example.com/team//server', 'is not a repository name'],
    ['registry.example.com/team/server?x=1', 'is not a repository name'],
    ['registry.example.com:99999/a', 'is not the host of a registry'],
    ['registry.example.com\n/a', 'is not the host of a registry'],
  ])('%j is a usage error', (image, problem) => {
    expect(() => configOf({ image })).toThrow(problem);
    expect(() => configOf({ image })).toThrow(expect.objectContaining({ code: 'USAGE', option: '--image' }));
    expect(() => configOf({ image })).not.toThrow('secret');
  });

  test.each([
    [{ FLEET_REGISTRY_USER: 'a' }, 'FLEET_REGISTRY_PASSWORD is missing'],
    [{ FLEET_REGISTRY_PASSWORD: 'b' }, '--registry-user is missing'],
    [{ FLEET_REGISTRY_USER: 'a:b', FLEET_REGISTRY_PASSWORD: 'b' }, 'FLEET_REGISTRY_USER: a user name has no'],
    [{ FLEET_REGISTRY_USER: 'a', FLEET_REGISTRY_PASSWORD: '***' }, 'FLEET_REGISTRY_PASSWORD: what was given'],
    [{ FLEET_IMAGE_WAIT: '30' }, 'FLEET_IMAGE_WAIT: "30" has no unit'],
  ])('%j is a usage error', (env, problem) => {
    expect(() => layered(env)).toThrow(problem);
  });

  const layered = (env: Record<string, string>) =>
    resolveConfig('redeploy', {
      flags: {
        'control-plane': fleet.url,
        'tenant-url': fleet.options.tenantUrl,
        'target-tag': TAG,
        'no-lock': true,
      },
      env: { FLEET_CP_TOKEN: 'secret-token-value', FLEET_EXPECTED_SHA: NEW, ...env },
      file: {
        path: 'fleet.config.yaml',
        content: { image: 'registry.example.com/team/server', image_wait: '90s' },
      },
    }).image;

  test('comes from the file and the environment; credentials from the environment alone', () => {
    expect(layered({ FLEET_REGISTRY_USER: '', FLEET_REGISTRY_PASSWORD: '' })).toMatchObject({
      repository: 'team/server',
      waitMs: 90_000,
      credentials: null,
    });
    expect(
      layered({
        FLEET_IMAGE: 'localhost:5000/other',
        FLEET_IMAGE_WAIT: '1m',
        FLEET_REGISTRY_USER: USER,
        FLEET_REGISTRY_PASSWORD: PASSWORD,
      }),
    ).toMatchObject({ repository: 'other', waitMs: 60_000, credentials: { user: USER, password: PASSWORD } });
  });
});
