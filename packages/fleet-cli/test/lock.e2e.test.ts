/** The commands below `fleet lock`, as processes against a real control plane. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { LockEvent, LockStatus, RolloutEntry } from '@tenant-fleet/fleet-core/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, checked, fleet, type RunOptions, TOKEN } from './cli.js';
import { World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(async () => {
  await world?.plane.close();
});

/** Every test has a lock of its own. */
const newGroup = () => `g-${randomUUID().slice(0, 8)}`;
/** A group that somebody has named: the server knows no other, and says so to who only looks. */
async function namedGroup(group = newGroup()): Promise<string> {
  const session = `session-${randomUUID()}`;
  await world.call('POST', `${world.lock(group)}/claims/${randomUUID()}/release`, { session });
  return group;
}
const lock = (group: string, args: string[], options?: RunOptions) => {
  const [verb = '', ...rest] = args;
  const own = ['--control-plane', world.plane.url, '--lock-group', group];
  return fleet(['lock', verb, ...own, ...rest], options);
};
const statusOf = (group: string) => world.call<LockStatus>('GET', world.lock(group));

/** Takes the lock as somebody else, who never renews. */
async function take(group: string, ttl = 60) {
  const claim = `${world.lock(group)}/claims/${randomUUID()}`;
  const session = 'somebody-else-1';
  const body = { session, ttl_seconds: ttl, holder: { name: 'nightly deploy', actor: 'ann' } };
  const { fencing_token: token } = await world.call<{ fencing_token: number }>(
    'PUT',
    `${claim}?wait_seconds=0`,
    body,
  );
  return {
    token,
    release: () => world.call('POST', `${claim}/release`, { session, fencing_token: token }),
  };
}

/** Calls once, as soon as stderr or stdout says so. */
function once(says: string, act: (so: Parameters<NonNullable<RunOptions['onOutput']>>[0]) => unknown) {
  let done = false;
  const onOutput: RunOptions['onOutput'] = (so) => {
    if (done || !(so.stdout + so.stderr).includes(says)) return;
    done = true;
    void act(so);
  };
  return { onOutput };
}

describe('lock status --watch', () => {
  it('prints a block per change, and Ctrl-C ends it quietly', async () => {
    const group = await namedGroup();
    let stage = 0;
    let held: Awaited<ReturnType<typeof take>>;
    const ran = await lock(group, ['status', '--watch'], {
      onOutput: async ({ stdout, kill }) => {
        if (stage === 0 && stdout.includes('free')) {
          stage = 1;
          held = await take(group);
        } else if (stage === 1 && stdout.includes('nightly deploy')) {
          stage = 2;
          await held.release();
        } else if (stage === 2 && stdout.trim().endsWith(`fencing token ${held.token}`)) {
          if (stdout.split('free').length < 3) return;
          stage = 3;
          kill('SIGINT');
        }
      },
    });
    expect([ran.code, ran.stderr]).toEqual([130, '']);
    expect(ran.stdout).toMatch(
      /^\d\d:\d\d:\d\d Lock \S+: free; .*\n\d\d:\d\d:\d\d Lock \S+: held by nightly deploy \(ann\)[\s\S]*\n\d\d:\d\d:\d\d Lock \S+: free/,
    );
  });

  it('with --json: one document a line', async () => {
    const group = await namedGroup();
    let taken = false;
    const ran = await lock(group, ['status', '--watch', '--json'], {
      onOutput: ({ stdout, kill }) => {
        const lines = stdout.split('\n').length - 1;
        if (lines === 1 && !taken) {
          taken = true;
          void take(group);
        }
        if (lines === 2) kill('SIGTERM');
      },
    });
    expect([ran.code, ran.stderr]).toEqual([143, '']);
    const documents = ran.stdout
      .trim()
      .split('\n')
      .map((line) => checked(line) as LockStatus);
    expect(documents.map((one) => one.held?.holder.name ?? null)).toEqual([null, 'nightly deploy']);
  });
});

