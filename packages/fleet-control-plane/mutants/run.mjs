/**
 * Mutation gate of the lock and of the incident rows: puts one fault at a time into a copy of the code and demands that a test sees it.
 *
 *   node mutants/run.mjs [--quick] [--only PATTERN] [--tests FILE,...]
 *
 * --quick tries the faults that a test without a database sees, and asks only that; --tests asks these files instead.
 * The working tree is never written to.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { client } from './client.mjs';
import { incidents } from './incidents.mjs';
import { rolls } from './rolls.mjs';
import { server } from './server.mjs';
import { stamp } from './stamp.mjs';

const PACKAGES = ['fleet-core', 'fleet-control-plane'];
/** Test files that start no database server. */
const LIGHT = /fleet-core|(claims|transitions|rules|observe|lanes)\.test/;
/** A test that a fault keeps from ending has seen it too. */
const HANGS_AFTER_MS = 180_000;
const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    tests: { type: 'string', default: '' },
  },
});

const workspace = await mkdtemp(join(tmpdir(), 'fleet-mutants-'));
let child;
const stop = (code) => {
  if (child?.pid) {
    try {
      // The whole group: the tests have a database server of their own.
      process.kill(-child.pid, 'SIGTERM');
    } catch {
      // It has ended already.
    }
  }
  rmSync(workspace, { recursive: true, force: true });
  process.exit(code);
};
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
])
  process.on(signal, () => stop(code));

async function copy() {
  for (const name of ['package.json', 'tsconfig.base.json'])
    await cp(join(root, name), join(workspace, name));
  for (const name of PACKAGES) {
    const from = join(root, 'packages', name);
    const to = join(workspace, 'packages', name);
    await mkdir(to, { recursive: true });
    for (const part of ['src', 'test', 'migrations', 'package.json', 'tsconfig.json', 'vitest.config.ts']) {
      await cp(join(from, part), join(to, part), { recursive: true }).catch((error) => {
        if (error.code !== 'ENOENT') throw error;
      });
    }
    await symlink(join(from, 'node_modules'), join(to, 'node_modules'));
  }
}

/** Every patch of a fault, the one of its own first. */
const patchesOf = (mutant) => [
  mutant,
  ...(mutant.with ?? []).map((more) => ({ file: mutant.file, ...more })),
];

/** @returns the files before the fault, by path, or why it cannot be put in. */
async function apply(mutant) {
  const before = new Map();
  for (const { file, from, to } of patchesOf(mutant)) {
    const path = join(workspace, 'packages', file);
    const text = await readFile(path, 'utf8');
    if (!before.has(path)) before.set(path, text);
    const times = text.split(from).length - 1;
    if (times !== 1) return { before, problem: `${file} has ${times} times: ${from.split('\n')[0]}` };
    await writeFile(
      path,
      text.replace(from, () => to),
    );
  }
  return { before, problem: null };
}

/** @returns the first test that is red, or null. */
async function firstRed(file) {
  const [name, ...rest] = file.split('/');
  const cwd = join(workspace, 'packages', name);
  const args = ['vitest', 'run', '--bail=1', '--reporter=json', '--outputFile=result.json', rest.join('/')];
  await rm(join(cwd, 'result.json'), { force: true });
  // That it is red is enough; the smallest case of it is for people.
  const env = { ...process.env, FLEET_TEST_SHRINK: 'off' };
  child = spawn('npx', args, { cwd, detached: true, stdio: 'ignore', env });
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), HANGS_AFTER_MS);
  const code = await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  child = undefined;
  if (code === 0) return null;
  const report = await readFile(join(cwd, 'result.json'), 'utf8').then(JSON.parse, () => null);
  const failed = report?.testResults
    .flatMap((one) => one.assertionResults)
    .find((one) => one.status === 'failed');
  return failed ? failed.fullName : code === null ? 'it hung' : 'the file did not run';
}

async function judge(mutant) {
  const { before, problem } = await apply(mutant);
  try {
    if (problem) return { ok: false, text: `STALE: ${problem}` };
    const tests = values.tests ? values.tests.split(',') : mutant.caughtBy;
    for (const file of values.quick ? tests.slice(0, 1) : tests) {
      const red = await firstRed(file);
      if (red === 'the file did not run') return { ok: false, text: `BROKEN: ${file} did not run` };
      if (red) return { ok: true, text: `${file.replace(/^fleet-|test\/|\.test\.ts$/g, '')}: ${red}` };
    }
    return { ok: false, text: 'SURVIVED' };
  } finally {
    for (const [path, text] of before) await writeFile(path, text);
  }
}

const all = [...rolls, ...server, ...stamp, ...client, ...incidents].filter(({ name }) =>
  new RegExp(values.only).test(name),
);
let failures = 0;
try {
  await copy();
  const started = performance.now();
  // What cannot be put in any more is told of every fault, also where only some are tried.
  for (const mutant of all) {
    if (values.quick && !LIGHT.test(mutant.caughtBy[0])) {
      const { before, problem } = await apply(mutant);
      for (const [path, text] of before) await writeFile(path, text);
      if (!problem) continue;
    }
    const begun = performance.now();
    const { ok, text } = await judge(mutant);
    if (!ok) failures += 1;
    const seconds = ((performance.now() - begun) / 1000).toFixed(0).padStart(3);
    console.log(`${ok ? 'caught  ' : 'NOT SEEN'} ${seconds} s  ${mutant.name.padEnd(40)}  ${text}`);
  }
  const minutes = ((performance.now() - started) / 60_000).toFixed(1);
  console.log(`${all.length} faults known, ${failures} not seen, ${minutes} min`);
} finally {
  await rm(workspace, { recursive: true, force: true });
}
process.exit(failures > 0 ? 1 : 0);
