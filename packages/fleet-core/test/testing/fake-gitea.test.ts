/** The Gitea in memory has the habits that clients stumble over. */
import { afterEach, expect, test } from 'vitest';
import { FakeGitea } from '../../src/testing/index.js';

type Row = Record<string, unknown>;
const SHA = 'b'.repeat(40);
let fake: FakeGitea;
afterEach(() => fake.stop());

const call = async (path: string, method = 'GET', body?: object, token = 'right') => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${fake.url}/api/v1/repos/acme/server${path}`, {
    method,
    headers,
    body: JSON.stringify(body),
  });
  return { status: answer.status, headers: answer.headers, json: (await answer.json()) as Row[] };
};

test('pages hold 30 rows unless asked, 50 at most, and say how many there are', async () => {
  fake = await FakeGitea.start();
  for (let n = 0; n < 70; n++) fake.repository.addIssue({ title: `${n}` });
  expect((await call('/issues')).json).toHaveLength(30);
  const { json, headers } = await call('/issues?limit=100');
  expect(json).toHaveLength(50);
  expect(json[0]?.number).toBe(70);
  expect(headers.get('x-total-count')).toBe('70');
  expect(headers.get('link')).toContain('gitea.invalid');
  expect((await call('/issues?limit=100&page=2')).json).toHaveLength(20);
  expect((await call('/issues?page=9')).json).toEqual([]);
});

test('a label that there is not filters nothing, and pull requests are issues', async () => {
  fake = await FakeGitea.start();
  fake.repository.addLabel('known');
  fake.repository.addIssue({ title: 'a', labels: ['known'] });
  fake.repository.addIssue({ title: 'b', isPull: true });
  const numbers = async (query: string) => (await call(`/issues?${query}`)).json.map(({ number }) => number);
  expect(await numbers('labels=known')).toEqual([1]);
  expect(await numbers('labels=unknown')).toEqual([2, 1]);
  expect(await numbers('labels=unknown&type=issues')).toEqual([1]);
  expect(await numbers('state=closed')).toEqual([]);
});

test('statuses are only ever added, come back in `status`, and a commit that there is not is a 500', async () => {
  fake = await FakeGitea.start();
  fake.repository.addCommit(SHA);
  for (const state of ['pending', 'success'])
    await call(`/statuses/${SHA}`, 'POST', { state, context: 'ci', description: '' });
  const { json } = await call(`/commits/${SHA}/statuses`);
  expect(json.map((row) => row.status).sort()).toEqual(['pending', 'success']);
  expect(json[0]).not.toHaveProperty('state');
  expect(fake.repository.stateOf(SHA, 'ci')).toBe('success');
  expect((await call(`/statuses/${'f'.repeat(40)}`, 'POST', { state: 'error' })).status).toBe(500);
});

test('a wrong token is 401, another repository 404, and every exchange is kept', async () => {
  fake = await FakeGitea.start({ token: 'right', base: '/git' });
  expect((await call('/labels', 'GET', undefined, 'wrong')).status).toBe(401);
  expect(
    (await fetch(`${fake.url}/api/v1/repos/acme/other/labels`, { headers: { authorization: 'token right' } }))
      .status,
  ).toBe(404);
  await call('/labels?page=1', 'POST', { name: 'a', color: '#000000' });
  expect(fake.exchanges.at(-1)).toMatchObject({
    method: 'POST',
    path: '/git/api/v1/repos/acme/server/labels',
    query: { page: '1' },
    body: { name: 'a', color: '#000000' },
    status: 201,
    answer: { id: 1, name: 'a', color: '000000' },
  });
});

test('failures come as they were ordered', async () => {
  fake = await FakeGitea.start();
  fake.fail(500, { method: 'POST', path: /^\/labels$/, times: 1 });
  fake.fail('edge', { path: /^\/issues/ });
  expect((await call('/labels', 'POST', { name: 'a', color: '#000000' })).status).toBe(500);
  expect(fake.repository.labels).toEqual([]);
  expect((await call('/labels', 'POST', { name: 'a', color: '#000000' })).status).toBe(201);
  const edge = await fetch(`${fake.url}/api/v1/repos/acme/server/issues`);
  expect([edge.status, await edge.text()]).toEqual([403, expect.stringContaining('1010')]);
  fake.heal();
  expect((await call('/issues')).status).toBe(200);
  fake.fail('cut-after', { method: 'POST' });
  await expect(call('/issues', 'POST', { title: 'lost' })).rejects.toThrow();
  expect(fake.issues).toMatchObject([{ title: 'lost' }]);
});
