/** What stops a release before anything is built. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { basicCredentials, redact } from '../src/output.js';
import { fault } from '../src/pack.js';
import { publishOrder, readRelease, requireVersioned } from '../src/workspace.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fleet-release-checks-'));
  write('.changeset/config.json', { fixed: [['@x/core', '@x/cli']], baseBranch: 'main' });
  write('packages/core/package.json', { name: '@x/core', version: '1.2.3' });
  write('packages/cli/package.json', {
    name: '@x/cli',
    version: '1.2.3',
    dependencies: { '@x/core': 'workspace:*' },
  });
  write('packages/demo/package.json', { name: '@x/demo', version: '0.0.0', private: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, content: object): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), JSON.stringify(content));
}

describe('the release group', () => {
  it('is published in the order of its dependencies', () => {
    const release = requireVersioned(root);
    expect(release.version).toBe('1.2.3');
    expect(publishOrder(release.packages).map(({ manifest }) => manifest.name)).toEqual([
      '@x/core',
      '@x/cli',
    ]);
  });

  it('leaves private packages out of the registry', () => {
    write('packages/cli/package.json', { name: '@x/cli', version: '1.2.3', private: true });
    expect(publishOrder(readRelease(root).packages).map(({ manifest }) => manifest.name)).toEqual([
      '@x/core',
    ]);
  });

  it('forgets no package that could be published', () => {
    write('packages/more/package.json', { name: '@x/more', version: '1.2.3' });
    expect(() => readRelease(root)).toThrow(
      expect.objectContaining({ code: 'PACKAGE', message: expect.stringContaining('@x/more') }),
    );
  });

  it('has one version', () => {
    write('packages/cli/package.json', { name: '@x/cli', version: '1.2.4' });
    expect(() => readRelease(root)).toThrow(
      expect.objectContaining({ code: 'VERSIONS', message: expect.stringContaining('@x/cli 1.2.4') }),
    );
  });

  it('is not released before its first version', () => {
    for (const name of ['core', 'cli'])
      write(`packages/${name}/package.json`, { name: `@x/${name}`, version: '0.0.0' });
    expect(() => requireVersioned(root)).toThrow(expect.objectContaining({ code: 'VERSIONS' }));
  });
});

describe('a packed package', () => {
  const good = {
    name: '@x/cli',
    version: '1.2.3',
    dependencies: { '@x/core': '1.2.3', zod: '^4.0.0' },
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    bin: { x: './dist/cli.js' },
  };
  const files = ['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts', 'dist/cli.js'];
  const check = (manifest: object, names = files) =>
    fault({ ...good, ...manifest }, new Set(names.map((name) => `package/${name}`)), readRelease(root));

  it('is taken when all is there', () => {
    expect(check({})).toBeNull();
  });

  it.each([
    [{ version: '1.2.2' }, 'the packed version is 1.2.2, not 1.2.3'],
    [{ dependencies: { '@x/core': 'workspace:*' } }, 'dependencies asks for @x/core by workspace:*'],
    [{ devDependencies: { zod: 'catalog:' } }, 'devDependencies asks for zod by catalog:'],
    [{ peerDependencies: { '@x/core': '1.2.2' } }, 'peerDependencies asks for @x/core 1.2.2'],
    [{ bin: { x: './dist/main.js' } }, './dist/main.js is not in the package'],
    [{ exports: { './a': './dist/a.js' } }, './dist/a.js is not in the package'],
  ])('is refused with %j', (manifest, problem) => {
    expect(check(manifest)).toBe(problem);
  });

  it('is refused without a licence', () => {
    expect(
      check(
        {},
        files.filter((name) => name !== 'LICENSE'),
      ),
    ).toBe('./LICENSE is not in the package');
  });
});

it('takes tokens and credentials out of what other programs wrote', () => {
  const env = { NPM_TOKEN: 'aaa111', RELEASE_TOKEN: 'bbb222\n' };
  const text = `aaa111 https://me:secret@host/x bbb222 ${basicCredentials('bbb222')}`;
  expect(redact(text, env)).toBe('*** https://***@host/x *** ***');
  expect(redact('nothing here', { NPM_TOKEN: '' })).toBe('nothing here');
});
