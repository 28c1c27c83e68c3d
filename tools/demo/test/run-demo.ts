/** Runs the built demo and looks for what it leaves behind: processes, ports, files. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect } from 'vitest';

const DEMO = fileURLToPath(new URL('../dist/demo.js', import.meta.url));

/** The temporary folder of the demo that is run, a new one for each test. */
export let temp: string;
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
export async function demo(args: string[], when?: RegExp, act?: (seen: Seen) => void) {
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
export function descendants(root: number): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const pairs = rows.map((row) => row.trim().split(/\s+/).map(Number) as [number, number]);
  const below = (pid: number): number[] =>
    pairs.filter(([, parent]) => parent === pid).flatMap(([child]) => [child, ...below(child)]);
  return below(root);
}

/** A zombie that nobody in a container reaps is not a process that runs. */
export function running(pids: number[]): number[] {
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

export async function nothingIsLeft(pids: number[], output: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (running(pids).length && Date.now() < deadline) await new Promise((done) => setTimeout(done, 100));
  expect(running(pids)).toEqual([]);
  expect(ports(output).length).toBe(2);
  for (const port of ports(output)) expect(await isOpen(port)).toBe(false);
  expect(readdirSync(temp)).toEqual([]);
}