describe('lock run', () => {
  const sh = (script: string) => ['--', 'sh', '-c', script];
  /** A command that no other process of the machine has in its words. */
  const nap = (seconds: number) => `sleep ${seconds}.${process.pid}`;

  it('names the trace for the command where OTEL_* asks for one', async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', TRACEPARENT: '' };
    const ran = await lock(newGroup(), ['run', ...sh('echo "$TRACEPARENT"')], { env });
    expect(ran.stdout).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01\n$/);
  });

  it('hands the lease to the command, holds it meanwhile, and gives it back', async () => {
    const group = newGroup();
    const script = 'echo "$FLEET_LOCK_GROUP/$FLEET_LOCK_FENCE/$FLEET_LOCK_CLAIM"; sleep 1';
    let seen: Promise<LockStatus> | undefined;
    const ran = await lock(
      group,
      ['run', ...sh(script)],
      once(`${group}/`, () => {
        seen = statusOf(group);
      }),
    );
    expect(ran.code).toBe(0);
    const during = await seen;
    expect(ran.stdout).toBe(`${group}/${during?.held?.fencing_token}/${during?.held?.claim_id}\n`);
    expect(ran.stderr).toContain('released');
    expect((await statusOf(group)).held).toBeNull();
  });

  it.each([
    ['exit 0', 0],
    ['exit 7', 7],
    ['kill -TERM $$', 143],
    ['kill -KILL $$', 137],
  ])('passes on the exit code: %s', async (script, code) => {
    const ran = await lock(newGroup(), ['run', '--quiet', ...sh(script)]);
    expect(ran).toEqual({ code, stdout: '', stderr: '' });
  });

  it.each([
    ['/nowhere/at-all', 127, 'ENOENT'],
    ['/etc/passwd', 126, 'EACCES'],
  ])('%s: exit code %i, lease given back', async (command, code, why) => {
    const group = newGroup();
    const ran = await lock(group, ['run', '--', command]);
    expect(ran.code).toBe(code);
    expect(ran.stderr).toContain(`error: ${command} could not be started (${why})`);
    expect((await statusOf(group)).held).toBeNull();
  });

  it('leaves the flags of the command alone', async () => {
    const ran = await lock(newGroup(), ['run', '--', 'echo', '--no-color', '--json', '--', '-x']);
    expect([ran.code, ran.stdout]).toEqual([0, '--no-color --json -- -x\n']);
  });

  it('says whom it waits for, and gives up in time with exit code 3', async () => {
    const group = newGroup();
    await take(group);
    const ran = await lock(group, ['run', '--lock-wait', '1s', ...sh('echo never')]);
    expect([ran.code, ran.stdout]).toEqual([3, '']);
    expect(ran.stderr).toContain('held by nightly deploy (ann)');
    expect((await statusOf(group)).queue).toEqual([]);
  });

  it('a frozen lock ends the waiting with exit code 4', async () => {
    const group = newGroup();
    expect((await lock(group, ['freeze', '--reason', 'incident'])).code).toBe(0);
    expect((await lock(group, ['run', ...sh('echo never')])).code).toBe(4);
  });

  it('a lost lease ends the command and all that it started, in time, with exit code 3', async () => {
    const group = newGroup();
    const deaf = `trap "" TERM; (trap "" TERM; echo "two $$"; ${nap(47)}) & echo "one $$"; ${nap(47)}`;
    let broken: Promise<unknown> | undefined;
    let at = 0;
    const ran = await lock(
      group,
      ['run', '--lock-ttl', '3s', ...sh(deaf)],
      once('two', () => {
        at = Date.now();
        broken = statusOf(group).then(({ held }) =>
          lock(group, [
            ...['break', '--reason', 'test', '--yes', '--confirm-alive'],
            ...['--fencing-token', `${held?.fencing_token}`],
          ]),
        );
      }),
    );
    expect(await broken).toMatchObject({ code: 0 });
    expect(ran.code).toBe(3);
    expect(ran.stderr).toMatch(/LOST[\s\S]*\nerror: the lock \S+ was lost/);
    // The next renewal, at a third of the TTL, brings the news; half of the margin later all is gone.
    expect(Date.now() - at).toBeLessThan(3_000);
    expect(await alive(nap(47))).toBe(false);
  });

  it('SIGINT reaches the command, and the lease is given back once it is gone', async () => {
    const group = newGroup();
    const script = 'trap "echo cleaning; sleep 0.3; exit 9" INT; echo ready; while :; do sleep 0.1; done';
    const ran = await lock(
      group,
      ['run', ...sh(script)],
      once('ready', ({ kill }) => kill('SIGINT')),
    );
    expect([ran.code, ran.stdout]).toEqual([9, 'ready\ncleaning\n']);
    expect(ran.stderr).toContain('SIGINT: ending the command');
    expect((await statusOf(group)).held).toBeNull();
  });

  it('SIGTERM ends a command that does not care: 143; a second signal kills one that is deaf: 137', async () => {
    const group = newGroup();
    const mild = await lock(
      group,
      ['run', ...sh(`echo ready; ${nap(48)}`)],
      once('ready', ({ kill }) => kill('SIGTERM')),
    );
    expect(mild.code).toBe(143);
    let sent = 0;
    const hard = await lock(group, ['run', ...sh(`trap "" TERM; echo ready; ${nap(48)}`)], {
      onOutput: ({ stdout, stderr, kill }) => {
        const due = stderr.includes('once more') ? 2 : stdout.includes('ready') ? 1 : 0;
        if (sent < due) {
          sent = due;
          kill('SIGTERM');
        }
      },
    });
    expect(hard.code).toBe(137);
    expect((await statusOf(group)).held).toBeNull();
    expect(await alive(nap(48))).toBe(false);
  });

  it('a signal in the queue: the place is given up, nothing was run', async () => {
    const group = newGroup();
    await take(group);
    const ran = await lock(
      group,
      ['run', ...sh('echo never')],
      once('waiting', ({ kill }) => kill('SIGTERM')),
    );
    expect([ran.code, ran.stdout]).toEqual([143, '']);
    expect((await statusOf(group)).queue).toEqual([]);
  });

  it('what a command leaves running does not outlive the lock', async () => {
    const ran = await lock(newGroup(), ['run', ...sh(`${nap(49)} >/dev/null 2>&1 & exit 5`)]);
    expect(ran.code).toBe(5);
    expect(await alive(nap(49))).toBe(false);
  });

  it('kill -9: the command is ended too, and the lease is free after its TTL', async () => {
    const group = newGroup();
    const ran = await lock(
      group,
      ['run', '--lock-ttl', '2s', ...sh(`echo ready; ${nap(50)}`)],
      once('ready', ({ kill }) => kill('SIGKILL')),
    );
    expect(ran.code).toBeNull();
    expect(await alive(nap(50))).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect((await statusOf(group)).held).toBeNull();
  });

  it('fleet redeploy inside it rolls under the same lease', async () => {
    // The simulated fleet is guarded by one lock, as a real one is.
    const group = 'staging';
    await world.setFleet({ acme: {}, beta: {} });
    const before = (await world.rolls()).length;
    const redeploy = ['redeploy', ...world.args('--lock-group', group, '--soak', '50ms')];
    const ran = await lock(group, ['run', '--', process.execPath, CLI, ...redeploy]);
    expect(ran.stdout).toMatch(/^DEPLOYED: /);
    expect(ran.code).toBe(0);
    const tokens = (await world.rolls()).slice(before).map((roll) => roll.fencing_token);
    expect(new Set(tokens).size).toBe(1);
    expect(ran.stderr).not.toContain('FLEET_LOCK_SESSION');
    const { rollouts } = await world.call<{ rollouts: RolloutEntry[] }>(
      'GET',
      `${world.lock(group)}/rollouts?limit=1`,
    );
    expect(rollouts).toMatchObject([
      { fencing_token: tokens[0], state: 'ended', rollout: { outcome: 'succeeded', open_calls: [] } },
    ]);
  });

  it('what one of them rolled goes before an older one, inside it as outside', async () => {
    const group = 'staging';
    await world.setFleet({ acme: {} });
    const order = (number: number) => [
      ...['--repository', 'shop/shop', '--branch', 'main', '--order', `${number}`, '--force'],
    ];
    const redeploy = (number: number) => ['redeploy', ...world.args('--lock-group', group, ...order(number))];
    const inside = (number: number) => lock(group, ['run', '--', process.execPath, CLI, ...redeploy(number)]);
    expect((await inside(77)).stdout).toMatch(/^DEPLOYED: /);
    const before = (await world.rolls()).length;
    for (const late of [await inside(76), await fleet(redeploy(76))]) {
      expect(late.code).toBe(0);
      expect(late.stdout).toMatch(/^SUPERSEDED: [\s\S]*number 77/);
    }
    expect(await world.rolls()).toHaveLength(before);
  });

  it('one that was killed in mid-roll is waited for by the next', async () => {
    const group = 'staging';
    await world.setFleet({ acme: { roll_ms: 4_000 } });
    const before = (await world.rolls()).length;
    const redeploy = [process.execPath, CLI, 'redeploy', ...world.args('--lock-group', group)];
    const quoted = redeploy.map((word) => `'${word}'`).join(' ');
    const go = join(mkdtempSync(join(tmpdir(), 'fleet-test-')), 'go');
    const script = `${quoted} & p=$!; until [ -e '${go}' ]; do sleep 0.05; done; kill -9 $p; ${quoted}`;
    const run = lock(group, ['run', '--', 'sh', '-c', script]);
    while ((await world.rolls()).length === before) await new Promise((resolve) => setTimeout(resolve, 20));
    writeFileSync(go, '');
    const ran = await run;
    rmSync(dirname(go), { recursive: true });
    expect(ran.stdout).toMatch(/^DEPLOYED: [\s\S]*already on target/m);
    expect(ran.stderr).toContain('still runs, and is waited for: acme');
    expect((await world.rolls()).slice(before)).toHaveLength(1);
  });

  it('two of them inside it roll one after the other', async () => {
    const group = 'staging';
    await world.setFleet({ acme: { roll_ms: 300 }, beta: { roll_ms: 300 } });
    const before = (await world.rolls()).length;
    const flags = ['--lock-group', group, '--soak', '50ms', '--batch-size', '1', '--force'];
    const redeploy = [process.execPath, CLI, 'redeploy', ...world.args(...flags)].map((word) => `'${word}'`);
    const script = `${redeploy.join(' ')} & ${redeploy.join(' ')} || exit 9; wait $!`;
    const ran = await lock(group, ['run', '--', 'sh', '-c', script]);
    expect(ran.stdout.match(/^DEPLOYED: /gm)).toHaveLength(2);
    expect(ran.code).toBe(0);
    const rolls = (await world.rolls()).slice(before);
    expect(rolls).toHaveLength(4);
    // One whole rollout after the other: the tenants come in the same order twice.
    const slugs = rolls.map((roll) => roll.slugs.join());
    expect(slugs.slice(0, 2).sort()).toEqual(['acme', 'beta']);
    for (const [index, { ended_at }] of rolls.slice(0, -1).entries()) {
      expect(Date.parse(`${ended_at}`)).toBeLessThanOrEqual(Date.parse(`${rolls[index + 1]?.started_at}`));
    }
  });

  it('its secrets stand in the environment of the command only where that is wanted', async () => {
    const env = {
      GITEA_TOKEN: 'gitea-secret',
      FLEET_ALERT_WEBHOOK: 'https://hooks.example/secret',
      MINE: 'kept',
    };
    const bare = await lock(newGroup(), ['run', '--', 'env'], { env });
    expect(bare.stdout).toMatch(/^MINE=kept$/m);
    expect(bare.stdout).not.toMatch(/secret|never-print-me/);
    const full = await lock(newGroup(), ['run', '--pass-tokens', '--', 'env'], { env });
    expect(full.stdout).toContain(`FLEET_CP_TOKEN=${TOKEN}`);
  });

  it('leaves no socket, and a command that outlives it finds nobody to ask', async () => {
    const group = newGroup();
    const ran = await lock(group, ['run', '--', 'sh', '-c', 'echo "$FLEET_LOCK_SOCKET $FLEET_LOCK_FENCE"']);
    const [FLEET_LOCK_SOCKET = '', FLEET_LOCK_FENCE = ''] = ran.stdout.trim().split(' ');
    expect(existsSync(dirname(FLEET_LOCK_SOCKET))).toBe(false);
    const env = { FLEET_LOCK_SOCKET, FLEET_LOCK_FENCE, FLEET_LOCK_GROUP: group };
    const late = await fleet(['redeploy', ...world.args('--lock-group', group)], { env });
    expect(late.code).toBe(3);
    expect(late.stdout).toMatch(/^LOCK LOST: [\s\S]*does not hold/);
  });

  it('inside another lock run of the same lock it does not wait for itself', async () => {
    const group = newGroup();
    const inner = ['lock', 'run', '--control-plane', world.plane.url, '--', 'sh', '-c', 'exit 6'];
    const ran = await lock(group, ['run', '--', process.execPath, CLI, ...inner]);
    expect(ran.code).toBe(6);
  });

  it('an inherited lease that holds no more is no lease', async () => {
    const env = { FLEET_LOCK_FENCE: '99', FLEET_LOCK_GROUP: 'handed-down' };
    const group = await namedGroup('handed-down');
    const ran = await lock(group, ['run', '--', 'echo', 'never'], { env });
    expect([ran.code, ran.stdout]).toEqual([3, '']);
    expect(ran.stderr).toMatch(/FLEET_LOCK_FENCE names \(99\)/);
  });
});

