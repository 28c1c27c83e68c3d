/** `fleet lock run` where the process that holds the lock cannot act, and at a real terminal. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startControlPlane } from '@tenant-fleet/fleet-control-plane';
import type { LockStatus } from '@tenant-fleet/fleet-core/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, fleet, TOKEN } from './cli.js';
import { World } from './world.js';

/** The driver of the control plane, for what only the owner of its database can do. */
const pg = createRequire(createRequire(import.meta.url).resolve('@tenant-fleet/fleet-control-plane'))('pg');
let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(async () => {
  await world?.plane.close();
});

const newGroup = () => `g-${randomUUID().slice(0, 8)}`;
/** A group that nobody has named yet is no group, and has no holder. */
const heldIn = async (group: string) => {
  const status = world.call<LockStatus>('GET', world.lock(group));
  return (await status.catch(() => null))?.held ?? null;
};
const argsOf = (group: string, ...more: string[]) => [
  ...['lock', 'run', '--control-plane', world.plane.url, '--lock-group', group],
  ...more,
];

const GUARD = /\/guard\.mjs$/;
/** A command that no other process of the machine has in its words. */
const nap = (seconds: number, nth: number) => `sleep ${seconds}.${nth}${process.pid}`;
const naps = (seconds: number) => new RegExp(`^sleep ${seconds}\\.\\d${process.pid}$`);

/** Processes with such a command line, dead ones left out. */
function running(args: RegExp): number[] {
  const all = execFileSync('ps', ['-eo', 'pid=,stat=,args='], { encoding: 'utf8' });
  return all
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, stat = 'Z', ...words]) => !stat.startsWith('Z') && args.test(words.join(' ')))
    .map(([pid]) => Number(pid));
}

async function until<T>(look: () => Promise<T> | T): Promise<NonNullable<T>> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A `lock run` under way; `said` resolves once stdout or stderr has the text. */
function start(args: string[]) {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { PATH: process.env.PATH, FLEET_CP_TOKEN: TOKEN },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output += data;
    });
  }
  return {
    child,
    output: () => output,
    said: (text: string) => until(() => output.includes(text)),
    ended: new Promise<number | null>((resolve) => child.on('close', resolve)),
  };
}

/** Takes the lock as soon as it is free. */
async function next(group: string): Promise<void> {
  const claim = `${world.lock(group)}/claims/${randomUUID()}`;
  const body = { session: 'the-next-one-1', ttl_seconds: 60, holder: { name: 'next' } };
  await until(async () => {
    const answer = await world.call<{ state: string }>('PUT', `${claim}?wait_seconds=10`, body);
    return answer.state === 'held';
  });
}

describe('lock log --verify', () => {
  it('says that a log follows from itself, and at which row one does not that its owner changed', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'fleet-test-'));
    chmodSync(dataDir, 0o711);
    const plane = await startControlPlane({ token: TOKEN, dataDir });
    try {
      const at = ['--control-plane', plane.url, '--lock-group', 'audited'];
      const verify = () => fleet(['lock', 'log', '--verify', ...at]);
      for (let run = 0; run < 3; run++) await fleet(['lock', 'run', ...at, '--', 'true']);
      const sound = await verify();
      expect([sound.code, sound.stdout]).toEqual([
        0,
        expect.stringMatching(
          /^Lock audited: 6 rows of the audit log follow from one another; head [0-9a-f]{64}\n$/,
        ),
      ]);
      const owner = new URL(plane.databaseUrl);
      owner.username = 'fleet';
      owner.password = readFileSync(join(dataDir, 'password'), 'utf8').trim();
      const client = new pg.Client({ connectionString: owner.href });
      await client.connect();
      await client.query('SET session_replication_role = replica');
      await client.query(`UPDATE lock_events SET actor = 'nobody' WHERE group_name = 'audited' AND seq = 3`);
      await client.end();
      const changed = await verify();
      expect([changed.code, changed.stdout]).toEqual([4, '']);
      expect(changed.stderr).toMatch(/^error: the audit log of audited does not hold at #3: /m);
      const { broken } = JSON.parse((await fleet(['lock', 'log', '--verify', '--json', ...at])).stdout);
      expect(broken.seq).toBe(3);
    } finally {
      await plane.close();
      rmSync(dataDir, { recursive: true });
    }
  }, 90_000);
});

