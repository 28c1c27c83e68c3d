/** The writing half of the Gitea client, against the fake: rights, pages, what is sent again. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Gitea } from '../../../src/clients/gitea/gitea.js';
import { GiteaIssues } from '../../../src/clients/gitea/issues.js';
import { systemHttp } from '../../../src/io/http.js';
import { type FakeFault, FakeGitea, ManualClock, trackedHttp } from '../../../src/testing/index.js';
import { answer, serve } from '../../helpers/server.js';

const SHA = 'b'.repeat(40);
const STATUS = { context: 'fleet/staging', state: 'success', description: 'deployed' } as const;

let fake: FakeGitea;
beforeEach(async () => {
  fake = await FakeGitea.start({ repository: 'o/r' });
  fake.repository.addCommit(SHA);
});
afterEach(() => fake.stop());

function client(waitsMs?: number[], url = fake.url) {
  const clock = new ManualClock();
  const tracked = trackedHttp(systemHttp(clock));
  const signal = new AbortController().signal;
  const retry = waitsMs && { clock, waitsMs };
  const options = { url, token: 't', repository: 'o/r', http: tracked.http, signal, retry };
  return {
    gitea: new Gitea(options),
    issues: new GiteaIssues(options),
    settled: <T>(work: Promise<T>) => clock.runUntil(work, { inFlight: tracked.inFlight }),
    clock,
  };
}

describe('what may be sent again is', () => {
  test.each<[FakeFault, number]>([
    [500, 3],
    [502, 3],
    [429, 3],
    ['cut', 3],
    [401, 1],
    [403, 1],
    [404, 1],
    ['edge', 1],
  ])('after %s: %i attempts at a list', async (fault, attempts) => {
    fake.fail(fault);
    const { issues, settled } = client([500, 2_000]);
    expect((await settled(issues.labels())).kind).not.toBe('read');
    expect(fake.exchanges).toHaveLength(attempts);
  });

  test('with back-off, until it is answered', async () => {
    fake.fail(502, { times: 2 });
    const { issues, settled, clock } = client([500, 2_000]);
    expect(await settled(issues.labels())).toEqual({ kind: 'read', value: [] });
    expect(clock.monotonic()).toBe(2_500);
  });

  test('a status too: a second row says the same', async () => {
    fake.fail('cut-after', { times: 1 });
    const { gitea, settled } = client([500]);
    expect((await settled(gitea.setStatus(SHA, STATUS))).kind).toBe('read');
    expect(fake.statuses.map(({ state }) => state)).toEqual(['success', 'success']);
  });

  test.each<FakeFault>(['cut-after', 500, 'html'])(
    'an issue and a comment never, after %s: they say that it is not known',
    async (fault) => {
      const { issues, settled } = client([500, 2_000]);
      fake.repository.addIssue({ title: 'x' });
      fake.fail(fault);
      const made = await settled(issues.create({ title: 'a', body: 'b' }, []));
      expect(made).toMatchObject({ kind: 'unreadable', unknown: true });
      expect(await settled(issues.comment(1, 'hello'))).toMatchObject({ kind: 'unreadable', unknown: true });
      expect(fake.exchanges).toHaveLength(2);
    },
  );

  test('an issue that was refused for now, since that had no effect', async () => {
    fake.fail(429, { times: 1 });
    const { issues, settled } = client([500]);
    expect((await settled(issues.create({ title: 'a', body: 'b' }, []))).kind).toBe('read');
    expect(fake.issues).toHaveLength(1);
  });
});

describe('a refusal tells', () => {
  test.each<[FakeFault, object]>([
    ['scope', { kind: 'forbidden', missingScope: true }],
    [403, { kind: 'forbidden' }],
    ['edge', { kind: 'unreadable', why: 'a proxy in front of Gitea refused the request (HTTP 403)' }],
    [401, { kind: 'unreadable', why: 'Gitea does not accept GITEA_TOKEN (HTTP 401)' }],
    [404, { kind: 'absent' }],
  ])('%s apart', async (fault, read) => {
    fake.fail(fault);
    expect(await client().issues.createLabel({ name: 'a', color: '#000000', description: '' })).toEqual(read);
  });
});

describe('open issues', () => {
  test('are read from all pages, once each, without pull requests and closed ones', async () => {
    for (let n = 1; n <= 120; n++) fake.repository.addIssue({ title: `${n}`, isPull: n % 60 === 0 });
    (fake.issues[0] as { state: string }).state = 'closed';
    for (const maxPage of [50, 7]) {
      fake.repository.maxPage = maxPage;
      const read = await client().issues.open();
      const numbers = read.kind === 'read' ? read.value.map(({ number }) => number) : [];
      expect(numbers).toHaveLength(117);
      expect(numbers[0]).toBe(2);
      expect(new Set(numbers).size).toBe(117);
    }
    for (const { query } of fake.exchanges)
      expect(query).toMatchObject({ state: 'open', type: 'issues', limit: '50' });
    expect(fake.exchanges.some(({ query }) => 'q' in query)).toBe(false);
  });

  test('are what the client asked for, even of a server that does not filter', async () => {
    const row = { id: 1, title: 'x', body: '', labels: [] };
    const rows = [
      { ...row, number: 3, state: 'open', pull_request: null },
      { ...row, number: 2, state: 'open', pull_request: { merged: false } },
      { ...row, number: 1, state: 'closed' },
    ];
    const server = await serve((request, response) =>
      answer(response, 200, JSON.stringify(request.url?.includes('page=1&') ? rows : [])),
    );
    const read = await client(undefined, server.url).issues.open();
    expect(read.kind === 'read' && read.value.map(({ number }) => number)).toEqual([3]);
  });

  test('more than anybody reads are not read to the end', async () => {
    fake.repository.maxPage = 1;
    for (let n = 0; n < 45; n++) fake.repository.addIssue({ title: `${n}` });
    expect(await client().issues.open()).toEqual({
      kind: 'unreadable',
      why: 'more than 40 pages of open issues',
    });
  });
});

test('what is written arrives', async () => {
  const { gitea, issues } = client();
  const label = await issues.createLabel({ name: 'fleet-alert', color: '#d73a4a', description: 'd' });
  const id = label.kind === 'read' ? label.value.id : 0;
  await issues.create({ title: 'a', body: 'b' }, [id]);
  await issues.edit(1, { title: 'c', state: 'closed' });
  await issues.comment(1, 'hello');
  expect(fake.issues).toMatchObject([
    {
      number: 1,
      title: 'c',
      body: 'b',
      state: 'closed',
      comments: ['hello'],
      labels: [{ name: 'fleet-alert' }],
    },
  ]);
  expect(await gitea.setStatus(SHA, { ...STATUS, target_url: 'https://x/1' })).toMatchObject({
    kind: 'read',
    value: { status: 'success', target_url: 'https://x/1' },
  });
  for (const { headers, path } of fake.exchanges) {
    expect(headers.authorization).toBe('token t');
    expect(headers['user-agent']).toMatch(/^fleet\/\d+\.\d+\.\d+\S* /);
    expect(path).toMatch(/^\/api\/v1\/repos\/o\/r\//);
  }
});

test('the commits before one come page by page, each with its first parent', async () => {
  const [a, b, c, side] = ['1', '2', '3', '4'].map((digit) => digit.repeat(40)) as [
    string,
    string,
    string,
    string,
  ];
  for (const [sha, parents] of [
    [a, []],
    [side, [a]],
    [b, [a]],
    [c, [b, side]],
  ] as const)
    fake.repository.addCommit(sha, [...parents]);
  const read = await client().gitea.history(c, 1);
  expect(read.kind === 'read' && Object.fromEntries(read.value)).toEqual({
    ...{ [c]: b, [b]: a, [side]: a, [a]: undefined },
  });
  expect(await client().gitea.history(c, 2)).toEqual({ kind: 'read', value: new Map() });
});
