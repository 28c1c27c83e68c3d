/** A copy of the code to put faults into. */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGES = ['fleet-core', 'fleet-control-plane'];
const PARTS = ['src', 'test', 'migrations', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
/** A test that a fault keeps from ending has seen it too. */
const HANGS_AFTER_MS = 180_000;
const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Every patch of a fault, the one of its own first. */
const patchesOf = (mutant) => [
  mutant,
  ...(mutant.with ?? []).map((more) => ({ file: mutant.file, ...more })),
];

export class Workspace {
  #folder;
  #child;

  constructor(folder) {
    this.#folder = folder;
  }

  static async make() {
    const folder = await mkdtemp(join(tmpdir(), 'fleet-mutants-'));
    for (const name of ['package.json', 'tsconfig.base.json']) await cp(join(root, name), join(folder, name));
    for (const name of PACKAGES) {
      const from = join(root, 'packages', name);
      const to = join(folder, 'packages', name);
      await mkdir(to, { recursive: true });
      for (const part of PARTS) {
        await cp(join(from, part), join(to, part), { recursive: true }).catch((error) => {
          if (error.code !== 'ENOENT') throw error;
        });
      }
      await symlink(join(from, 'node_modules'), join(to, 'node_modules'));
    }
    return new Workspace(folder);
  }

  /** @returns why a fault cannot be put in, or null. */
  async tryOn(mutant) {
    const { before, problem } = await this.#apply(mutant);
    await restore(before);
    return problem;
  }

  /** @returns the file and test that are red first, or what is broken about the file; null: no test sees the fault. */
  async firstRed(mutant, files) {
    const { before } = await this.#apply(mutant);
    try {
      for (const file of files) {
        const test = await this.#run(file);
        if (test === 'the file did not run') return { broken: `${file} did not run` };
        if (test) return { file: file.replace(/^fleet-|test\/|\.test\.ts$/g, ''), test };
      }
      return null;
    } finally {
      await restore(before);
    }
  }

  /** Ends what runs, and removes the copy. */
  kill() {
    if (this.#child?.pid) {
      try {
        // The whole group: the tests have a database server of their own.
        process.kill(-this.#child.pid, 'SIGTERM');
      } catch {
        // It has ended already.
      }
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** @returns the files before the fault, by path, and why it cannot be put in. */
  async #apply(mutant) {
    const before = new Map();
    for (const { file, from, to } of patchesOf(mutant)) {
      const path = join(this.#folder, 'packages', file);
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
  async #run(file) {
    const [name, ...rest] = file.split('/');
    const cwd = join(this.#folder, 'packages', name);
    const vitest = join(cwd, 'node_modules/vitest/vitest.mjs');
    const args = [vitest, 'run', '--bail=1', '--reporter=json', '--outputFile=result.json', rest.join('/')];
    await rm(join(cwd, 'result.json'), { force: true });
    // That it is red is enough; the smallest case of it is for people.
    const env = { ...process.env, FLEET_TEST_SHRINK: 'off' };
    const child = spawn(process.execPath, args, { cwd, detached: true, stdio: 'ignore', env });
    this.#child = child;
    const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), HANGS_AFTER_MS);
    const code = await new Promise((resolve) => child.on('close', resolve));
    clearTimeout(timer);
    this.#child = undefined;
    if (code === 0) return null;
    const report = await readFile(join(cwd, 'result.json'), 'utf8').then(JSON.parse, () => null);
    const failed = report?.testResults
      .flatMap((one) => one.assertionResults)
      .find((one) => one.status === 'failed');
    return failed ? failed.fullName : code === null ? 'it hung' : 'the file did not run';
  }
}

async function restore(before) {
  for (const [path, text] of before) await writeFile(path, text);
}