describe('the guard', () => {
  it('a fleet that stands still: the command is gone before anybody else is granted the lock', async () => {
    const group = newGroup();
    const script = `trap "" TERM; echo ready; ${nap(61, 1)}; ${nap(61, 2)}`;
    const run = start(argsOf(group, '--lock-ttl', '4s', '--', 'sh', '-c', script));
    await run.said('ready');
    run.child.kill('SIGSTOP');
    await next(group);
    expect(running(naps(61))).toEqual([]);
    run.child.kill('SIGCONT');
    expect(await run.ended).toBe(3);
    expect(run.output()).toMatch(/error: the lock \S+ was lost/);
  });

  it('one that was killed is replaced', async () => {
    const group = newGroup();
    const run = start(argsOf(group, '--lock-ttl', '3s', '--', 'sh', '-c', `echo ready; ${nap(62, 1)}`));
    await run.said('ready');
    const guardOf = () => running(GUARD).filter((pid) => parentOf(pid) === run.child.pid);
    const first = await until(() => guardOf()[0]);
    process.kill(first, 'SIGKILL');
    await until(() => guardOf().some((pid) => pid !== first));
    // The new one watches as soon as it has said so; the command line shows it a moment before.
    await new Promise((resolve) => setTimeout(resolve, 500));
    run.child.kill('SIGKILL');
    await next(group);
    expect(running(naps(62))).toEqual([]);
  });

  it('ends with the command, and goes on beside a lease that is renewed', async () => {
    const group = newGroup();
    const run = start(argsOf(group, '--lock-ttl', '2s', '--', 'sh', '-c', 'sleep 5.3; exit 7'));
    const guard = await until(() => running(GUARD).find((pid) => parentOf(pid) === run.child.pid));
    expect(await run.ended).toBe(7);
    expect(await heldIn(group)).toBeNull();
    expect(running(GUARD)).not.toContain(guard);
  });
});

/** 0 for a process that has ended since it was listed. */
const parentOf = (pid: number) =>
  Number(spawnSync('ps', ['-o', 'ppid=', '-p', `${pid}`], { encoding: 'utf8' }).stdout);

const hasPty = spawnSync('script', ['--version']).status === 0;

describe.skipIf(!hasPty)('at a terminal', () => {
  /** Runs it in a terminal of its own and types the keys once their text was shown. */
  async function typed(group: string, script: string, keys: [says: RegExp, key: string][]) {
    const words = argsOf(group, '--lock-ttl', '3s', '--', 'sh', '-c', script);
    const command = [process.execPath, CLI, ...words].map((word) => `'${word}'`).join(' ');
    const child = spawn('script', ['-qec', `${command}; echo "code $?"; ps -o stat= -p $$`, '/dev/null'], {
      env: { PATH: process.env.PATH, FLEET_CP_TOKEN: TOKEN, TERM: 'dumb' },
    });
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
      const [key] = keys;
      if (!key?.[0].test(output)) return;
      keys.shift();
      child.stdin.write(key[1]);
    });
    await new Promise((resolve) => child.on('close', resolve));
    // Whoever comes after has the terminal: its process is in the foreground again.
    expect(output.trim()).toMatch(/code \d+\s+\S*\+\S*$/);
    expect(await heldIn(group)).toBeNull();
    return { output, code: Number(/code (\d+)/.exec(output)?.[1]) };
  }

  it('the command asks on /dev/tty and is answered', async () => {
    const script = 'printf "Password? " >/dev/tty; read x </dev/tty; echo "got $x"; exit 5';
    const ran = await typed(newGroup(), script, [[/Password\? /, 'hello\r']]);
    expect(ran.output).toContain('got hello');
    expect(ran.code).toBe(5);
  });

  it('Ctrl-C is for the command, Ctrl-Z and whatever else stops it suspend nothing, and modes are put back', async () => {
    const script = 'stty -echo </dev/tty; kill -STOP $$; echo ready; while sleep 0.1; do echo tick; done';
    const ran = await typed(newGroup(), script, [
      [/not suspended[\s\S]*ready/, '\u001a'],
      [/(?:tick[\s\S]*){5}/, '\u0003'],
    ]);
    expect(ran.code).toBe(130);
  });

  it('leaves nothing behind', async () => {
    const ran = await typed(newGroup(), `${nap(63, 1)} >/dev/null 2>&1 & exit 6`, []);
    expect(ran.code).toBe(6);
    expect(running(naps(63))).toEqual([]);
  });

  it('a lost lease ends the command', async () => {
    const group = newGroup();
    const ending = typed(group, `trap "" TERM; echo ready; ${nap(64, 1)}; ${nap(64, 2)}`, []);
    await until(() => heldIn(group));
    await until(() => running(naps(64)).length);
    const { held } = await world.call<LockStatus>('GET', world.lock(group));
    const body = { fencing_token: held?.fencing_token, reason: 'test', actor: 'ann', confirm_alive: true };
    await world.call('POST', `${world.lock(group)}/break`, body);
    expect((await ending).code).toBe(3);
    expect(running(naps(64))).toEqual([]);
  });
});
