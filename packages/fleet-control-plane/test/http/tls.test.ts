import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { selfSigned } from '../../../fleet-core/test/helpers/certificate.js';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import { parseArguments } from '../../src/program/options.js';
import { eventually, freshDatabase, startPlane, TOKEN } from '../support/plane.js';

const tls = selfSigned();
let server: EmbeddedDatabase;
let folder: string;
beforeAll(async () => {
  server = await startEmbedded();
  folder = await mkdtemp(join(tmpdir(), 'fleet-cp-tls-'));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

it('serves TLS by the files given, and nothing in plain', async () => {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  await writeFile(cert, tls.cert);
  await writeFile(key, tls.key);
  const parsed = await parseArguments(['--tls-cert', cert, '--tls-key', key], { FLEET_CP_TOKEN: TOKEN });
  if (parsed.kind !== 'run') throw new Error('refused');
  const logged: string[] = [];
  const plane = await startPlane({
    ...parsed.settings.options,
    databaseUrl: await freshDatabase(server),
    host: '0.0.0.0',
    log: (line) => logged.push(line),
  });
  expect(plane.url).toMatch(/^https:/);
  const dispatcher = new Agent({ connect: { ca: tls.cert, servername: 'localhost' } });
  const url = plane.url.replace('127.0.0.1', 'localhost');
  expect((await request(`${url}/health`, { dispatcher })).statusCode).toBe(200);
  await expect(fetch(`${plane.url.replace('https:', 'http:')}/health`)).rejects.toThrow();
  expect(logged.join('\n')).not.toMatch(/ATTENTION/);

  // A renewed certificate, written as it is: the one, then the other.
  const renewed = selfSigned();
  await writeFile(cert, renewed.cert);
  await writeFile(key, renewed.key);
  await eventually(() => logged.some((line) => line === 'TLS certificate read again'));
  const fresh = new Agent({ connect: { ca: renewed.cert, servername: 'localhost' } });
  expect((await request(`${url}/health`, { dispatcher: fresh })).statusCode).toBe(200);
  await fresh.close();
  await dispatcher.close();
  await plane.close();
});

it.each([
  ['0.0.0.0', true],
  ['::', true],
  ['127.0.0.1', false],
  ['localhost', false],
])('says loudly that it serves plain HTTP on %s: %s', async (host, said) => {
  const logged: string[] = [];
  const databaseUrl = await freshDatabase(server);
  const plane = await startPlane({ databaseUrl, host, log: (line) => logged.push(line) });
  await plane.close();
  expect(logged.some((line) => line.startsWith(`ATTENTION: plain HTTP on ${host}`))).toBe(said);
});

it.each<[string, string[], RegExp]>([
  ['a certificate without a key', ['--tls-cert', 'cert.pem'], /need each other/],
  ['a key without a certificate', ['--tls-key', 'key.pem'], /need each other/],
  ['a certificate that is missing', ['--tls-cert', '/nowhere', '--tls-key', '/nowhere'], /ENOENT/],
  ['a key of another certificate', ['--tls-cert', 'cert.pem', '--tls-key', 'other.pem'], /cannot serve TLS/],
  ['a file that is no certificate', ['--tls-cert', 'other.pem', '--tls-key', 'key.pem'], /cannot serve TLS/],
])('does not start with %s', async (_what, argv, says) => {
  await writeFile(join(folder, 'cert.pem'), tls.cert);
  await writeFile(join(folder, 'key.pem'), tls.key);
  await writeFile(join(folder, 'other.pem'), selfSigned().key);
  const said: string[] = [];
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  const inFolder = argv.map((each) => (each.endsWith('.pem') ? join(folder, each) : each));
  const parsed = await parseArguments(inFolder, { FLEET_CP_TOKEN: TOKEN }).finally(() => spy.mockRestore());
  expect(parsed).toEqual({ kind: 'exit', code: 2 });
  expect(said.join('')).toMatch(says);
  expect(said.join('')).not.toMatch(/PRIVATE/);
});
