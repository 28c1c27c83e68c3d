/** A copy of this repository with a remote and a registry of its own, and the built tool that releases it. */
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type FakeRegistry, serveGit, serveRegistry } from './http.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const TOOL = fileURLToPath(new URL('../dist/release.js', import.meta.url));
/** With what means something to shells and to patterns, should it ever end up in one. */
export const TOKEN = 'pat-5f1c$&9e';

const IDENTITY = { GIT_AUTHOR_NAME: 'fleet release', GIT_AUTHOR_EMAIL: 'release@example.com' };

export interface World {
  temp: string;
  /** Working tree on main. */
  repo: string;
  /** Bare repository that `origin` names. */
  origin: string;
  registry: FakeRegistry;
  /** All that the tool has written. */
  heard(): string;
  release(args: string[], options?: { cwd?: string; env?: Record<string, string> }): Promise<Ended>;
  git(...args: string[]): string;
  gitIn(cwd: string, ...args: string[]): string;
  commit(message: string, files: Record<string, string>): void;
  close(): Promise<void>;
}

export interface Ended {
  code: number | null;
  output: string;
}

export async function makeWorld(): Promise<World> {
  const temp = mkdtempSync(join(tmpdir(), 'fleet-release-'));
  const [repo, origin] = [join(temp, 'repo'), join(temp, 'git/fleet.git')];
  const heard: string[] = [];
  const registry = await serveRegistry(TOKEN);
  const remote = await serveGit(join(temp, 'git'), TOKEN);
  const env = {
    ...process.env,
    ...IDENTITY,
    GIT_COMMITTER_NAME: IDENTITY.GIT_AUTHOR_NAME,
    GIT_COMMITTER_EMAIL: IDENTITY.GIT_AUTHOR_EMAIL,
    // What stands in this machine's own files may sign tags or rewrite addresses.
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
  };
  const gitIn = (cwd: string, ...args: string[]) =>
    execFileSync('git', args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trimEnd();

  const files = gitIn(ROOT, 'ls-files', '-z', '--cached', '--others', '--exclude-standard').split('\0');
  const gone = new Set(gitIn(ROOT, 'ls-files', '-z', '--deleted').split('\0'));
  for (const file of files) if (file && !gone.has(file)) cpSync(join(ROOT, file), join(repo, file));
  gitIn(temp, 'init', '--quiet', '--bare', '-b', 'main', origin);
  gitIn(origin, 'config', 'http.receivepack', 'true');
  gitIn(temp, 'init', '--quiet', '-b', 'main', repo);
  gitIn(repo, 'remote', 'add', 'origin', `${remote.url}/fleet.git`);
  const install = ['-y', 'pnpm@10', 'install', '--frozen-lockfile', '--prefer-offline'];
  execFileSync('npx', install, { cwd: repo, stdio: ['ignore', 'pipe', 'pipe'] });

  const world: World = {
    temp,
    repo,
    origin,
    registry,
    heard: () => heard.join(''),
    async release(args, options = {}) {
      const child = spawn(process.execPath, [TOOL, ...args], {
        cwd: options.cwd ?? repo,
        env: {
          ...env,
          NPM_REGISTRY: registry.url,
          NPM_TOKEN: TOKEN,
          RELEASE_TOKEN: TOKEN,
          // npm's pauses before it asks again are not what is tested here.
          npm_config_fetch_retries: '0',
          ...options.env,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const ended = await end(child);
      heard.push(ended.output);
      return ended;
    },
    git: (...args) => gitIn(repo, ...args),
    gitIn,
    commit(message, changed) {
      for (const [path, content] of Object.entries(changed)) {
        mkdirSync(dirname(join(repo, path)), { recursive: true });
        writeFileSync(join(repo, path), content);
      }
      gitIn(repo, 'add', '--all');
      gitIn(repo, 'commit', '--quiet', '-m', message);
    },
    async close() {
      await Promise.all([registry.close(), remote.close()]);
      rmSync(temp, { recursive: true, force: true });
    },
  };
  world.commit('The repository', {
    '.changeset/test.md': changeset('minor', 'Something that users notice.'),
  });
  gitIn(repo, 'push', '--quiet', origin, 'main');
  return world;
}

/** Runs without blocking: the servers of this world answer from the same process. */
export function exec(cwd: string, command: string, ...args: string[]): Promise<Ended> {
  return end(spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] }));
}

async function end(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Ended> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output };
}

export function changeset(bump: string, text: string): string {
  return `---\n'@tenant-fleet/fleet-core': ${bump}\n---\n\n${text}\n`;
}
