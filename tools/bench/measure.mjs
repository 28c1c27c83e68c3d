// Runs programs and takes their time, processor time and memory; every figure of a table comes from one run of one script.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const quick = process.argv.includes('--quick');
export const here = (path) => fileURLToPath(new URL(path, import.meta.url));
export const CLI = process.env.BENCH_CLI ?? here('../../packages/fleet-cli/dist/cli.js');
/** Little else than PATH, so that the settings of a CI job that runs this do not reach what is measured. */
export const env = { PATH: process.env.PATH, FLEET_CP_TOKEN: 'bench-token-0123456789' };

/** Milliseconds that a program takes from start to exit. */
export function timeOf(command, args, { allowed = [0], more = {} } = {}) {
  const started = performance.now();
  const { status, stderr, error } = spawnSync(command, args, {
    env: { ...env, ...more },
    encoding: 'utf8',
    maxBuffer: 1e9,
  });
  if (error) throw error;
  if (!allowed.includes(status))
    throw new Error(`${command} ${args[0]} ended with ${status}: ${stderr.slice(0, 500)}`);
  return performance.now() - started;
}

/** What a Node program takes: `ms` in all, `cpuMs` of processor time, `mib` resident at its peak. */
export function usageOf(args, options = {}) {
  const file = join(tmpdir(), `fleet-bench-${process.pid}.json`);
  const preload = ['--import', here('./preload.mjs')];
  const more = { ...options.more, BENCH_USAGE: file };
  const ms = timeOf(process.execPath, [...preload, ...args], { ...options, more });
  const used = JSON.parse(readFileSync(file, 'utf8'));
  rmSync(file);
  return { ms, ...used };
}

/** Takes the candidates in turns, so that drift of the machine hits all alike; returns what each took, in rounds. */
export function inTurns(candidates, rounds) {
  const taken = Object.fromEntries(Object.keys(candidates).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, take] of Object.entries(candidates)) taken[name].push(take());
  }
  return taken;
}

export const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
export const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
export const medianOf = (taken, field) => median(taken.map((one) => one[field]));

/** The value below which a share of all lie. */
export const quantile = (numbers, share) =>
  [...numbers].sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * share))];

/** Starts a fleet of loopback tenants, and the control plane that lists it; see tenants.mjs. */
export async function tenants(options) {
  const child = spawn(process.execPath, [here('./tenants.mjs'), JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env,
  });
  const [ports] = await once(child.stdout, 'data');
  const [port, tenantPort] = String(ports).trim().split(' ');
  return {
    controlPlane: `http://127.0.0.1:${port}`,
    template: options.tls
      ? `https://{slug}.fleet.localhost:${tenantPort}`
      : `http://127.0.0.1:${tenantPort}/{slug}`,
    stop: async () => {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

/** A key and a certificate of its own making, for the hosts of tenants over TLS. */
export function certificate() {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-bench-'));
  const tls = { key: join(folder, 'key.pem'), cert: join(folder, 'cert.pem') };
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-keyout', tls.key, '-out', tls.cert, '-subj', '/CN=bench'],
    ...['-addext', 'subjectAltName=DNS:*.fleet.localhost'],
  ]);
  if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`);
  return { tls, remove: () => rmSync(folder, { recursive: true }) };
}

/** Arguments of a verification of the whole fleet. */
export const verify = (fleet, target, ...more) => [
  CLI,
  ...['verify', '--quiet', '--control-plane', fleet.controlPlane, '--tenant-url', fleet.template],
  ...['--expected-sha', target, ...more],
];

/** Prints a table in Markdown. */
export function table(title, head, rows) {
  console.log(`\n### ${title}\n`);
  for (const row of [head, head.map(() => '---'), ...rows]) console.log(`| ${row.join(' | ')} |`);
}

export const ratio = (ours, other) => (ours / other).toFixed(ours / other < 10 ? 2 : 0);
export const ms = (number) =>
  number < 10_000 ? `${number.toFixed(0)} ms` : `${(number / 1000).toFixed(1)} s`;

/**
 * Fails the bench on a gross regression. The bound is far from what is measured, since a busy machine must not turn it
 * red.
 */
export function grossly(what, value, bound) {
  if (value <= bound) return;
  console.error(`\nGROSS REGRESSION: ${what} is ${value.toFixed(2)}, and must not be above ${bound}`);
  process.exitCode = 1;
}