describe('lock break', () => {
  const because = ['--reason', 'its runner is gone', '--yes'];

  it('nothing held: says so, and does nothing', async () => {
    const ran = await lock(await namedGroup(), ['break', ...because]);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/^Nobody holds the lock \S+: nothing was broken\.\n$/);
  });

  it('a holder that renews is left alone, with the way on, unless it is confirmed', async () => {
    const group = newGroup();
    const { token } = await take(group);
    const ran = await lock(group, ['break', ...because]);
    expect([ran.code, ran.stdout]).toEqual([4, '']);
    expect(ran.stderr).toMatch(
      /held by nightly deploy \(ann\)[\s\S]*error: .*is alive.*\nnext: .*--confirm-alive/,
    );
    expect((await statusOf(group)).held?.fencing_token).toBe(token);

    const sure = await lock(group, ['break', ...because, '--confirm-alive']);
    expect([sure.code, sure.stdout]).toEqual([
      0,
      `Lock ${group}: broke the hold of nightly deploy (fencing token ${token}).\n`,
    ]);
    expect((await statusOf(group)).held).toBeNull();
  });

  it('another holder than the one that was named is never touched', async () => {
    const group = newGroup();
    const { token } = await take(group);
    const named = ['--fencing-token', `${token + 1}`, '--confirm-alive'];
    const ran = await lock(group, ['break', ...because, ...named]);
    expect(ran.code).toBe(4);
    expect(ran.stderr).toMatch(/does not hold \S+ any more.*\nnext: look again with: fleet lock status/);
    expect((await statusOf(group)).held?.fencing_token).toBe(token);
  });

  it('the audit log names the person, in CI whoever started the run', async () => {
    const group = newGroup();
    await take(group);
    const args = ['break', ...because, '--confirm-alive'];
    expect((await lock(group, args, { env: { GITHUB_ACTOR: 'bob' } })).code).toBe(0);
    await take(group);
    expect((await lock(group, args)).code).toBe(0);
    const log = await lock(group, ['log']);
    expect(log.stdout).toMatch(/broken token \d+: held by nightly deploy, bob, its runner is gone\n/);
    expect(log.stdout).toMatch(/broken token \d+: held by nightly deploy, \S+@\S+, its runner is gone\n/);
  });
});

