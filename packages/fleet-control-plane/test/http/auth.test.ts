/** Named tokens against a running server. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { makeToken } from '../../src/http/auth/tokens.js';
import { type Answer, Client, eventually, expectProblem, startPlane } from '../support/plane.js';

const reader = makeToken({ name: 'dashboard', scopes: ['read'] });
const ci = makeToken({ name: 'ci', scopes: ['read', 'roll'], groups: ['staging', 'qa-*'] });
const ops = makeToken({ name: 'ops', scopes: ['read', 'operate'] });
const gone = makeToken({ name: 'gone', scopes: ['read'], expires: '2020-01-31' });

let folder: string;
let file: string;
let plane: ControlPlane;
let client: Client;
const logged: string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleet-cp-tokens-'));
  file = join(folder, 'tokens.yaml');
  await write(reader, ci, ops, gone);
  plane = await startPlane({
    tokensFile: file,
    fleet: { defaults: { roll_ms: 0 }, tenants: ['acme'] },
    log: (line) => logged.push(line),
  });
  client = new Client(plane.url, 'staging');
});
afterAll(async () => {
  await plane.close();
  await rm(folder, { recursive: true });
});

type Made = { token: string; line: string };
/** Replaces the file in one go, so that no half of it is read. */
async function write(...tokens: Made[]): Promise<void> {
  await writeFile(`${file}.new`, tokens.map(({ line }) => `${line}\n`).join(''));
  await rename(`${file}.new`, file);
}
const as = ({ token }: Made) => ({ authorization: `Bearer ${token}` });
const lock = (group: string, path = '') => `/cp/admin/fleet-locks/${group}${path}`;
const claimId = '0198f3a0-2222-4222-8222-222222222222';
const BODY = { session: 'session-1', ttl_seconds: 30, holder: { name: 'ci', actor: 'ada' } };
const note = { reason: 'why', actor: 'grace' };

