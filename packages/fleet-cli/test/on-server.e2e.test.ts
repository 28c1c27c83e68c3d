/** `fleet redeploy --on-server` and `fleet rollout`: the server rolls, this command shows it. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { type ControlPlane, startControlPlane } from '@tenant-fleet/fleet-control-plane';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { fleet, SHA, TOKEN } from './cli.js';
import { document, OLD, TAG } from './world.js';

let plane: ControlPlane;
beforeAll(async () => {
  const port = await freePort();
  const staging = {
    ...{ 'control-plane': 'self', 'tenant-url': `http://127.0.0.1:${port}/{slug}` },
    ...{ canary: 'acme', soak: '0s', 'batch-size': 1, 'settle-budget': '3s' },
    'policy-bounds': { 'batch-size': { max: 2 } },
  };
  plane = await startControlPlane({
    token: TOKEN,
    tenantPort: port,
    fleet: { images: { [TAG]: SHA }, defaults: { roll_ms: 200 }, tenants: ['acme', 'birch', 'cedar'] },
    config: { path: 'fleet.config.yaml', content: { environments: { staging } } },
  });
}, 60_000);
afterAll(() => plane.close());
beforeEach(async () => {
  for (const slug of ['acme', 'birch', 'cedar'])
    await call('PUT', `/sim/tenants/${slug}`, {
      roll_ms: 200,
      running: { image_tag: 'staging-1111111', git_sha: OLD },
    });
});

async function call(method: string, path: string, body?: unknown) {
  const answer = await fetch(plane.url + path, {
    method,
    headers: {
      authorization: `Bearer ${TOKEN}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return answer.status === 204 ? undefined : answer.json();
}

const where = () => ['--control-plane', plane.url, '--environment', 'staging'];
const redeploy = (more: string[], options?: Parameters<typeof fleet>[1]) =>
  fleet(['redeploy', ...where(), '--target-tag', TAG, '--expected-sha', SHA, ...more, '--json'], options);
const idIn = (text: string) => /as rollout ([0-9a-f-]{36})/.exec(text)?.[1] ?? '';

test('shows the rollout as if it ran here, and ends with its verdict', async () => {
  const { code, stderr, result } = document(await redeploy(['--on-server', '--batch-size', '2']));
  expect([code, result.outcome, result.deployed]).toEqual([0, 'succeeded', true]);
  expect(result.rollout).toMatchObject({ id: idIn(stderr), takeovers: 0 });
  expect(stderr).toMatch(/canary \(1\/2\): rolling acme/);
  expect(stderr).toMatch(/batch-1 \(2\/2\): rolling birch, cedar/);
  expect(stderr).toMatch(/DEPLOYED: staging runs/);

  const listed = await fleet(['rollout', 'list', ...where()]);
  expect(listed.stdout).toMatch(
    new RegExp(`^${idIn(stderr).slice(0, 8)} .*succeeded +staging to ${TAG}`, 'm'),
  );
  const shown = await fleet(['rollout', 'show', idIn(stderr).slice(0, 8), ...where()]);
  expect([shown.code, shown.stdout]).toEqual([0, expect.stringContaining('3 tenants: 3 on target')]);
});

test('names the server as it was asked, and the next command hands over again', async () => {
  const wrong = await redeploy(['--on-server', '--target-tag', `no-such-image@sha256:${'a'.repeat(64)}`]);
  const { code, stderr, result } = document(wrong);
  expect([code, result.outcome, result.control_plane]).toEqual([1, 'failed', plane.url]);
  expect(stderr).toContain(`(abcdef1), control plane ${plane.url}, limit`);
  const again = `fleet redeploy --environment staging --target-tag no-such-image@sha256:${'a'.repeat(64)} --expected-sha ${SHA} --on-server --control-plane ${plane.url}`;
  expect(result.next_commands?.map(({ command }) => command)).toEqual([again]);
  const shown = await fleet(['rollout', 'show', result.rollout?.id ?? '', ...where()]);
  expect(shown.stdout).toContain(`:\n  ${again}\n`);
});

test('Ctrl-C leaves it running, and attach brings the verdict', async () => {
  let told = false;
  const ran = await redeploy(['--on-server'], {
    onOutput: ({ stderr, kill }) => {
      if (told || !stderr.includes('canary (1/3)')) return;
      told = true;
      kill('SIGINT');
    },
  });
  const { code, stderr, result } = document(ran);
  expect([code, result.outcome, result.deployed]).toEqual([130, 'interrupted', false]);
  const id = idIn(stderr);
  expect(stderr).toMatch(/DETACHED: the control plane goes on rolling staging/);
  expect(result.next_commands?.[0]?.command).toContain(`fleet rollout attach ${id}`);
  const attached = document(await fleet(['rollout', 'attach', id, ...where(), '--json']));
  expect([attached.code, attached.result.outcome]).toEqual([0, 'succeeded']);
  expect(attached.stderr).toMatch(/canary \(1\/3\): rolling acme/);
});

test('--detach says that it was handed over, and never that it was deployed', async () => {
  // Somebody else holds the lock: the rollout waits for as long as this test takes.
  const claim = `/cp/admin/fleet-locks/staging/claims/${randomUUID()}`;
  const session = 'session-of-somebody';
  await call('PUT', claim, { session, ttl_seconds: 60, holder: { name: 'somebody' } });
  const { code, stderr, result } = document(await redeploy(['--detach']));
  expect([code, result.outcome, result.deployed]).toEqual([0, 'handed_over', false]);
  const id = idIn(stderr);
  const paused = await fleet(['rollout', 'pause', id, '--reason', 'looking', ...where(), '--json']);
  expect([paused.code, JSON.parse(paused.stdout).state]).toEqual([0, 'pausing']);
  expect((await fleet(['rollout', 'resume', id, '--reason', 'seen', ...where()])).code).toBe(0);
  expect((await fleet(['rollout', 'abort', id, '--reason', 'incident', ...where()])).code).toBe(0);
  const attached = document(await fleet(['rollout', 'attach', id, ...where(), '--json']));
  expect([attached.code, attached.result.outcome]).toEqual([130, 'interrupted']);
  expect(attached.result.reason).toContain('incident');
  const again = await fleet(['rollout', 'abort', id, '--reason', 'incident', ...where()]);
  expect([again.code, again.stderr]).toEqual([4, expect.stringContaining('there is nothing to abort')]);
  await call('POST', `${claim}/release`, { session });
});

test.each<[string, string[], number, RegExp]>([
  [
    'an environment that the server does not have',
    ['--environment', 'stagin'],
    4,
    /Did you mean "staging"\?\nNext, once that is mended:\n {2}fleet redeploy --environment stagin /,
  ],
  [
    'a policy out of bounds',
    ['--batch-size', '3'],
    4,
    /batch-size 3 is out of bounds.*\nNext: Give at most 2/,
  ],
  ['a policy that is fixed', ['--soak', '1s'], 4, /may not say "soak".*\nNext: Leave it out/],
  ['what the server would not be told', ['--force'], 2, /--force: stands in the configuration of the server/],
])('%s ends before anything is rolled', async (_what, more, code, says) => {
  const ran = await redeploy(['--on-server', ...more]);
  expect([ran.code, ran.stderr]).toEqual([code, expect.stringMatching(says)]);
});

test('a server that runs no rollouts says how to get some', async () => {
  const plain = await startControlPlane({ token: TOKEN, databaseUrl: plane.databaseUrl, mode: 'lock' });
  try {
    const ran = await redeploy(['--on-server', '--control-plane', plain.url]);
    expect([ran.code, ran.stderr]).toEqual([5, expect.stringMatching(/runs no rollouts.*\n.*--config FILE/)]);
  } finally {
    await plain.close();
  }
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
