/** Servers that keep the contract: ours in every mode, and one that was written from the contract alone. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  type ControlPlane,
  type ControlPlaneOptions,
  startControlPlane,
} from '@tenant-fleet/fleet-control-plane';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConformanceReport, conformanceCases, runConformance } from '../src/index.js';
import { startBroken } from './support/breaking.js';
import { scratchFleet, TARGET, TOKEN } from './support/plane.js';

const UPSTREAM_TOKEN = 'token-of-the-upstream';
let folder: string;
let sim: ControlPlane;
let alone: ControlPlane;
let legacy: ControlPlane;
let gateway: ControlPlane;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleet-conformance-'));
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, UPSTREAM_TOKEN);
  const start = (options: ControlPlaneOptions) =>
    startControlPlane({ token: TOKEN, requestsMax: 0, ...options });
  const staging = { 'control-plane': 'self', 'tenant-url': 'https://{slug}.example.com' };
  const config = { path: 'fleet.config.yaml', content: { environments: { staging } } };
  [sim, alone, legacy] = await Promise.all([
    start({ fleet: scratchFleet, config }),
    start({ mode: 'lock' }),
    start({ token: UPSTREAM_TOKEN, legacy: true, fleet: scratchFleet }),
  ]);
  gateway = await start({ mode: 'gateway', upstream: { url: legacy.url, tokenFile } });
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([sim, alone, legacy].map((plane) => plane?.close()));
  await rm(folder, { recursive: true });
});

/** What was missed, and what was not tried, by id. */
function told({ cases, conforms }: ConformanceReport) {
  const skipped = cases.filter(({ status }) => status === 'skipped').map(({ id }) => id);
  return { conforms, missed: cases.filter(({ status }) => status === 'missed'), skipped };
}
const idsOf = (pattern: RegExp) => conformanceCases.map(({ id }) => id).filter((id) => pattern.test(id));

// What takes time in a run is waiting for leases to end.
describe.concurrent('our server', () => {
  it('keeps all of it in front of a simulated fleet', async () => {
    const fleet = { lockGroup: 'staging', tenantUrl: sim.tenantUrlTemplate, ...TARGET };
    expect(told(await runConformance({ url: sim.url, token: TOKEN, fleet }))).toEqual({
      conforms: true,
      missed: [],
      skipped: [],
    });
  });

  it('keeps the lock alone, and every lock is free afterwards', async () => {
    expect(told(await runConformance({ url: alone.url, token: TOKEN }))).toEqual({
      conforms: true,
      missed: [],
      skipped: idsOf(/^3|^4\.7|^7/),
    });
    const headers = { authorization: `Bearer ${TOKEN}` };
    const answer = await fetch(`${alone.url}/cp/admin/fleet-locks`, { headers });
    const { groups } = (await answer.json()) as {
      groups: { held: unknown; frozen: unknown; queue_length: number }[];
    };
    expect(groups.length).toBeGreaterThan(10);
    for (const group of groups) expect(group).toMatchObject({ held: null, frozen: null, queue_length: 0 });
  });

  it('keeps all of it as a gateway, where the control plane behind it keeps only the first part', async () => {
    const fleet = { lockGroup: 'staging', tenantUrl: legacy.tenantUrlTemplate, ...TARGET };
    expect(told(await runConformance({ url: gateway.url, token: TOKEN, fleet }))).toEqual({
      conforms: true,
      missed: [],
      skipped: idsOf(/^7/),
    });
    const bare = told(await runConformance({ url: legacy.url, token: UPSTREAM_TOKEN }));
    expect(bare.missed.map(({ id }) => id)).toEqual(idsOf(/^4/));
    expect(bare.missed[0]).toMatchObject({ detail: 'there is no lock at /cp/admin/fleet-locks (HTTP 404)' });
  });

  it('is sent nothing in safe mode that could roll, however little it heeds', async () => {
    const sent: unknown[] = [];
    const watched = await startBroken(sim.url, () => (request, forward) => {
      if (request.path.endsWith('/redeploy-fleet')) sent.push(request.body);
      return forward();
    });
    await runConformance({ url: watched.url, token: TOKEN, only: idsOf(/^3/) });
    await watched.close();
    expect(sent.length).toBeGreaterThan(3);
    for (const body of sent)
      expect(body).toMatchObject({
        dry_run: true,
        only_slugs: ['conformance-no-such-tenant'],
        target_tag: 'conformance-no-such-image',
      });
  });
});

describe('a server that was written from the contract alone, in Python', () => {
  let python: ChildProcess;
  let url: string;
  beforeAll(async () => {
    if (spawnSync('python3', ['--version']).status !== 0)
      throw new Error(
        'these tests need python3 (3.9 or newer) in PATH: the second implementation is written in it',
      );
    const file = fileURLToPath(new URL('second/lock_server.py', import.meta.url));
    python = spawn('python3', [file, TOKEN], { stdio: ['ignore', 'pipe', 'inherit'] });
    url = await new Promise((resolve, reject) => {
      python.on('exit', (code) => reject(new Error(`it ended with ${code}`)));
      createInterface({ input: python.stdout as NodeJS.ReadableStream }).once('line', resolve);
    });
  });
  afterAll(() => void python?.kill());

  it('keeps the lock', async () => {
    expect(told(await runConformance({ url, token: TOKEN }))).toEqual({
      conforms: true,
      missed: [],
      skipped: idsOf(/^3|^4\.7|^7/),
    });
  });

  it('keeps it in one lock group too, where others are not known', async () => {
    const only = idsOf(/^4\.(?:0[1-9]|2[0134])$/);
    const report = await runConformance({ url, token: TOKEN, lockGroup: 'scratch', only });
    expect(told(report)).toEqual({ conforms: true, missed: [], skipped: [] });
  });
});

it.each([
  ['a server that is not there', () => 'http://127.0.0.1:1', 'CP_UNREACHABLE'],
  ['a token that is not accepted', () => alone.url, 'CP_UNAUTHORIZED'],
])('ends at %s', async (_what, url, code) => {
  await expect(runConformance({ url: url(), token: 'wrong' })).rejects.toMatchObject({ code });
});
