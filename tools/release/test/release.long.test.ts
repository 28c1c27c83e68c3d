/** One release after the other, as the workflow runs them: each test stands on the state that the one before left. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { basicCredentials } from '../src/output.js';
import { changeset, exec, makeWorld, TOKEN, type World } from './world.js';

const ACTION = 'packages/fleet-action';
const RELEASED = [
  'fleet-core',
  'fleet-lint',
  'fleet-conformance',
  'fleet-cli',
  'fleet-action',
  'fleet-control-plane',
];
const PUBLISHED = [
  '@tenant-fleet/fleet-core',
  '@tenant-fleet/fleet-lint',
  '@tenant-fleet/fleet-conformance',
  '@tenant-fleet/fleet-cli',
  '@tenant-fleet/fleet-control-plane',
];

let world: World;
let version = '';
/** What the dry run said that the tag would be. */
let announced = '';
beforeAll(async () => {
  world = await makeWorld();
});
afterAll(() => world.close());

const versionOf = (name: string): string =>
  JSON.parse(readFileSync(join(world.repo, 'packages', name, 'package.json'), 'utf8')).version;
const onOrigin = (...args: string[]) => world.gitIn(world.origin, ...args);
const tags = () => onOrigin('tag').split('\n').filter(Boolean);

describe('before there is a version', () => {
  it('refuses a working tree that differs from its commit, and names the file', async () => {
    writeFileSync(join(world.repo, 'notes.txt'), 'not committed');
    for (const command of ['version', 'tag', 'publish']) {
      const { code, output } = await world.release([command]);
      expect(code, output).toBe(1);
      expect(output).toContain('notes.txt (DIRTY)');
    }
    rmSync(join(world.repo, 'notes.txt'));
  });

  it('refuses to tag or publish while changesets are pending', async () => {
    for (const command of ['tag', 'publish']) {
      const { code, output } = await world.release([command]);
      expect(code, output).toBe(1);
      expect(output).toMatch(/test\.md.*\(PENDING_CHANGESETS\)/);
    }
  });

  it('makes versions on the release branch alone', async () => {
    world.git('switch', '--quiet', '-c', 'feature');
    const { code, output } = await world.release(['version']);
    expect(code, output).toBe(1);
    expect(output).toContain('and this is feature (BRANCH)');
    world.git('switch', '--quiet', 'main');
  });
});

describe('version', () => {
  it('gives all released packages one higher version, in one commit that passes the format check', async () => {
    const before = versionOf('fleet-core');
    const { code, output } = await world.release(['version']);
    expect(code, output).toBe(0);
    version = versionOf('fleet-core');
    expect(version).not.toBe(before);
    expect(RELEASED.map(versionOf)).toEqual(RELEASED.map(() => version));
    expect(output).toContain(`${before} -> ${version}`);

    expect(world.git('log', '-1', '--format=%s')).toBe(`Release ${version}`);
    expect(world.git('status', '--porcelain')).toBe('');
    expect(readdirSync(join(world.repo, '.changeset')).sort()).toEqual(['README.md', 'config.json']);
    expect(readFileSync(join(world.repo, 'packages/fleet-core/CHANGELOG.md'), 'utf8')).toContain(
      'Something that users notice.',
    );
    // What is never released gets neither version nor changelog.
    const changed = world.git('show', '--name-only', '--format=', 'HEAD').split('\n');
    expect(
      changed.filter(
        (path) =>
          !/^(\.changeset|packages\/fleet-(core|lint|cli|action|conformance|control-plane))\/|^(README|docs\/|examples\/)/.test(
            path,
          ),
      ),
    ).toEqual([]);
    const formatted = changed.filter((path) => path.endsWith('package.json'));
    const biome = await exec(
      world.repo,
      join(world.repo, 'node_modules/.bin/biome'),
      'ci',
      '--colors=off',
      ...formatted,
    );
    expect(biome.code, biome.output).toBe(0);
  });

  it('raises every pin that people may copy', () => {
    const pins = world.git(
      'grep',
      '-hoE',
      '(redeploy-fleet|fleet-action|fleet-cli)@v?[0-9.]+[0-9]',
      '--',
      '*.md',
      '*.yml',
      '*.sh',
    );
    expect(new Set(pins.split('\n').map((pin) => pin.replace(/.*@v?/, '')))).toEqual(new Set([version]));
  });

  it('has nothing to do the second time', async () => {
    const head = world.git('rev-parse', 'HEAD');
    const { code, output } = await world.release(['version']);
    expect(code, output).toBe(0);
    expect(output).toContain(`the version stays ${version}`);
    expect(world.git('rev-parse', 'HEAD')).toBe(head);
  });
});

