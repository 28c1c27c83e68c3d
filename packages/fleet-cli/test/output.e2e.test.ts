/** Output that goes nowhere: the roll goes on, the lock is given back, the exit code tells the verdict. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resultSchema } from '@tenant-fleet/fleet-core';
import type { LockStatus } from '@tenant-fleet/fleet-core/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, folder, TOKEN } from './cli.js';
import { World } from './world.js';

let world: World;
const temp = folder();
beforeAll(async () => {
  world = await World.start();
});
afterAll(async () => {
  await world?.plane.close();
  temp.remove();
});

const env = { PATH: process.env.PATH, FLEET_CP_TOKEN: TOKEN };
const quoted = (args: string[]) => args.map((arg) => `'${arg}'`).join(' ');

/** Runs `fleet ARGS` followed by redirections of the shell; the exit code is that of fleet, not of a pipe's end. */
function shell(args: string[], redirections: string) {
  const script = `{ '${process.execPath}' '${CLI}' ${quoted(args)}; echo $? >code; } ${redirections}`;
  const cwd = temp.path;
  const child = spawn('/bin/sh', ['-c', script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    child.on('close', () => {
      const code = Number(readFileSync(join(cwd, 'code'), 'utf8'));
      rmSync(join(cwd, 'code'));
      resolve({ code, stdout, stderr });
    });
  });
}

describe.skipIf(!existsSync('/dev/full'))('a roll whose output cannot be written', () => {
  it.each([
    ['stderr on a full disk', '2>/dev/full', /^DEPLOYED/, /^$/],
    ['stdout on a full disk', '>/dev/full', /^$/, /\nerror: stdout cannot be written \(ENOSPC\)/],
    ['both on a full disk', '>/dev/full 2>&1', /^$/, /^$/],
    ['a reader of both that leaves at once', '2>&1 | head -n 1', /^rolling .*\n$/, /^$/],
    ['both closed', '>&- 2>&-', /^$/, /^$/],
  ])(
    '%s: rolled and proven, report written, lock given back, exit code 0',
    async (_, how, stdout, stderr) => {
      await world.setFleet({ acme: {}, beta: {} });
      const lock = ['--lock-group', 'staging', '--soak', '50ms', '--report-json', 'result.json'];
      const ran = await shell(['redeploy', ...world.args(...lock)], how);
      expect(ran.code).toBe(0);
      expect(ran.stdout).toMatch(stdout);
      expect(ran.stderr).toMatch(stderr);
      const result = resultSchema.parse(JSON.parse(readFileSync(join(temp.path, 'result.json'), 'utf8')));
      expect(result).toMatchObject({ outcome: 'succeeded', counts: { on_target: 2 } });
      expect((await world.call<LockStatus>('GET', world.lock('staging'))).held).toBeNull();
    },
  );

  it.each([
    [['--help'], '2>&1 | true'],
    [['redeploy', '--help'], '2>&1 | head -n 1'],
    [['--version'], '2>&1 | true'],
  ])('fleet %j %s is silent', async (args, how) => {
    const ran = await shell(args, how);
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(ran.stdout.split('\n').length).toBeLessThanOrEqual(2);
  });

  it('a document that was cut short is said on the other stream', async () => {
    const ran = await shell(
      ['lock', 'log', '--control-plane', world.plane.url, '--lock-group', 'staging'],
      '>/dev/full',
    );
    expect(ran.stderr).toMatch(/^error: stdout cannot be written \(ENOSPC\): some of it is missing\n$/);
  });
});

describe.skipIf(spawnSync('script', ['--version']).status !== 0)('a terminal', () => {
  let child: ChildProcess | undefined;
  afterAll(() => child?.kill('SIGKILL'));

  it('is asked at: the question shows what the roll would do', async () => {
    await world.setFleet({ acme: {}, beta: {}, gamma: {} });
    const before = (await world.rolls()).length;
    const flags = world.args('--lock-group', 'staging', '--canary', 'acme', '--batch-size', '2');
    const command = `exec '${process.execPath}' '${CLI}' redeploy ${quoted(flags)}`;
    const own = spawn('script', ['-qec', command, '/dev/null'], {
      cwd: tmpdir(),
      env: { ...env, TERM: 'dumb' },
    });
    let output = '';
    own.stdout.on('data', (data) => {
      output += data;
      if (output.endsWith('[y/N] ')) own.stdin.write('n\r');
    });
    expect(await new Promise((resolve) => own.on('close', resolve))).toBe(4);
    const lines = output.split('\r\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'Reason: 3 of 3 tenants would be rolled in 2 waves',
        '  canary: acme (now 1111111)',
        '  batch-1: beta (now 1111111), gamma (now 1111111)',
        expect.stringMatching(/^Lock staging: free/),
        expect.stringContaining('Roll the fleet to staging-abcdef1 (abcdef1)? [y/N] '),
      ]),
    );
    expect((await world.rolls()).length).toBe(before);
  });

  it('that stands still (Ctrl-S) does not hold up the roll, nor the lock', async () => {
    await world.setFleet({ acme: {}, beta: {}, gamma: {} });
    const flags = world.args('--lock-group', 'staging', '--soak', '50ms', '--batch-size', '1', '--yes');
    const command = `exec '${process.execPath}' '${CLI}' redeploy ${quoted(flags)}`;
    const own = spawn('script', ['-qec', command, '/dev/null'], {
      cwd: tmpdir(),
      env: { ...env, TERM: 'dumb' },
    });
    child = own;
    let [output, stopped] = ['', false];
    own.stdout.on('data', (data) => {
      output += data;
      if (stopped || !output.includes('rolling the fleet')) return;
      stopped = true;
      own.stdin.write('\u0013');
    });
    const rolledAll = async () => {
      for (;;) {
        const rolled = (await world.rolls()).slice(before);
        const { held } = await world.call<LockStatus>('GET', world.lock('staging'));
        if (rolled.length === 3 && !held) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const before = (await world.rolls()).length;
    await rolledAll();
    expect(output).not.toContain('DEPLOYED');
    const ended = new Promise((resolve) => own.on('close', resolve));
    own.stdin.write('\u0011');
    expect(await ended).toBe(0);
    expect(output).toContain('DEPLOYED');
  });
});