const hasPty = spawnSync('script', ['--version']).status === 0;

describe.skipIf(!hasPty)('lock break at a terminal', () => {
  it.each([
    ['\r', 4, 'Declined: nothing was broken.', true],
    ['\u0003', 130, 'Nothing was broken.', true],
    ['y\r', 0, 'broke the hold of nightly deploy', false],
  ])('%j: exit code %i', async (answer, code, says, stays) => {
    const group = newGroup();
    const { token } = await take(group);
    const flags = `--control-plane ${world.plane.url} --lock-group ${group} --confirm-alive --reason stuck`;
    const child = spawn('script', ['-qec', `${process.execPath} ${CLI} lock break ${flags}`, '/dev/null'], {
      env: { PATH: process.env.PATH, FLEET_CP_TOKEN: TOKEN, TERM: 'dumb' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let [output, asked] = ['', false];
    child.stdout.on('data', (data) => {
      output += data;
      if (asked || !output.includes('[y/N] ')) return;
      asked = true;
      child.stdin.write(answer);
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(code);
    expect(output).toMatch(/held by nightly deploy \(ann\)[\s\S]*Break the hold of nightly deploy \(fencing/);
    expect(output).toContain(says);
    expect((await statusOf(group)).held?.fencing_token ?? null).toBe(stays ? token : null);
  });
});

describe('lock freeze, unfreeze, log', () => {
  it('freezes, shows it, and lifts it', async () => {
    const group = newGroup();
    const frozen = await lock(group, ['freeze', '--reason', 'incident 12', '--for', '2h']);
    expect([frozen.code, frozen.stderr]).toEqual([0, '']);
    expect(frozen.stdout).toMatch(/^Lock \S+: frozen until \d{4}-.*\n$/);
    expect((await lock(group, ['status'])).stdout).toMatch(/FROZEN by \S+@\S+ until \S+: incident 12\n/);
    const second = await lock(group, ['freeze', '--reason', 'lunch', '--for', '5m']);
    expect([second.code, second.stdout]).toEqual([4, '']);
    expect(second.stderr).toContain('--replace');
    const longer = await lock(group, ['freeze', '--reason', 'incident 12', '--for', '2h', '--replace']);
    expect([longer.code, longer.stderr]).toEqual([0, '']);
    const { frozen: state } = await statusOf(group);
    expect(Date.parse(state?.until ?? '') - Date.now()).toBeGreaterThan(7_100_000);

    const lifted = await lock(group, ['unfreeze', '--reason', 'over']);
    expect([lifted.code, lifted.stdout]).toEqual([0, `Lock ${group}: not frozen any more.\n`]);
    expect((await statusOf(group)).frozen).toBeNull();
    expect((await lock(group, ['unfreeze', '--reason', 'over'])).code).not.toBe(0);

    const log = await lock(group, ['log']);
    expect(log.stdout.trim().split('\n')).toEqual([
      expect.stringMatching(/^#\d+ [\d-]{10} [\d:]{8}Z frozen: by \S+@\S+, until \S+, incident 12$/),
      expect.stringMatching(/^#\d+ [\d-]{10} [\d:]{8}Z frozen: by \S+@\S+, until \S+, incident 12$/),
      expect.stringMatching(/unfrozen: by \S+@\S+, over$/),
    ]);
  });

  it('freeze and unfreeze as documents', async () => {
    const group = newGroup();
    const done = async (...args: string[]) => checked((await lock(group, [...args, '--json'])).stdout);
    const until = '2099-01-31T18:00:00.000Z';
    expect(await done('freeze', '--reason', 'audit', '--until', until)).toMatchObject({
      ...{ schema: 'fleet-lock-note/1', group, done: 'frozen', reason: 'audit', until },
    });
    expect(await done('status')).toMatchObject({ schema: 'fleet-lock-status/1', group, held: null });
    expect(await done('unfreeze', '--reason', 'over')).toMatchObject({ done: 'unfrozen', reason: 'over' });
    expect(await done('log', '--verify')).toMatchObject({ schema: 'fleet-lock-chain/1', verified: 2 });
  });

  it('log: after a number, and as one document', async () => {
    const group = newGroup();
    expect(await lock(group, ['log'])).toMatchObject({ code: 0, stdout: '', stderr: 'No events.\n' });
    await (await take(group)).release();
    const all = checked((await lock(group, ['log', '--json'])).stdout) as {
      group: string;
      events: LockEvent[];
    };
    expect([all.group, all.events.map(({ kind }) => kind)]).toEqual([group, ['granted', 'released']]);
    const rest = await lock(group, ['log', '--after', `${all.events[0]?.seq}`]);
    expect(rest.stdout).toMatch(/^#\d+ .* released token \d+.*\n$/);
  });

  it('foreign text: a document that no CI log takes for a command, a line that moves no cursor', async () => {
    const group = newGroup();
    const reason = '::error::x ##[group]y \u009b2J';
    await world.call('POST', `${world.lock(group)}/freeze`, { reason, actor: 'ann' });
    const ran = await lock(group, ['log', '--json']);
    expect(ran.stdout).not.toMatch(/::|##\[|\u009b/);
    const { events } = JSON.parse(ran.stdout) as { events: LockEvent[] };
    expect(JSON.stringify(events)).toContain('::error::x ##[group]y');
    expect((await lock(group, ['status'])).stdout).not.toMatch(/::|##\[|\u009b/);
  });

  it('a lock server that is not there: exit code 5', async () => {
    for (const args of [['status'], ['log'], ['freeze', '--reason', 'x']]) {
      const ran = await fleet([
        'lock',
        ...args,
        '--control-plane',
        'http://127.0.0.1:9',
        '--lock-group',
        'g',
      ]);
      expect(ran.code).toBe(5);
      expect(ran.stderr).toMatch(/^error: .*\nnext: .*\n$/);
    }
  });
});

/** Whether a process with this command line is there; one that was just killed has a moment to go. */
async function alive(command: string): Promise<boolean> {
  for (let tries = 0; tries < 15; tries++) {
    const all = execFileSync('ps', ['-eo', 'stat,args'], { encoding: 'utf8' });
    const there = all
      .split('\n')
      .some((line) => !line.startsWith('Z') && line.replace(/^\S+\s+/, '') === command);
    if (!there) return false;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return true;
}
