/** Checks what a runner will execute: the files that action.yml names, alone in an empty folder. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { ReleaseError } from './errors.js';

interface ActionManifest {
  runs?: { main?: string; post?: string };
}

/** @throws ReleaseError `BUNDLE` */
export function checkBundle(actionDir: string): void {
  const { runs } = parse(readFileSync(join(actionDir, 'action.yml'), 'utf8')) as ActionManifest;
  const files = { main: runs?.main, post: runs?.post };
  for (const [key, file] of Object.entries(files)) {
    if (!file) throw broken(`action.yml names no runs.${key}`);
    if (!existsSync(join(actionDir, file)))
      throw broken(`action.yml names ${file} as runs.${key}, which the build did not make`);
  }
  const temp = mkdtempSync(join(tmpdir(), 'fleet-bundle-'));
  try {
    for (const file of Object.values(files) as string[]) {
      mkdirSync(dirname(join(temp, file)), { recursive: true });
      cpSync(join(actionDir, file), join(temp, file));
    }
    const main = runAlone(join(temp, files.main ?? ''), temp);
    // Without inputs the first required one is missing: the code of a usage error, in words.
    if (main.code !== 2 || !/^ERROR: \S/m.test(main.output) || /^\s+at .+:\d+/m.test(main.output)) {
      throw broken(`${files.main} without inputs ended with ${main.code} and not with a usage error`);
    }
    const post = runAlone(join(temp, files.post ?? ''), temp);
    if (post.code !== 0) throw broken(`${files.post} on its own ended with ${post.code}`);
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
}

function broken(message: string): ReleaseError {
  return new ReleaseError(
    'BUNDLE',
    message,
    'run "npx -y pnpm@10 test" in packages/fleet-action; nothing was tagged',
  );
}

/** Without the environment of a job, so that no input reaches it. */
function runAlone(file: string, cwd: string): { code: number; output: string } {
  const done = spawnSync(process.execPath, [file], { cwd, env: {}, encoding: 'utf8', timeout: 60_000 });
  return { code: done.status ?? -1, output: `${done.stdout}\n${done.stderr}` };
}
