/** `fleet conformance` as a process. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ControlPlane, startControlPlane } from '@tenant-fleet/fleet-control-plane';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { countingServer, fleet, folder, SHA, TOKEN } from './cli.js';

const temp = folder();
let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane({ token: TOKEN, requestsMax: 0, mode: 'lock' });
});
afterAll(async () => {
  await plane?.close();
  temp.remove();
});

it('shows what was tried, writes JUnit, and ends with 0 where nothing was missed', async () => {
  const file = join(temp.path, 'conformance.xml');
  // A group of the surroundings is some fleet's: the scratch groups are not.
  const { code, stdout, stderr } = await fleet(['conformance', plane.url, '--junit', file], {
    env: { FLEET_LOCK_GROUP: 'production' },
  });
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^ok {3}4\.01 .*\n/m);
  expect(stdout).toMatch(
    /keeps the contract as far as it was tried: \d+ passed, 0 missed, \d+ skipped \(safe mode\)\n$/,
  );
  expect(readFileSync(file, 'utf8')).toContain('failures="0"');
  const answer = await fetch(`${plane.url}/cp/admin/fleet-locks`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  const { groups } = (await answer.json()) as { groups: { group: string }[] };
  expect(groups.map(({ group }) => group).filter((group) => !group.startsWith('conformance-'))).toEqual([]);
});

it('says for each miss what is lost, as a document too, and ends with 1', async () => {
  const legacy = await startControlPlane({ token: TOKEN, legacy: true, fleet: { tenants: ['acme'] } });
  const { code, stdout } = await fleet(['conformance', legacy.url, '--json']);
  await legacy.close();
  expect(code).toBe(1);
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({ schema: 'fleet-conformance/1', mode: 'safe', conforms: false });
  const missed = report.cases.filter(({ status }: { status: string }) => status === 'missed');
  expect(missed[0]).toMatchObject({ id: '4.01', loses: 'nothing can be deployed under this lock' });
});

it.each<[string, string[], RegExp]>([
  ['an address that is none', ['nowhere'], /not an http\(s\) URL/],
  ['no address', [], /--control-plane/],
  ['a full run without a fleet', ['https://cp.example.com', '--full'], /--full needs --lock-group/],
  ['a fleet in safe mode', ['https://cp.example.com', '--target-tag', 'x'], /are for --full/],
  [
    'a commit that is none',
    [
      ...['https://cp.example.com', '--full', '--lock-group', 'scratch', '--target-tag', 'x'],
      ...['--tenant-url', 'https://{slug}.example.com', '--expected-sha', 'abc'],
    ],
    /--expected-sha must be/,
  ],
])('refuses %s before any request', async (_what, args, says) => {
  const ran = await fleet(['conformance', ...args]);
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(says)]);
});

it('ends with 5 where the token is not taken', async () => {
  const server = await countingServer();
  const ran = await fleet(['conformance', server.url, '--expected-sha', SHA, '--full']);
  expect([ran.code, server.seen]).toEqual([2, []]);
  const refused = await fleet(['conformance', server.url]);
  await server.close();
  expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining('does not accept the token')]);
  expect(existsSync(join(temp.path, 'conformance.xml'))).toBe(true);
});
