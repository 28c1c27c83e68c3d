/** Runs the built command as a process of its own, in an empty folder and with nothing but PATH in its environment. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DOCUMENTS } from '@tenant-fleet/fleet-core/documents';
import { expect } from 'vitest';

/** Variables that every run gets, whatever it is given besides. */
export const everyRun: Record<string, string> = {};

export const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
export const TOKEN = 'token-3f9c1d-never-print-me';
export const SHA = 'abcdef1234567890abcdef1234567890abcdef12';

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: Record<string, string>;
  cwd?: string;
  /** Called whenever something was printed. */
  onOutput?: (so: { stdout: string; stderr: string; kill: (signal: NodeJS.Signals) => void }) => void;
}

export const fleet = (args: string[], options: RunOptions = {}): Promise<Ran> =>
  run(process.execPath, [CLI, ...args], options);

function run(program: string, args: string[], options: RunOptions): Promise<Ran> {
  const child = spawn(program, args, {
    cwd: options.cwd ?? tmpdir(),
    env: { PATH: process.env.PATH, FLEET_CP_TOKEN: TOKEN, ...everyRun, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  const told = () => options.onOutput?.({ stdout, stderr, kill: (signal) => void child.kill(signal) });
  child.stdout.on('data', (data) => {
    stdout += data;
    told();
  });
  child.stderr.on('data', (data) => {
    stderr += data;
    told();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** Whether this machine can make a terminal for {@link atTerminal}. */
export const hasPty = spawnSync('script', ['--version']).status === 0;

/** All that the command writes at a terminal of that width. */
export async function atTerminal(columns: number, args: string[], options: RunOptions = {}): Promise<string> {
  const command = [process.execPath, CLI, ...args].map((word) => `'${word}'`).join(' ');
  const env = { TERM: 'dumb', ...options.env };
  const script = ['-qec', `stty cols ${columns}; ${command}`, '/dev/null'];
  return (await run('script', script, { ...options, env })).stdout.replaceAll('\r', '');
}

/** Runs the command at a terminal, and types each answer once its question stands there. */
export function answered(args: string[], answers: Record<string, string>, { env, cwd }: RunOptions = {}) {
  const command = [process.execPath, CLI, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { PATH: process.env.PATH, FLEET_CP_TOKEN: TOKEN, TERM: 'dumb', ...everyRun, ...env },
    cwd,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const open = new Map(Object.entries(answers));
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
    for (const [question, answer] of open) {
      if (!output.includes(question)) continue;
      child.stdin.write(answer);
      open.delete(question);
    }
  });
  return new Promise<{ code: number | null; output: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, output: output.replaceAll('\r', '') })),
  );
}

/** A temporary folder; remove it with the returned function. */
export function folder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'fleet-cli-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** The document that a command printed, held against its schema: nothing is missing, and nothing is there that it lacks. */
// biome-ignore lint/suspicious/noExplicitAny: what the document is, its schema says
export function checked(stdout: string): any {
  const document = JSON.parse(stdout);
  const schema = DOCUMENTS[document.schema as keyof typeof DOCUMENTS];
  expect([document.schema, schema?.parse(document)]).toEqual([document.schema, document]);
  return document;
}

/** A server on loopback that refuses every token and counts what reaches it. */
export async function countingServer() {
  const seen: string[] = [];
  const traceparents: unknown[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    traceparents.push(request.headers.traceparent);
    response.writeHead(401).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, seen, traceparents, close: () => new Promise((resolve) => server.close(resolve)) };
}