describe('tag', () => {
  it('builds, checks and changes nothing in a dry run', async () => {
    const { code, output } = await world.release(['tag', '--push', 'origin', '--dry-run']);
    expect(code, output).toBe(0);
    announced = new RegExp(`^v${version} would be ([0-9a-f]{40})$`, 'm').exec(output)?.[1] ?? '';
    expect([tags(), world.git('tag')]).toEqual([[], '']);
    expect(onOrigin('rev-parse', 'main')).toBe(world.git('rev-parse', 'HEAD~1'));
  });

  it('publishes nothing that is not tagged', async () => {
    const { code, output } = await world.release(['publish', '--built']);
    expect(code, output).toBe(1);
    expect(output).toContain(`v${version} is not tagged (NOT_TAGGED)`);
  });

  it('refuses a bundle that does not run alone, and one that action.yml does not name', async () => {
    const bundle = join(world.repo, ACTION, 'dist/main.cjs');
    const built = readFileSync(bundle);
    for (const [broken, problem] of [
      ["require('no-such-module')", 'main.cjs without inputs ended with 1'],
      [null, 'action.yml names dist/main.cjs as runs.main'],
    ] as const) {
      if (broken) writeFileSync(bundle, broken);
      else rmSync(bundle);
      const { code, output } = await world.release(['tag', '--built']);
      expect(code, output).toBe(1);
      expect(output).toContain(problem);
      expect(output).toContain('(BUNDLE)');
    }
    writeFileSync(bundle, built);
    expect(world.git('tag')).toBe('');
  });

  it('says what a refused token lacks, without the token', async () => {
    const { code, output } = await world.release(['tag', '--built', '--push', 'origin'], {
      env: { RELEASE_TOKEN: 'wrong' },
    });
    expect(code, output).toBe(1);
    expect(output).toContain('write:repository');
    expect(tags()).toEqual([]);
  });

  it('pushes the branch, and a tag that carries the built action on top of it', async () => {
    const { code, output } = await world.release(['tag', '--built', '--push', 'origin']);
    expect(code, output).toBe(0);
    const head = world.git('rev-parse', 'HEAD');
    expect(onOrigin('rev-parse', 'main')).toBe(head);
    expect(tags()).toEqual([`v${version}`]);
    expect(onOrigin('rev-parse', `v${version}~1`)).toBe(head);
    // The same content is the same commit, whenever and by whom it is made.
    expect(onOrigin('rev-parse', `v${version}`)).toBe(announced);
    const built = ['THIRD-PARTY-NOTICES.txt', 'main.cjs', 'post.cjs', 'sbom.cdx.json'];
    expect(onOrigin('diff', '--name-status', 'main', `v${version}`).split('\n')).toEqual(
      built.map((file) => `A\t${ACTION}/dist/${file}`),
    );
    for (const file of built) {
      const path = `${ACTION}/dist/${file}`;
      const inTag = execFileSync('git', ['show', `v${version}:${path}`], {
        cwd: world.origin,
        maxBuffer: 2 ** 26,
      });
      expect(inTag.equals(readFileSync(join(world.repo, path))), path).toBe(true);
    }
    // A lightweight tag: the SHA that people see is the commit's.
    expect(onOrigin('cat-file', '-t', `v${version}`)).toBe('commit');
    expect([world.git('status', '--porcelain'), world.git('branch', '--show-current')]).toEqual(['', 'main']);
  });

  it('runs as an action from a fresh checkout of the tag', () => {
    const checkout = join(world.temp, 'checkout');
    world.gitIn(
      world.temp,
      'clone',
      '--quiet',
      '--depth=1',
      '-b',
      `v${version}`,
      `file://${world.origin}`,
      checkout,
    );
    let seen = '';
    try {
      execFileSync(process.execPath, [join(checkout, ACTION, 'dist/main.cjs')], { env: {}, stdio: 'pipe' });
    } catch (error) {
      seen = String((error as { stdout: Buffer }).stdout);
    }
    expect(seen).toContain('ERROR: --control-plane, ');
  });
});

