import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LockStatus } from '@tenant-fleet/fleet-core/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fleet, folder, SHA } from './cli.js';
import { document, OLD, TAG, World } from './world.js';

let world: World;
const temp = folder();
beforeAll(async () => {
  world = await World.start();
});
afterAll(async () => {
  await world?.plane.close();
  temp.remove();
});

const statusOf = (group = 'staging') => world.call<LockStatus>('GET', world.lock(group));

/** Takes the lock as somebody else; the returned function gives it back. */
async function holdLock(group = 'staging') {
  const claim = `${world.lock(group)}/claims/${randomUUID()}`;
  const session = 'somebody-else-1';
  const holder = { name: 'nightly deploy', actor: 'ann' };
  const held = await world.call<{ fencing_token: number }>('PUT', `${claim}?wait_seconds=0`, {
    session,
    ttl_seconds: 60,
    holder,
  });
  return () => world.call('POST', `${claim}/release`, { session, fencing_token: held.fencing_token });
}

describe('outcomes and exit codes', () => {
  it('succeeded: every tenant answered; run again, nothing is rolled', async () => {
    await world.setFleet({ acme: { drain_ms: 200 }, beta: {}, gamma: {} });
    const first = await world.redeploy(['--canary', 'acme']);
    expect(first.code).toBe(0);
    expect(first.result).toMatchObject({
      outcome: 'succeeded',
      deployed: true,
      target_tag: TAG,
      expected_sha: SHA,
      counts: { enumerated: 3, on_target: 3 },
      lock: { group: 'staging' },
    });
    expect(first.result.tenants.every((tenant) => tenant.baseline_sha === OLD)).toBe(true);
    const rolled = (await world.rolls()).length;

    const second = await world.redeploy();
    expect(second.code).toBe(0);
    expect(second.result).toMatchObject({
      outcome: 'succeeded',
      deployed: true,
      reason: 'already on target',
    });
    expect((await world.rolls()).length).toBe(rolled);
  });

  it('succeeded_with_quarantine: the straggler is tolerated and named', async () => {
    await world.setFleet({ acme: {}, beta: { behaviour: 'stuck' }, gamma: {} });
    const ran = await world.redeploy(['--max-stragglers', '1']);
    expect(ran.code).toBe(0);
    expect(ran.result).toMatchObject({
      outcome: 'succeeded_with_quarantine',
      deployed: true,
      counts: { stale: 1 },
    });
    expect(ran.stderr).toMatch(/DEPLOYED WITH QUARANTINE[\s\S]* {2}beta: stale/);
  });

  it('failed: a tenant stays on the old image', async () => {
    await world.setFleet({ acme: {}, beta: { behaviour: 'stuck' } });
    const ran = await world.redeploy();
    expect(ran.code).toBe(1);
    expect(ran.result).toMatchObject({
      outcome: 'failed',
      deployed: false,
      counts: { on_target: 1, stale: 1 },
    });
  });

  it('failed at the canary: nothing else is rolled', async () => {
    await world.setFleet({ acme: { behaviour: 'stuck' }, beta: {} });
    const ran = await world.redeploy(['--canary', 'acme', '--max-stragglers', '5']);
    expect(ran.code).toBe(1);
    expect(ran.result.tenants.find((tenant) => tenant.slug === 'beta')).toMatchObject({
      status: 'stale',
      phase: null,
    });
  });

  it('planned: nothing is rolled and no lock is taken', async () => {
    await world.setFleet({ acme: {}, beta: {} });
    const rolled = (await world.rolls()).length;
    const before = (await statusOf()).last_fencing_token;
    const plan = await world.run('plan', ['--canary', 'beta']);
    expect(plan.code).toBe(0);
    expect(plan.result).toMatchObject({
      outcome: 'planned',
      deployed: false,
      lock: null,
      counts: { stale: 2 },
    });
    expect(plan.stderr).toContain('  canary: beta (now 1111111)');
    const dry = await world.redeploy(['--dry-run']);
    expect(dry.result.outcome).toBe('planned');
    expect((await world.rolls()).length).toBe(rolled);
    expect((await statusOf()).last_fencing_token).toBe(before);
  });

  it('lock_timeout: somebody else holds the lock, who is named', async () => {
    await world.setFleet({ acme: {} });
    const release = await holdLock();
    const ran = await world.redeploy(['--lock-wait', '1s']);
    const shown = await fleet([
      'lock',
      'status',
      '--lock-group',
      'staging',
      '--control-plane',
      world.plane.url,
    ]);
    const json = await fleet([
      'lock',
      'status',
      '--lock-group',
      'staging',
      '--control-plane',
      world.plane.url,
      '--json',
    ]);
    await release();
    expect(ran.code).toBe(3);
    expect(ran.result).toMatchObject({ outcome: 'lock_timeout', deployed: false });
    expect(ran.stderr).toContain('nightly deploy');
    expect(shown.stdout).toMatch(/^Lock staging: held by nightly deploy \(ann\) for /);
    expect([shown.code, json.code]).toEqual([0, 0]);
    expect(JSON.parse(json.stdout)).toMatchObject({ group: 'staging', held: { holder: { actor: 'ann' } } });
    expect((await statusOf()).queue).toEqual([]);
  });

  it('held: a person gets exit code 4, CI gets 0', async () => {
    await world.setFleet({ acme: {} });
    await world.call('POST', `${world.lock('staging')}/freeze`, { reason: 'incident 7', actor: 'ann' });
    const person = await world.redeploy();
    const push = await world.redeploy([], { env: { GITHUB_EVENT_NAME: 'push' } });
    await world.call('POST', `${world.lock('staging')}/unfreeze`, { reason: 'over', actor: 'ann' });
    for (const ran of [person, push]) expect(ran.result).toMatchObject({ outcome: 'held', deployed: false });
    expect([person.code, push.code]).toEqual([4, 0]);
    const switched = await world.redeploy(['--hold', 'yes']);
    expect([switched.code, switched.result.outcome]).toEqual([4, 'held']);
  });

  it('refused: an event that anybody can cause', async () => {
    const ran = await world.redeploy([], { env: { GITHUB_EVENT_NAME: 'pull_request' } });
    expect([ran.code, ran.result.outcome]).toEqual([4, 'refused']);
  });

  it('superseded: a newer commit was rolled before', async () => {
    await world.setFleet({ acme: {} });
    const ordered = (order: string) => ['--repository', 'o/r', '--branch', 'main', '--order', order];
    expect((await world.redeploy(ordered('8'))).code).toBe(0);
    const ran = await world.redeploy([...ordered('7'), '--force']);
    expect([ran.code, ran.result.outcome, ran.result.deployed]).toEqual([0, 'superseded', false]);
  });

  it('control_plane_error: the token is refused', async () => {
    const ran = await world.redeploy([], { env: { FLEET_CP_TOKEN: 'another-token' } });
    expect([ran.code, ran.result.outcome]).toEqual([5, 'control_plane_error']);
  });

  it('an ephemeral tenant that vanishes is excused by name', async () => {
    await world.setFleet({ acme: {}, 'e2e-1': { behaviour: 'vanishes' } });
    const ran = await world.redeploy(['--ephemeral', 'e2e-*']);
    expect(ran.code).toBe(0);
    expect(ran.result.counts).toMatchObject({ enumerated: 2, on_target: 1, excused: 1 });
  });

  it('single-call: one call, the same proof', async () => {
    await world.setFleet({ acme: {}, beta: {}, gamma: {} });
    const ran = await world.redeploy(['--strategy', 'single-call', '--soak', '0s']);
    expect(ran.code).toBe(0);
    expect(ran.result.calls.filter((call) => call.kind === 'roll')).toHaveLength(1);
  });

  it('verify: proves without rolling', async () => {
    await world.setFleet({ acme: {} });
    const stale = await world.run('verify');
    expect([stale.code, stale.result.outcome]).toEqual([1, 'failed']);
    await world.redeploy();
    const ran = await world.run('verify');
    expect([ran.code, ran.result.outcome]).toEqual([0, 'succeeded']);
  });

  it('--events: every event as a line of JSON, in a file or on stdout', async () => {
    await world.setFleet({ acme: {}, beta: {} });
    const temporary = folder();
    const file = join(temporary.path, 'events.ndjson');
    const { result } = await world.redeploy(['--events', file]);
    const events = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events[0]).toMatchObject({ code: 'run.started', command: 'redeploy' });
    expect(events.at(-1)).toMatchObject({ code: 'run.finished', result: { outcome: result.outcome } });
    temporary.remove();

    const ran = await fleet(['verify', ...world.args('--events', '-')]);
    expect(
      ran.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).code),
    ).toContain('verify.started');
    expect(ran.stderr).toContain('DEPLOYED');
    expect((await fleet(['verify', ...world.args('--events', '-', '--json')])).code).toBe(2);
  });

  it('what ends badly names the commands that go on, as they can be pasted', async () => {
    await world.setFleet({ acme: {}, beta: {}, gamma: { behaviour: 'stuck' } });
    const ran = await fleet(['redeploy', ...world.args('--lock-group', 'staging', '--batch-size', '3')]);
    expect(ran.code).toBe(1);
    const [, tolerant = ''] =
      /\nNext, to leave gamma behind, [^\n]*:\n {2}fleet ([^\n]*)\n/.exec(ran.stdout) ?? [];
    expect(tolerant).toContain('--max-stragglers 1');
    const again = await fleet(tolerant.replaceAll("'", '').split(' '));
    expect([again.code, again.stdout.split(':')[0]]).toEqual([0, 'DEPLOYED WITH QUARANTINE']);
  });

  it('a short commit or a branch is the one that it names in the clone around', async () => {
    const clone = folder();
    const git = (...args: string[]) =>
      execFileSync('git', args, { cwd: clone.path, encoding: 'utf8' }).trim();
    git('init', '-q', '-b', 'main');
    git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '--allow-empty', '-m', 'first');
    const sha = git('rev-parse', 'HEAD');
    for (const name of [sha.slice(0, 8), 'main', 'HEAD']) {
      const args = [
        ...world.args(),
        '--dry-run',
        '--lock-group',
        'staging',
        '--expected-sha',
        name,
        '--json',
      ];
      const ran = await fleet(['redeploy', ...args], { cwd: clone.path });
      expect(JSON.parse(ran.stdout).expected_sha).toBe(sha);
    }
    await world.setFleet({ acme: {} });
    await world.call('PUT', '/sim/images/head', { git_sha: sha });
    const head = [
      '--target-tag',
      'head',
      '--expected-sha',
      'HEAD',
      '--lock-group',
      'staging',
      '--soak',
      '0s',
    ];
    const rolled = document(await fleet(['redeploy', ...world.args(...head, '--json')], { cwd: clone.path }));
    expect(rolled.result).toMatchObject({ deployed: true, lead_time: { ms: expect.any(Number) } });
    expect(rolled.stderr).toMatch(/^Lead time: .* from the commit to its proof on the last tenant\.$/m);
    const ran = await fleet(['redeploy', ...world.args(), '--expected-sha', 'nowhere'], { cwd: clone.path });
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('--expected-sha')]);
    clone.remove();
  });

  it('the reports hold what was printed', async () => {
    await world.setFleet({ acme: {} });
    const [json, html, junit] = ['r.json', 'r.html', 'r.xml'].map((name) => join(temp.path, name)) as [
      string,
      string,
      string,
    ];
    const ran = await world.redeploy([
      ...['--report-json', json, '--report-html', html, '--report-junit', junit],
    ]);
    expect(readFileSync(junit, 'utf8')).toMatch(/<testcase classname="fleet" name="acme" time="[\d.]+"\/>/);
    expect((await fleet(['report', json, '--format', 'junit'])).stdout).toBe(readFileSync(junit, 'utf8'));
    expect(JSON.parse(readFileSync(json, 'utf8'))).toEqual(ran.result);
    expect(readFileSync(html, 'utf8')).toContain('>acme</th>');
  });

  it('a configuration file and variables are enough', async () => {
    await world.setFleet({ acme: {} });
    const env = {
      FLEET_CONTROL_PLANE: world.plane.url,
      FLEET_TENANT_URL: world.plane.tenantUrlTemplate,
      FLEET_TARGET_TAG: TAG,
      GITHUB_SHA: SHA,
      FLEET_LOCK_GROUP: 'staging',
      FLEET_SETTLE_BUDGET: '1s',
    };
    const ran = document(await fleet(['redeploy', '--json'], { cwd: temp.path, env }));
    expect(ran.code).toBe(0);
  });
});
