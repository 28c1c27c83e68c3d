/** `fleet status` and `fleet history`, as processes against a real control plane. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  atTerminal,
  checked,
  countingServer,
  fleet,
  folder,
  hasPty,
  type RunOptions,
  SHA,
  TOKEN,
} from './cli.js';
import { OLD, TAG, World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(async () => {
  await world?.plane.close();
});
beforeEach(() => world.setFleet({ acme: {}, birch: {}, cobalt: {} }));

const where = () => ['--control-plane', world.plane.url, '--lock-group', 'staging'];
const status = (more: string[] = [], options?: RunOptions) =>
  fleet(['status', ...where(), '--tenant-url', world.plane.tenantUrlTemplate, ...more], options);
const history = (more: string[] = [], options?: RunOptions) =>
  fleet(['history', ...more, ...where()], options);

/** Takes the lock as somebody else. */
async function take() {
  const path = `${world.lock('staging')}/claims/${randomUUID()}`;
  const session = 'somebody-else-1';
  const holder = { name: 'nightly deploy', actor: 'ann', host: 'laptop', sha: SHA };
  const body = { session, ttl_seconds: 60, holder };
  const { fencing_token } = await world.call<{ fencing_token: number }>(
    'PUT',
    `${path}?wait_seconds=0`,
    body,
  );
  await world.call('POST', `${path}/renew`, { session, fencing_token, step: 'rolling batch-2' });
  return () => world.call('POST', `${path}/release`, { session, fencing_token });
}

const words = (text: string) => text.replaceAll(' \\\n', ' ').split(/\s+/).filter(Boolean);
/** Clocks differ from one look to the next. */
const timeless = (text: string) => words(text).map((word) => (/\d+(?:ms|s|m|Z)\b/.test(word) ? 'T' : word));

describe('fleet status', () => {
  it('tells what runs where before and after a rollout, and what to type', async () => {
    const before = await status();
    expect([before.code, before.stderr]).toEqual([0, '']);
    expect(before.stdout).toContain(`  3 on ${OLD.slice(0, 7)}\n`);
    expect(before.stdout).toContain('Last proven rollout: none is on record\nNext: nothing has to be done\n');

    expect((await world.redeploy()).code).toBe(0);
    await world.call('PUT', '/sim/tenants/birch', { running: { image_tag: 'old', git_sha: OLD } });
    const after = await status();
    expect(after.stdout).toMatch(/^The fleet at \S+: 2 of 3 tenants run the last proven commit, abcdef1\n/);
    expect(after.stdout).toContain(`  2 on abcdef1 (${TAG})\n  1 on ${OLD.slice(0, 7)}: birch\n`);
    expect(after.stdout).toMatch(/Next, to bring birch back to the last proven commit:\n {2}fleet redeploy /);

    const json = await status(['--json']);
    expect(checked(json.stdout)).toMatchObject({
      schema: 'fleet-status/1',
      exit_code: 0,
      tenants: { known: true, value: { listed: 3, off_proven: ['birch'] } },
      last_proven: { known: true, value: { expected_sha: SHA, outcome: 'succeeded' } },
      next: { command: expect.stringContaining(`--target-tag ${TAG} --expected-sha ${SHA}`) },
    });
    expect(after.stdout + json.stdout).not.toContain(TOKEN);
  });

  it('tells who holds the lock, what frees it, and a freeze', async () => {
    const release = await take();
    const reason = { reason: 'incident 12', actor: 'bob' };
    await world.call('POST', `${world.lock('staging')}/freeze`, reason);
    try {
      const { stdout } = await status();
      expect(stdout).toMatch(/Frozen by bob: incident 12; since /);
      expect(stdout).toMatch(
        /held by ann@laptop for \S+, commit abcdef1, doing: rolling batch-2, frees itself in /,
      );
      expect(stdout).toMatch(/fleet lock unfreeze .*--lock-group staging --reason 'it is over'\n$/);
    } finally {
      await world.call('POST', `${world.lock('staging')}/unfreeze`, reason);
      await release();
    }
  });

  it.skipIf(!hasPty).each([80, 40])('keeps to %i columns and breaks no word', async (columns) => {
    const args = ['status', ...where(), '--tenant-url', world.plane.tenantUrlTemplate];
    const narrow = await atTerminal(columns, args);
    const whole = await status();
    expect(timeless(narrow)).toEqual(timeless(whole.stdout));
    for (const line of narrow.split('\n')) {
      if (line.length > columns) expect(line.trim().replace(/ \\$/, '')).not.toContain(' ');
    }
  });

  it('--watch tells of every change, and Ctrl-C ends it', async () => {
    let changed = false;
    const ran = await status(['--watch', '--json'], {
      onOutput: async ({ stdout, kill }) => {
        const looks = stdout.trim().split('\n').length;
        if (looks >= 2) return kill('SIGINT');
        if (changed || !stdout.includes('\n')) return;
        changed = true;
        await world.call('PUT', '/sim/tenants/acme', { running: { image_tag: TAG, git_sha: SHA } });
      },
    });
    expect(ran.code).toBe(130);
    const [first, second] = ran.stdout
      .trim()
      .split('\n')
      .map((line) => checked(line).tenants.value);
    expect(first.commits).toHaveLength(1);
    expect(second.commits.map(({ slugs }: { slugs: string[] }) => slugs)).toEqual([
      ['birch', 'cobalt'],
      ['acme'],
    ]);
  });

  it('a control plane that cannot be used: exit code 5, and one document all the same', async () => {
    const server = await countingServer();
    const args = [
      '--control-plane',
      server.url,
      '--tenant-url',
      `${server.url}/{slug}`,
      '--lock-group',
      'staging',
    ];
    const [text, json] = await Promise.all([
      fleet(['status', ...args]),
      fleet(['status', ...args, '--json']),
    ]);
    await server.close();
    expect([text.code, json.code]).toEqual([5, 5]);
    expect(text.stdout).toContain(
      'What runs: not known: the control plane does not accept the token (HTTP 401',
    );
    expect(checked(json.stdout)).toMatchObject({ exit_code: 5, tenants: { known: false } });
  });
});

