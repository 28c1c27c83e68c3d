// Runs programs and takes their time and memory; every figure of a table comes from one run of one script.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const here = (path) => fileURLToPath(new URL(path, import.meta.url));
export const CLI = here('../../packages/fleet-cli/dist/cli.js');
/** PATH alone, so that the settings of a CI job that runs this do not reach what is measured. */
const env = { PATH: process.env.PATH };

/** Milliseconds that a program takes from start to exit. */
export function timeOf(command, args, allowedCodes = [0]) {
  const started = performance.now();
  const { status, stderr, error } = spawnSync(command, args, { env, encoding: 'utf8' });
  if (error) throw error;
  if (!allowedCodes.includes(status))
    throw new Error(`${command} ${args[0]} ended with ${status}: ${stderr.slice(0, 500)}`);
  return performance.now() - started;
}

/** MiB that a Node program had resident at its peak. */
export function peakMiB(args) {
  const file = join(tmpdir(), `fleet-bench-${process.pid}.rss`);
  const hook = `data:text/javascript,${encodeURIComponent(
    `import { writeFileSync } from 'node:fs'; process.on('exit', () => writeFileSync(${JSON.stringify(file)}, String(process.resourceUsage().maxRSS)));`,
  )}`;
  timeOf(process.execPath, ['--import', hook, ...args], [0, 1]);
  const peak = Number(readFileSync(file, 'utf8')) / 1024;
  rmSync(file);
  return peak;
}

/** Takes the candidates in turns, so that drift of the machine hits all alike; returns the median of each. */
export function medians(candidates, rounds) {
  const taken = Object.fromEntries(Object.keys(candidates).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, take] of Object.entries(candidates)) taken[name].push(take());
  }
  return Object.fromEntries(Object.entries(taken).map(([name, times]) => [name, median(times)]));
}

export const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Starts a fleet of loopback tenants. */
export async function tenants(count, stuck, delayMs) {
  const child = spawn(process.execPath, [here('./tenants.mjs'), count, stuck, delayMs].map(String), {
    stdio: ['pipe', 'pipe', 'inherit'],
    env,
  });
  const [port] = await once(child.stdout, 'data');
  return {
    prefix: `http://127.0.0.1:${String(port).trim()}`,
    slugs: Array.from({ length: count }, (_, index) => `t${index}`),
    stop: async () => {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

/** Prints a table in Markdown. */
export function table(title, head, rows) {
  console.log(`\n### ${title}\n`);
  for (const row of [head, head.map(() => '---'), ...rows]) console.log(`| ${row.join(' | ')} |`);
}

export const ratio = (ours, other) => (ours / other).toFixed(ours / other < 10 ? 2 : 0);