describe('publish', () => {
  it('asks the registry and publishes nothing in a dry run', async () => {
    const { code, output } = await world.release(['publish', '--built', '--dry-run']);
    expect(code, output).toBe(0);
    expect(output.match(/: would be published$/gm)).toHaveLength(PUBLISHED.length);
    expect(output.match(/^[0-9a-f]{64} {2}tenant-fleet-fleet-.*\.tgz$/gm)).toHaveLength(PUBLISHED.length);
    expect(world.registry.puts).toEqual([]);
  });

  it.each([
    [{ NPM_TOKEN: 'wrong' }, 1, 'write:package'],
    [{ NPM_TOKEN: '' }, 2, 'NPM_TOKEN is missing'],
    [{ NPM_REGISTRY: '' }, 2, 'NPM_REGISTRY is missing'],
    [{ NPM_REGISTRY: 'http://git.example.com/api/packages/fleet/npm/' }, 2, 'over http://'],
    [{ NPM_REGISTRY: 'http://127.0.0.1:9/npm/' }, 1, 'ECONNREFUSED'],
  ])('refuses %j in words', async (env, exit, words) => {
    const { code, output } = await world.release(['publish', '--built'], { env });
    expect(code, output).toBe(exit);
    expect(output).toContain(words);
    expect(output).not.toMatch(/^\s+at /m);
    expect(world.registry.puts).toEqual([]);
  });

  it('stops at a package that the registry refuses, and says which', async () => {
    world.registry.next = 500;
    const { code, output } = await world.release(['publish', '--built']);
    expect(code, output).toBe(1);
    const [refused] = world.registry.puts.splice(0);
    expect(PUBLISHED).toContain(refused);
    expect(output).toContain(`${refused} ${version} was not published: E500 (REGISTRY)`);
  });

  it('publishes dependencies first, and takes a lost answer for what the registry then has', async () => {
    world.registry.next = 'lost';
    const { code, output } = await world.release(['publish', '--built']);
    expect(code, output).toBe(0);
    expect(output.match(new RegExp(` ${version}: published$`, 'gm'))).toHaveLength(PUBLISHED.length);
    expect([...world.registry.puts].sort()).toEqual([...PUBLISHED].sort());
    expect(world.registry.puts.indexOf('@tenant-fleet/fleet-core')).toBeLessThan(
      world.registry.puts.indexOf('@tenant-fleet/fleet-control-plane'),
    );
  });

  it('replaces the ranges that mean something only inside the workspace', () => {
    for (const name of PUBLISHED) {
      const { dependencies, devDependencies } = world.registry.packages.get(name)?.versions[version] ?? {};
      expect(devDependencies).toBeUndefined();
      expect(JSON.stringify({ dependencies })).not.toMatch(/"(workspace|catalog|link|file):/);
    }
    const plane = world.registry.packages.get('@tenant-fleet/fleet-control-plane')?.versions[version];
    expect(plane).toMatchObject({ dependencies: { '@tenant-fleet/fleet-core': version } });
  });

  it('is installed from the registry into an empty project, and runs', async () => {
    const project = join(world.temp, 'project');
    mkdirSync(project);
    const host = world.registry.url.replace('http:', '');
    writeFileSync(
      join(project, '.npmrc'),
      `@tenant-fleet:registry=${world.registry.url}\n${host}:_authToken=${TOKEN}\n`,
    );
    const [core, , , cli] = PUBLISHED;
    const dependencies = { [`${core}`]: version, [`${cli}`]: version };
    writeFileSync(
      join(project, 'package.json'),
      JSON.stringify({ private: true, type: 'module', dependencies }),
    );
    const installed = await exec(project, 'npx', '-y', 'pnpm@10', 'install', '--prefer-offline');
    expect(installed.code, installed.output).toBe(0);
    const fleet = await exec(project, join(project, 'node_modules/.bin/fleet'), '--version');
    expect(fleet.output.trim()).toBe(version);
    const script = `console.log(typeof (await import('${core}')).redeployFleet, typeof (await import('${core}/contract')))`;
    const imported = await exec(project, process.execPath, '--input-type=module', '-e', script);
    expect(imported.output.trim()).toBe('function object');
  });
});

describe('once more', () => {
  it('is built again from its tag, in another folder, to the same bytes', async () => {
    const copy = join(world.temp, 'somebody-else');
    execFileSync('git', ['clone', '--quiet', '--branch', `v${version}`, world.origin, copy]);
    await exec(copy, 'npx', '-y', 'pnpm@10', 'install', '--frozen-lockfile', '--prefer-offline');
    const { code, output } = await world.release(['checksums'], { cwd: copy });
    expect(code, output).toBe(0);
    for (const name of PUBLISHED)
      expect(output).toContain(
        `${name}@${version} ${world.registry.packages.get(name)?.versions[version]?.dist.integrity}\n`,
      );
  });

  it('finds all done and succeeds', async () => {
    const before = [world.git('rev-parse', 'HEAD'), onOrigin('show-ref'), world.registry.puts.length];
    world.git('tag', '-d', `v${version}`);
    for (const args of [['version'], ['tag', '--built', '--push', 'origin'], ['publish', '--built']]) {
      const { code, output } = await world.release(args);
      expect(code, output).toBe(0);
      if (args[0] === 'tag') expect(output).toContain(`v${version} is already there`);
      if (args[0] === 'publish')
        expect(output.match(/: already published$/gm)).toHaveLength(PUBLISHED.length);
      expect(output).not.toMatch(/: published$/m);
    }
    expect([world.git('rev-parse', 'HEAD'), onOrigin('show-ref'), world.registry.puts.length]).toEqual(
      before,
    );
  });

  it('finds all done where another run released the same work', async () => {
    const before = [onOrigin('show-ref'), world.registry.puts.length];
    world.git('switch', '--quiet', '--force-create', 'main', `v${version}~2`);
    for (const args of [['version'], ['tag', '--built', '--push', 'origin'], ['publish', '--built']]) {
      const { code, output } = await world.release(args);
      expect(code, output).toBe(0);
    }
    // Its version commit is another one, made later, and goes nowhere.
    expect(world.git('rev-parse', 'HEAD')).not.toBe(onOrigin('rev-parse', 'main'));
    expect([onOrigin('show-ref'), world.registry.puts.length]).toEqual(before);
    world.git('switch', '--quiet', '--force-create', 'main', `v${version}~1`);
  });

  it('takes a 409 for published, where the registry lists nothing', async () => {
    const core = world.registry.packages.get('@tenant-fleet/fleet-core');
    world.registry.packages.delete('@tenant-fleet/fleet-core');
    world.registry.next = 409;
    const { code, output } = await world.release(['publish', '--built']);
    expect(code, output).toBe(0);
    expect(output).toContain(`fleet-core ${version}: already published`);
    if (core) world.registry.packages.set('@tenant-fleet/fleet-core', core);
  });

  it('finishes an older release on its tag, and pushes nothing to the branch from there', async () => {
    world.commit('Later work', { 'later.txt': 'later' });
    world.gitIn(world.repo, 'push', '--quiet', world.origin, 'main');
    const main = onOrigin('rev-parse', 'main');
    world.git('checkout', '--quiet', '--detach', `v${version}`);
    for (const args of [['version'], ['tag', '--built', '--push', 'origin'], ['publish', '--built']]) {
      const { code, output } = await world.release(args);
      expect(code, output).toBe(0);
    }
    expect(onOrigin('rev-parse', 'main')).toBe(main);
    // The checkout of main takes the files of the tag away with it.
    cpSync(join(world.repo, ACTION, 'dist'), join(world.temp, 'dist'), { recursive: true });
    world.git('checkout', '--quiet', 'main');
    cpSync(join(world.temp, 'dist'), join(world.repo, ACTION, 'dist'), { recursive: true });
  });

  it('refuses a version whose tag has other content, and publishes nothing', async () => {
    const before = world.registry.puts.length;
    const again = await world.release(['tag', '--built', '--push', 'origin']);
    expect(again.code, again.output).toBe(1);
    expect(again.output).toContain(`v${version} exists and has other content`);
    expect(again.output).toContain('add a changeset');
    const publish = await world.release(['publish', '--built']);
    expect(publish.code, publish.output).toBe(1);
    expect(publish.output).toContain(`v${version} has other content than this commit (NOT_TAGGED)`);
    expect(world.registry.puts.length).toBe(before);
  });

  it('lets one of two releases at once win, and the other one change nothing', async () => {
    world.commit('More work', { '.changeset/more.md': changeset('patch', 'More.') });
    world.gitIn(world.repo, 'push', '--quiet', world.origin, 'main');
    expect((await world.release(['version'])).code).toBe(0);
    const next = versionOf('fleet-core');
    // Somebody merges in between.
    const other = join(world.temp, 'other');
    world.gitIn(world.temp, 'clone', '--quiet', world.origin, other);
    writeFileSync(join(other, 'merged.txt'), 'merged');
    world.gitIn(other, 'add', '--all');
    world.gitIn(other, 'commit', '--quiet', '-m', 'Merged meanwhile');
    world.gitIn(other, 'push', '--quiet', 'origin', 'main');

    const { code, output } = await world.release(['tag', '--built', '--push', 'origin']);
    expect(code, output).toBe(1);
    expect(output).toContain('(PUSH_REJECTED)');
    expect(output).toContain('run the release again');
    expect(tags()).toEqual([`v${version}`]);
    expect(world.git('tag')).toBe(`v${version}`);
    expect(next).not.toBe(version);
  });

  it('has shown no token in all of this', () => {
    expect(world.heard().length).toBeGreaterThan(1000);
    for (const secret of [TOKEN, basicCredentials(TOKEN)]) expect(world.heard()).not.toContain(secret);
    expect(existsSync(join(world.repo, '.npmrc'))).toBe(false);
  });
});
