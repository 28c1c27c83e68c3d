import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LockStatus } from '@tenant-fleet/fleet-core/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fleet, folder } from './cli.js';
import { proxyBefore } from './proxy.js';
import { document, type Roll, World } from './world.js';

let world: World;
const temp = folder();
beforeAll(async () => {
  world = await World.start();
});
afterAll(async () => {
  await world?.plane.close();
  temp.remove();
});

const slow = { acme: { roll_ms: 4000 }, beta: { roll_ms: 1500 } };

describe('signals', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    '%s in the middle of a roll: lease given back, report written, exit code %i',
    async (name, code) => {
      await world.setFleet(slow);
      const report = join(temp.path, `${name}.json`);
      let sent = false;
      const ran = await world.redeploy(['--batch-size', '1', '--report-json', report], {
        onOutput: ({ stderr, kill }) => {
          if (sent || !stderr.includes('rolling acme')) return;
          sent = true;
          kill(name);
        },
      });
      expect(ran.code).toBe(code);
      expect(ran.result).toMatchObject({ outcome: 'interrupted', deployed: false });
      expect(ran.stderr).toContain(`${name}: stopping in order`);
      expect(JSON.parse(readFileSync(report, 'utf8'))).toEqual(ran.result);
      const status = await world.call<LockStatus>('GET', world.lock('staging'));
      expect([status.held, status.queue]).toEqual([null, []]);
    },
  );

  it('SIGINT in the queue: the place is given up', async () => {
    await world.setFleet({ acme: { roll_ms: 6000 } });
    let holder: ReturnType<typeof world.redeploy> | undefined;
    await new Promise<void>((resolve) => {
      holder = world.redeploy([], { onOutput: ({ stderr }) => stderr.includes('rolling acme') && resolve() });
    });
    let sent = false;
    const ran = await world.redeploy([], {
      onOutput: ({ stderr, kill }) => {
        if (sent || !stderr.includes('waiting')) return;
        sent = true;
        kill('SIGINT');
      },
    });
    expect([ran.code, ran.result.outcome]).toEqual([130, 'interrupted']);
    expect((await world.call<LockStatus>('GET', world.lock('staging'))).queue).toEqual([]);
    expect((await holder)?.code).toBe(0);
  });

  it('a second SIGINT while the lock is being given back does not lose that', async () => {
    await world.setFleet({ acme: { roll_ms: 8000 } });
    let kill = (_: NodeJS.Signals) => {};
    const started = Date.now();
    const proxy = await proxyBefore(world.plane.url, async ({ url = '' }) => {
      if (!url.endsWith('/release')) return;
      kill('SIGINT');
      await new Promise((resolve) => setTimeout(resolve, 300));
    });
    const args = world.args('--lock-group', 'staging', '--lock-ttl', '60s', '--control-plane', proxy.url);
    let sent = false;
    const ran = await fleet(['redeploy', ...args], {
      onOutput: (so) => {
        kill = so.kill;
        if (sent || !so.stderr.includes('rolling acme')) return;
        sent = true;
        kill('SIGINT');
      },
    });
    await proxy.close();
    expect(ran.code).toBe(130);
    expect(Date.now() - started).toBeLessThan(5000);
    expect((await world.call<LockStatus>('GET', world.lock('staging'))).held).toBeNull();
  });

  it('an error that nobody caught ends a roll in order as well: the lock is given back', async () => {
    await world.setFleet({ acme: { roll_ms: 8000 } });
    const fault = "process.on('SIGUSR2',()=>{throw(new(Error)('boom'))})";
    const args = world.args('--lock-group', 'staging', '--lock-ttl', '60s');
    let sent = false;
    const ran = await fleet(['redeploy', ...args], {
      env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(fault)}` },
      onOutput: ({ stderr, kill }) => {
        if (sent || !stderr.includes('rolling acme')) return;
        sent = true;
        kill('SIGUSR2');
      },
    });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/error: boom \(INTERNAL\)\nnext: /);
    expect((await world.call<LockStatus>('GET', world.lock('staging'))).held).toBeNull();
  });
});

describe('two runs at once', () => {
  it('the rolls that were interrupted above have ended', async () => {
    const open = async () => (await world.rolls()).some((roll) => roll.ended_at === null);
    while (await open()) await new Promise((resolve) => setTimeout(resolve, 100));
  });

  it('78: never roll at the same time, by the record of the server', async () => {
    await world.setFleet({ acme: { roll_ms: 300 }, beta: { roll_ms: 300 }, gamma: { roll_ms: 300 } });
    // What a run of another test left under way would keep these waiting, and roll a tenant in their place.
    const ended = async () => (await world.rolls()).every(({ ended_at }) => ended_at !== null);
    await expect.poll(ended, { timeout: 20_000 }).toBe(true);
    const before = (await world.rolls()).length;
    const both = await Promise.all([
      world.redeploy(['--batch-size', '1', '--force']),
      world.redeploy(['--batch-size', '1', '--force']),
    ]);
    for (const ran of both) expect([ran.code, ran.result.outcome]).toEqual([0, 'succeeded']);
    const rolls = (await world.rolls()).slice(before);
    expect(rolls).toHaveLength(6);
    for (const [index, roll] of rolls.entries()) {
      const next = rolls[index + 1];
      if (!next) continue;
      expect(roll.ended_at).not.toBeNull();
      expect(Date.parse(roll.ended_at ?? '')).toBeLessThanOrEqual(Date.parse(next.started_at));
      // The runs follow each other whole: a fencing token that has passed never comes back.
      expect(next.fencing_token).toBeGreaterThanOrEqual(roll.fencing_token);
    }
    expect(new Set(rolls.map((roll: Roll) => roll.fencing_token)).size).toBe(2);
  });
});

describe('when the other side dies in the middle of a roll', () => {
  it('PostgreSQL killed: a clear end in time, never "deployed" unproven', async () => {
    await world.setFleet(slow);
    let killed = false;
    const started = Date.now();
    const ran = await world.redeploy(['--batch-size', '1', '--timeout', '20s'], {
      onOutput: ({ stderr }) => {
        if (killed || !stderr.includes('rolling acme')) return;
        killed = true;
        void world.plane.database?.kill();
      },
    });
    expect(killed).toBe(true);
    expect(Date.now() - started).toBeLessThan(25_000);
    if (ran.result.deployed) expect(ran.result.counts.on_target).toBe(2);
    else expect(ran.code).not.toBe(0);
    expect(ran.stderr).not.toMatch(/\n\s+at .*:\d+/);
  });

  it('the control plane gone: the same', async () => {
    const other = await World.start();
    await other.setFleet(slow);
    let closed: Promise<void> | undefined;
    const started = Date.now();
    const ran = document(
      await fleet(
        [
          'redeploy',
          ...other.args(
            '--batch-size',
            '1',
            '--lock-group',
            'staging',
            '--lock-ttl',
            '4s',
            '--timeout',
            '20s',
            '--json',
          ),
        ],
        {
          onOutput: ({ stderr }) => {
            if (!closed && stderr.includes('rolling acme')) closed = other.plane.close();
          },
        },
      ),
    );
    await closed;
    expect(Date.now() - started).toBeLessThan(25_000);
    expect(ran.result.deployed).toBe(false);
    expect(ran.code).not.toBe(0);
  });
});