describe('fleet doctor', () => {
  const doctor = (more: string[] = [], options?: RunOptions) =>
    fleet(['doctor', ...where(), '--tenant-url', world.plane.tenantUrlTemplate, ...more], options);

  it('finds nothing where all is well, and says so in one document too', async () => {
    const [text, json] = await Promise.all([doctor(), doctor(['--json'])]);
    expect([text.code, text.stderr]).toEqual([0, '']);
    expect(text.stdout).toMatch(/^ok {6}tenants: 3 of 3 were asked/m);
    expect(text.stdout).toMatch(/\nNo problem, \d+ warnings?\.\n$/);
    const { schema, checks, exit_code } = checked(json.stdout);
    expect([schema, exit_code]).toEqual(['fleet-doctor/1', 0]);
    expect(checks).toContainEqual(expect.objectContaining({ name: 'lock features', state: 'ok' }));
    expect(text.stdout + json.stdout).not.toContain(TOKEN);
  });

  it('ends with 1 where the token is not accepted, and says what to give', async () => {
    const ran = await doctor([], { env: { FLEET_CP_TOKEN: 'another-token' } });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(
      /^problem control plane: .*\n {8}next: give the token of this server: --token-file/m,
    );
  });

  it.skipIf(!hasPty)('tells of a newer version where a person asks, and nobody else', async () => {
    const npm = folder();
    writeFileSync(join(npm.path, 'npm'), '#!/bin/sh\necho 99.1.0\n', { mode: 0o755 });
    const env = { PATH: `${npm.path}:${process.env.PATH}` };
    const args = ['doctor', ...where(), '--tenant-url', world.plane.tenantUrlTemplate, '--check-upgrade'];
    const [asked, piped, unasked] = await Promise.all([
      atTerminal(200, args, { env }),
      fleet(args, { env }),
      atTerminal(200, args.slice(0, -1), { env }),
    ]);
    expect(asked).toMatch(
      /^warning version: fleet \S+, and 99\.1\.0 is there\n {8}next: npm install .*@99\.1\.0;/m,
    );
    expect(piped.stdout + unasked).not.toContain('99.1.0');
    writeFileSync(join(npm.path, 'npm'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    expect(await atTerminal(200, args, { env })).toMatch(/^skipped version: .*could not tell/m);
    npm.remove();
  });

  it.skipIf(!hasPty)('keeps to 40 columns', async () => {
    const args = ['doctor', ...where(), '--tenant-url', world.plane.tenantUrlTemplate];
    const narrow = await atTerminal(40, args);
    for (const line of narrow.split('\n')) if (line.length > 40) expect(line.trim()).not.toContain(' ');
  });
});

describe('fleet watch', () => {
  const watch = (more: string[] = [], options?: RunOptions) =>
    fleet(['watch', ...where(), '--tenant-url', world.plane.tenantUrlTemplate, ...more], options);

  it('finds nothing, then who left the proven commit, and what to type', async () => {
    await world.redeploy();
    const well = await watch();
    expect([well.code, well.stderr]).toEqual([0, '']);
    expect(well.stdout).toMatch(/^The fleet at \S+Z: all is well\n {2}Not looked at, commits that wait: /);
    await world.call('PUT', '/sim/tenants/birch', { running: { image_tag: 'old', git_sha: OLD } });
    const [text, json] = await Promise.all([watch(), watch(['--json'])]);
    expect([text.code, json.code]).toEqual([1, 1]);
    expect(text.stdout).toMatch(
      /: 1 finding\n {2}drift: birch left the proven commit abcdef1\n {2}Next: fleet redeploy /,
    );
    expect(checked(json.stdout)).toMatchObject({
      ...{ schema: 'fleet-watch/1', exit_code: 1, proven_sha: SHA },
      findings: [{ kind: 'drift', slugs: ['birch'] }],
    });
  });

  it('--every looks again, and Ctrl-C ends it', async () => {
    const ran = await watch(['--every', '10s', '--json'], {
      onOutput: ({ stdout, kill }) => stdout.includes('\n') && kill('SIGINT'),
    });
    expect(ran.code).toBe(130);
    expect(checked(ran.stdout)).toMatchObject({ schema: 'fleet-watch/1' });
    const often = await watch(['--every', '1s']);
    expect([often.code, often.stderr]).toEqual([2, expect.stringContaining('--every: must be at least 10s')]);
  });
});

describe('fleet history', () => {
  it('lists rollouts, newest first, and shows one with its tenants', async () => {
    await world.redeploy();
    await world.call('PUT', '/sim/tenants/birch', {
      behaviour: 'stuck',
      running: { image_tag: 'old', git_sha: OLD },
    });
    expect((await world.redeploy()).code).toBe(1);
    const listed = await history(['-n', '2']);
    const [failed = '', proven = ''] = listed.stdout.split('\n');
    expect(listed.code).toBe(0);
    expect(failed).toMatch(
      /^[0-9a-f]{8} {2}\d{4}-\d\d-\d\d \d\d:\d\dZ {2}.* abcdef1 -> abcdef1 .* FAILED {2}took /,
    );
    expect(proven).toMatch(/ -> abcdef1 .* SUCCEEDED {2}took /);

    const shown = await history(['show', failed.slice(0, 8)]);
    expect(shown.stdout).toContain('3 enumerated, 2 on target, 1 stale\n');
    expect(shown.stdout).toMatch(/\n {2}birch: stale, 1111111, rolled in batch-1\n/);
    expect(shown.stdout).toMatch(/\nTimeline, \S+ from left to right: .*\n {2}batch-1 +=+\n {2}birch +\|/);
    const json = checked((await history(['show', failed.slice(0, 8), '--json'])).stdout);
    expect(json).toMatchObject({ schema: 'fleet-rollout/1', group: 'staging', from_sha: SHA });
    expect(checked((await history(['--json'])).stdout).rollouts[0].claim_id).toBe(json.claim_id);
    const byToken = await history(['show', `${json.fencing_token}`]);
    expect(byToken.stdout).toBe(shown.stdout);
  });

  it.each<[string[], number, RegExp]>([
    [['show', 'ffffffff'], 1, /no rollout "ffffffff" is on record/],
    [['show'], 2, /fleet history takes nothing, or show and one rollout/],
    [['-n', '0'], 2, /-n: "0" is not a number from 1 to 99/],
  ])('%j: exit code %i', async (args, code, says) => {
    const ran = await history(args);
    expect([ran.code, ran.stdout]).toEqual([code, '']);
    expect(ran.stderr).toMatch(says);
  });
});
