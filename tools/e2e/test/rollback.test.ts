/** Tags that ask for a rollback, pushed with git itself and read by the script of the example. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { pathOf } from './files.js';

let root: string;
let sha: string;
const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=ada', '-c', 'user.email=ada@example.com', ...args], {
    cwd: join(root, 'work'),
    encoding: 'utf8',
  }).trim();

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fleet-rollback-'));
  mkdirSync(join(root, 'work'));
  git('init', '--quiet', '--initial-branch=main');
  git('init', '--quiet', '--bare', '../server.git');
  writeFileSync(join(root, 'work/image.sh'), readFileSync(pathOf('examples/workspace-server/image.sh')));
  git('add', '.');
  git('commit', '--quiet', '-m', 'first');
  sha = git('rev-parse', 'HEAD');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function imageOf(ref: string) {
  const env = { ...process.env, GITHUB_REF: ref, GITHUB_OUTPUT: '' };
  return spawnSync('sh', [join(root, 'work/image.sh')], { env, encoding: 'utf8' });
}

it('a second rollback to the same image is a tag beside the first, and names the same image', () => {
  const image = `main-${sha.slice(0, 7)}`;
  const tags = [`rollback/staging/${image}`, `rollback/staging/${image}@2`, `rollback/staging/${image}@3`];
  for (const tag of tags) {
    git('tag', tag);
    git('push', '--quiet', '../server.git', `refs/tags/${tag}`);
  }
  expect(git('ls-remote', '--tags', '../server.git').split('\n')).toHaveLength(tags.length);
  for (const tag of tags) expect(imageOf(`refs/tags/${tag}`).stdout).toBe(`tag=${image}\nsha=${sha}\n`);
});

it('the documentation shows tags that git takes beside each other', () => {
  const text = readFileSync(pathOf('examples/workspace-server/README.md'), 'utf8');
  const shown = new Set(text.match(/rollback\/staging\/[\w.@/-]*\w/g));
  expect(shown.size).toBe(2);
  for (const tag of shown) git('tag', tag);
});

it('no commit, no image: an error that says so', () => {
  const { status, stdout } = imageOf('refs/tags/rollback/staging/main-abcdef0');
  expect([status, stdout]).toEqual([2, expect.stringContaining('no commit of this repository begins with')]);
});
