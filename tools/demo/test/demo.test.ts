/** Runs the built demo and looks for what it leaves behind: processes, ports, files. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const DEMO = fileURLToPath(new URL('../dist/demo.js', import.meta.url));

let temp: string;
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'demo-test-'));
  // PostgreSQL's own user has to get through where the tests run as root.
  chmodSync(temp, 0o755);
});
afterEach(() => rmSync(temp, { recursive: true, force: true }));

interface Seen {
  output: string;
  pid: number;
  kill: (pid: number, name: NodeJS.Signals) => void;
}

/** Runs it to its end; `act` is called once when `when` has been printed. */
async function demo(args: string[], when?: RegExp, act?: (seen: Seen) => void) {
  const child = spawn(process.execPath, [DEMO, ...args], {
    env: { ...process.env, TMPDIR: temp },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [output, stderr, acted] = ['', '', false];
  const heard = (text: string) => {
    output += text;
    if (!acted && when?.test(output)) {
      acted = true;
      act?.({ output, pid: child.pid ?? 0, kill: (pid, name) => void process.kill(pid, name) });
    }
  };
  child.stdout.setEncoding('utf8').on('data', heard);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    heard(text);
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output, stderr };
}

/** Process ids below `root`, by asking for everybody's parent. */
function descendants(root: number): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const pairs = rows.map((row) => row.trim().split(/\s+/).map(Number) as [number, number]);
  const below = (pid: number): number[] =>
    pairs.filter(([, parent]) => parent === pid).flatMap(([child]) => [child, ...below(child)]);
  return below(root);
}

/** A zombie that nobody in a container reaps is not a process that runs. */
function running(pids: number[]): number[] {
  return pids.filter((pid) => {
    try {
      const state = execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).trim();
      return state !== '' && !state.startsWith('Z');
    } catch {
      return false;
    }
  });
}

const ports = (output: string) => [
  ...new Set([...output.matchAll(/127\.0\.0\.1:(\d+)/g)].map((hit) => Number(hit[1]))),
];

const isOpen = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });

async function nothingIsLeft(pids: number[], output: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (running(pids).length && Date.now() < deadline) await new Promise((done) => setTimeout(done, 100));
  expect(running(pids)).toEqual([]);
  expect(ports(output).length).toBe(2);
  for (const port of ports(output)) expect(await isOpen(port)).toBe(false);
  expect(readdirSync(temp)).toEqual([]);
}

it('rolls the fleet, proves it and leaves nothing behind', async () => {
  let pids: number[] = [];
  const ran = await demo([], /batch-1: proven/, ({ pid }) => {
    pids = descendants(pid);
  });
  expect(ran.output).toContain('DEPLOYED: staging runs staging-4f2c1a9 (4f2c1a9); 12 of 12 tenants');
  expect(ran.output.trim().split('\n').at(-1)).toMatch(/^Try next: /);
  expect(ran.code).toBe(0);
  expect(pids.length).toBeGreaterThan(3);
  await nothingIsLeft(pids, ran.output);
});

it('--broken ends with exit code 1 and names the two tenants', async () => {
  const ran = await demo(['--', '--broken']);
  expect(ran.output).toMatch(
    /FAILED: [\s\S]*12 tenants: 10 on target, 2 stale[\s\S]* {2}juniper: stale[\s\S]* {2}lumen: stale/,
  );
  expect(ran.code).toBe(1);
  await nothingIsLeft([], ran.output);
});

it.each(['SIGINT', 'SIGTERM'] as const)(
  '%s in the middle of the roll: the lock is given back, all is removed',
  async (name) => {
    let pids: number[] = [];
    const ran = await demo([], /batch-1 \(/, ({ pid, kill }) => {
      pids = descendants(pid);
      kill(pid, name);
    });
    expect(ran.output).toContain('lock staging: released');
    expect(ran.output).toContain('INTERRUPTED');
    expect(ran.code).toBe(name === 'SIGINT' ? 130 : 143);
    expect(pids.length).toBeGreaterThan(3);
    await nothingIsLeft(pids, ran.output);
  },
);

it('SIGINT while it starts: nothing is left', async () => {
  let pids: number[] = [];
  const ran = await demo([], /Starting/, ({ pid, kill }) => {
    setTimeout(() => {
      pids = descendants(pid);
      kill(pid, 'SIGINT');
    }, 700);
  });
  expect(ran.code).toBe(130);
  expect(running(pids)).toEqual([]);
  expect(readdirSync(temp)).toEqual([]);
});

it('a second SIGINT ends all at once', async () => {
  let pids: number[] = [];
  const ran = await demo([], /batch-1 \(/, ({ pid, kill }) => {
    pids = descendants(pid);
    kill(pid, 'SIGINT');
    setTimeout(() => kill(pid, 'SIGINT'), 50);
  });
  expect(ran.code).toBe(130);
  await nothingIsLeft(pids, ran.output);
});

it('a control plane that dies is said, and nothing is left', async () => {
  let pids: number[] = [];
  const ran = await demo([], /batch-1 \(/, ({ pid, kill }) => {
    pids = descendants(pid);
    const [plane] = pids;
    if (plane) kill(plane, 'SIGKILL');
  });
  expect(ran.output).toContain('The control plane ended in the middle of the run.');
  expect(ran.output).not.toContain('DEPLOYED');
  expect(ran.code).not.toBe(0);
  await nothingIsLeft(pids, ran.output);
});

it('a demo that is killed takes its control plane along', async () => {
  let pids: number[] = [];
  const ran = await demo([], /batch-1 \(/, ({ pid, kill }) => {
    pids = descendants(pid);
    kill(pid, 'SIGKILL');
  });
  const deadline = Date.now() + 30_000;
  while (running(pids).length && Date.now() < deadline) await new Promise((done) => setTimeout(done, 200));
  expect(running(pids)).toEqual([]);
  expect(ran.output).not.toContain('DEPLOYED');
});

it('an unknown argument is one line and exit code 2', async () => {
  const ran = await demo(['--brokn']);
  expect(ran).toEqual({
    code: 2,
    output: ran.stderr,
    stderr: 'error: unknown argument "--brokn"\nnext: pnpm demo [--broken]\n',
  });
});