describe('a named token', () => {
  const get = (token: Made, path: string) => client.call('GET', path, undefined, as(token));
  const put = (token: Made, group = 'staging') =>
    client.call('PUT', lock(group, `/claims/${claimId}`), BODY, as(token));
  const post = (token: Made, path: string, body: unknown) => client.call('POST', path, body, as(token));

  it('is told of the groups that it may name, and of no other', async () => {
    for (const group of ['qa-one', 'qa_1']) await new Client(plane.url, group).holding('holder');
    const collection = async (token: Made) => (await get(token, '/cp/admin/fleet-locks')).body;
    const names = async (token: Made) =>
      (await collection(token)).groups.map(({ group }: { group: string }) => group);
    expect(await names(ci)).toEqual(['qa-one', 'staging']);
    expect(await names(ops)).toEqual(['qa-one', 'qa_1', 'staging']);
    expect((await collection(ci)).features).toContain('named-tokens');
    expectProblem(await get(ops, lock('production', '/')), 404, 'unknown_group');
    const near = async (token: Made) => JSON.stringify((await get(token, lock('qa-1', '/'))).body);
    expect(await near(ops)).toContain('qa_1');
    expect(await near(ci)).not.toContain('qa_1');
  });

  it.each<[string, () => Promise<Answer>, RegExp]>([
    ['claim with read', () => put(reader), /"dashboard" lacks the scope "roll"/],
    ['claim with operate', () => put(ops), /"ops" lacks the scope "roll"/],
    [
      'roll with read',
      () => post(reader, '/cp/admin/tenants/redeploy-fleet', { target_tag: 'x', confirm: true }),
      /"roll"/,
    ],
    ['freeze with roll', () => post(ci, lock('staging', '/freeze'), note), /"ci" lacks the scope "operate"/],
    ['break with read', () => post(reader, lock('staging', '/break'), {}), /"operate"/],
    [
      'change a tenant with roll',
      () => client.call('DELETE', '/sim/tenants/acme', undefined, as(ci)),
      /"operate"/,
    ],
    ['claim another group', () => put(ci, 'production'), /"ci" is not for the lock group "production"/],
    ['look at another group', () => get(ci, lock('production')), /"production"/],
    ['name a group that is none', () => get(ci, lock('qa-%2Fx')), /qa-/],
  ])('cannot %s', async (_what, call, says) => {
    expect(expectProblem(await call(), 403, 'forbidden').detail).toMatch(says);
  });

  it.each([
    ['unknown', makeToken({ name: 'ci', scopes: ['read'] }), /missing or wrong/],
    ['expired', gone, /"gone" has expired/],
  ])('opens nothing when it is %s', async (_what, token, says) => {
    expect(expectProblem(await get(token, lock('staging')), 401, 'unauthorized').detail).toMatch(says);
  });

  it('does what its scopes say, and its owner stands in the audit log beside what was said', async () => {
    await put(ci, 'qa-7');
    expect((await get(ci, lock('qa-7'))).status).toBe(200);
    expect((await get(reader, '/cp/admin/rolls')).status).toBe(200);
    const held = await put(ci);
    expect(held.status).toBe(200);
    const roll = await client.call(
      'POST',
      '/cp/admin/tenants/redeploy-fleet',
      { target_tag: `x-${'a'.repeat(40)}`, confirm: true },
      { ...as(ci), 'fleet-lock-group': 'staging', 'fleet-fence': String(held.body.fencing_token) },
    );
    expect(roll.status).toBe(200);
    await post(ops, lock('staging', '/freeze'), note);
    await post(ops, lock('staging', '/unfreeze'), note);
    await post(ops, lock('staging', '/break'), {
      ...note,
      fencing_token: held.body.fencing_token,
      confirm_alive: true,
    });
    const events = (await client.events()).map(({ kind, actor, detail }) => [
      kind,
      actor,
      detail.said ?? detail.holder?.actor,
    ]);
    expect(events).toEqual([
      ['granted', 'ci', 'ada'],
      ['frozen', 'ops', 'grace'],
      ['unfrozen', 'ops', 'grace'],
      ['broken', 'ops', 'grace'],
    ]);
  });

  it('leaves the words of the one token without a name as they are', async () => {
    const { group, ...own } = new Client(plane.url);
    const unnamed = Object.assign(new Client(plane.url, group), own);
    await unnamed.post('freeze', note);
    expect((await unnamed.events())[0]).toMatchObject({ actor: 'grace' });
    expect((await unnamed.events())[0].detail).not.toHaveProperty('said');
  });

  it('comes and goes with the file, without a restart; a broken file changes nothing and is said', async () => {
    const next = makeToken({ name: 'dashboard', scopes: ['read'] });
    const status = async (token: Made) => (await get(token, lock('staging'))).status;
    await write(reader, next, ci, ops);
    await eventually(async () => (await status(next)) === 200);
    await write(next, ci, ops);
    await eventually(async () => (await status(reader)) === 401);
    expect(logged.join('\n')).not.toMatch(/ATTENTION: the tokens file/);

    await writeFile(file, 'oops: [');
    await eventually(() => logged.some((line) => /ATTENTION.*neither YAML nor JSON.*still count/.test(line)));
    expect(await status(next)).toBe(200);
    await rm(file);
    await eventually(() => logged.some((line) => /ATTENTION.*ENOENT/.test(line)));
    expect(await status(next)).toBe(200);
    await write(reader);
    await eventually(async () => (await status(next)) === 401);
    expect(await status(reader)).toBe(200);
  });
});

it('a server does not start on a broken tokens file, nor without any token', async () => {
  await writeFile(file, '[]');
  await expect(startPlane({ tokensFile: file })).rejects.toThrow(/tokens\.yaml is of no use.*at least one/);
  await expect(startPlane({ token: '' })).rejects.toThrow(/needs a token/);
});
