import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { Gitea, type Read } from '../../../src/clients/gitea/gitea.js';
import { systemHttp } from '../../../src/io/http.js';
import { ManualClock } from '../../../src/testing/index.js';
import { answer, closedPort, serve } from '../../helpers/server.js';

const SHA = 'b'.repeat(40);
const TOKEN = 's3cr3t-gitea';
type Reply = (response: ServerResponse, path: string) => void;
const json =
  (value: unknown, status = 200): Reply =>
  (response) =>
    answer(response, status, JSON.stringify(value));
const text =
  (status: number, body: string, type = 'text/html'): Reply =>
  (response) =>
    answer(response, status, body, { 'content-type': type });

async function gitea(reply: Reply, options: { token?: string | null; base?: string } = {}) {
  const server = await serve((request, response) => reply(response, request.url ?? ''));
  const clock = new ManualClock();
  const abort = new AbortController();
  const client = new Gitea({
    url: `${server.url}${options.base ?? ''}`,
    token: options.token === undefined ? TOKEN : options.token,
    repository: 'o/r',
    http: systemHttp(clock),
    signal: abort.signal,
  });
  return { client, server, clock, abort };
}

describe('a variable', () => {
  test.each<[string, Reply, Read<string>]>([
    [
      'as Gitea tells it',
      json({ owner_id: 1, repo_id: 2, name: 'HOLD', data: 'on' }),
      { kind: 'read', value: 'on' },
    ],
    ['as other versions tell it', json({ name: 'HOLD', value: 'on' }), { kind: 'read', value: 'on' }],
    ['that is empty', json({ data: '' }), { kind: 'read', value: '' }],
    [
      'of a repository that is not found either',
      json({ message: 'not found' }, 404),
      { kind: 'unreadable', why: 'the repository o/r is not there, or the token may not see it (HTTP 404)' },
    ],
    [
      '88: that the token may not read',
      json({ message: 'user should be the owner of the repo', url: 'https://git/api/swagger' }, 403),
      { kind: 'forbidden' },
    ],
    [
      '89: that an edge refuses',
      text(403, 'error code: 1010', 'text/plain'),
      { kind: 'unreadable', why: 'a proxy in front of Gitea refused the request (HTTP 403)' },
    ],
    [
      '89: that an edge refuses with a page',
      text(403, '<html>Access denied</html>'),
      { kind: 'unreadable', why: 'a proxy in front of Gitea refused the request (HTTP 403)' },
    ],
    [
      '89: that an edge refuses in JSON',
      json({ title: 'Error 1010', status: 403, error_code: 1010, detail: 'banned' }, 403),
      { kind: 'unreadable', why: 'a proxy in front of Gitea refused the request (HTTP 403)' },
    ],
    [
      '89: that an edge refuses in the words of Gitea',
      json({ message: 'Access denied. Error code 1020' }, 403),
      { kind: 'unreadable', why: 'a proxy in front of Gitea refused the request (HTTP 403)' },
    ],
    [
      '89: that something refuses in JSON of its own',
      json({ title: 'Forbidden', status: 403 }, 403),
      { kind: 'unreadable', why: 'a proxy in front of Gitea refused the request (HTTP 403)' },
    ],
    [
      '89: that is refused without a word',
      text(403, ''),
      { kind: 'unreadable', why: 'a proxy in front of Gitea refused the request (HTTP 403)' },
    ],
    [
      '102: with a token that is none',
      json({ message: 'token is required' }, 401),
      { kind: 'unreadable', why: 'Gitea does not accept GITEA_TOKEN (HTTP 401)' },
    ],
    ['87: of a server that fails', json({ message: 'boom' }, 500), { kind: 'unreadable', why: 'HTTP 500' }],
    ['of a gateway that fails', text(502, '<html>'), { kind: 'unreadable', why: 'HTTP 502' }],
    ['of a server that is busy', text(429, ''), { kind: 'unreadable', why: 'HTTP 429' }],
    [
      'behind a redirect',
      (response) => answer(response, 302, '', { location: '/login' }),
      { kind: 'unreadable', why: 'HTTP 302' },
    ],
    [
      'on a login page',
      text(200, '<!doctype html><html>Sign in</html>'),
      { kind: 'unreadable', why: 'an answer of another shape' },
    ],
    ['129: in an empty answer', text(200, ''), { kind: 'unreadable', why: 'an answer of another shape' }],
    ['that is null', json({ data: null }), { kind: 'unreadable', why: 'an answer of another shape' }],
    ['that is a boolean', json({ data: true }), { kind: 'unreadable', why: 'an answer of another shape' }],
    ['in a list', json([{ data: 'on' }]), { kind: 'unreadable', why: 'an answer of another shape' }],
    [
      'that is absent, and yet the status is 204',
      (response) => answer(response, 204, ''),
      { kind: 'unreadable', why: 'HTTP 204' },
    ],
    [
      'of a server that hangs up',
      (response) => void response.destroy(),
      { kind: 'unreadable', why: expect.stringMatching(/^connection broke/) as unknown as string },
    ],
    [
      'in an answer without end',
      text(200, 'x'.repeat(5_000_000)),
      { kind: 'unreadable', why: expect.stringMatching(/^answer is larger/) as unknown as string },
    ],
  ])('%s', async (_name, reply, expected) => {
    const { client, clock } = await gitea(reply);
    const read = await client.variable('HOLD');
    expect(read).toEqual(expected);
    expect(JSON.stringify(read)).not.toContain(TOKEN);
    expect(clock.pending).toBe(0);
  });

  test('of a server that nobody runs', async () => {
    const client = new Gitea({
      url: `http://127.0.0.1:${await closedPort()}`,
      token: TOKEN,
      repository: 'o/r',
      http: systemHttp(new ManualClock()),
      signal: new AbortController().signal,
    });
    expect(await client.variable('HOLD')).toEqual({ kind: 'unreadable', why: 'connection refused' });
  });

  test('of a server that never answers is given up after 15 s', async () => {
    const { client, server, clock } = await gitea(() => {});
    const work = client.variable('HOLD');
    await server.arrived();
    await clock.advance(15_000);
    expect(await work).toEqual({ kind: 'unreadable', why: 'no answer within 15000 ms' });
  });

  test('ends with the reason of an abort', async () => {
    const { client, server, abort } = await gitea(() => {});
    const work = expect(client.variable('HOLD')).rejects.toBe('why');
    await server.arrived();
    abort.abort('why');
    await work;
  });

  test('is asked for with the token, below the path of the server', async () => {
    const { client, server } = await gitea(json({ data: 'on' }), { base: '/git' });
    await client.variable('HOLD');
    expect(server.requests[0]?.url).toBe('/git/api/v1/repos/o/r/actions/variables/HOLD');
    expect(server.requests[0]?.headers.authorization).toBe(`token ${TOKEN}`);
    const anonymous = await gitea(json({ data: 'on' }), { token: null });
    await anonymous.client.variable('HOLD');
    expect(anonymous.server.requests[0]?.headers.authorization).toBeUndefined();
  });
});

describe('the head of a branch', () => {
  test.each<[string, Reply, Read<string>]>([
    ['by id', json({ name: 'main', commit: { id: SHA } }), { kind: 'read', value: SHA }],
    ['by sha', json({ commit: { sha: SHA.toUpperCase() } }), { kind: 'read', value: SHA }],
    ['without either', json({ commit: {} }), { kind: 'unreadable', why: 'the branch has no commit id' }],
    [
      'that is short',
      json({ commit: { id: SHA.slice(0, 7) } }),
      { kind: 'unreadable', why: 'an answer of another shape' },
    ],
    ['7: of a branch that is not there', json({ message: 'x' }, 404), { kind: 'absent' }],
  ])('%s', async (_name, reply, expected) => {
    expect(await (await gitea(reply)).client.branchHead('main')).toEqual(expected);
  });

  test('is asked for by a name that cannot leave its place in the address', async () => {
    const { client, server } = await gitea(json({ commit: { id: SHA } }));
    await client.branchHead('feature/a?b#c ../d');
    expect(server.requests[0]?.url).toBe('/api/v1/repos/o/r/branches/feature%2Fa%3Fb%23c%20..%2Fd');
  });
});

describe('the distance of two commits', () => {
  test.each<[string, Reply, Read<number>]>([
    ['is the number of commits', json({ total_commits: 3, commits: [] }), { kind: 'read', value: 3 }],
    [
      'is not known in an answer without it',
      json({ commits: [] }),
      { kind: 'unreadable', why: 'an answer of another shape' },
    ],
    ['is not known of commits that are gone', json({ message: 'x' }, 404), { kind: 'absent' }],
  ])('%s', async (_name, reply, expected) => {
    const { client, server } = await gitea(reply);
    expect(await client.commitsBetween('a'.repeat(40), SHA)).toEqual(expected);
    expect(server.requests[0]?.url).toBe(`/api/v1/repos/o/r/compare/${'a'.repeat(40)}...${SHA}`);
  });
});

describe('the statuses of a commit', () => {
  const row = (id: number, context: string, status = 'success', rest = {}) => ({
    id,
    context,
    status,
    ...rest,
  });
  /** Serves pages; the server's page size is its own. */
  const pages =
    (rows: unknown[], size = 50): Reply =>
    (response, path) => {
      const page = Number(new URL(path, 'http://x').searchParams.get('page'));
      json(rows.slice((page - 1) * size, page * size))(response, path);
    };
  const states = async (reply: Reply) => {
    const read = await (await gitea(reply)).client.statuses(SHA);
    if (read.kind !== 'read') return read;
    return Object.fromEntries(
      [...read.value].map(([context, { status, state }]) => [context, status ?? state]),
    );
  };

  test('96: are read page by page until one is empty, however small the server makes them', async () => {
    const rows = Array.from({ length: 115 }, (_none, index) => row(index + 1, `c${index}`));
    for (const size of [50, 30, 1]) {
      const { client, server } = await gitea(pages(rows, size));
      const read = await client.statuses(SHA);
      expect(read.kind === 'read' && read.value.size).toBe(115);
      expect(server.requests).toHaveLength(Math.ceil(115 / size) + 1);
    }
  });

  test.each<[string, Reply, unknown]>([
    [
      '97: the highest id of a context wins, wherever it stands',
      pages([row(7, 'ci', 'success'), row(9, 'ci', 'failure'), row(8, 'ci', 'pending')]),
      { ci: 'failure' },
    ],
    [
      '97: across pages, with rows that come twice',
      pages([row(9, 'ci', 'success'), row(5, 'a'), row(5, 'a'), row(8, 'ci', 'failure')], 2),
      { ci: 'success', a: 'success' },
    ],
    [
      '98: `state` where there is no `status`',
      pages([
        { id: 1, context: 'ci', state: 'pending' },
        { id: 2, context: 'b', status: null, state: 'success' },
      ]),
      { ci: 'pending', b: 'success' },
    ],
    ['a context without a name', pages([{ id: 1, context: null, status: 'success' }]), { '': 'success' }],
    ['none', pages([]), {}],
    ['null for none', json(null), {}],
    [
      'an answer that is no list',
      json({ statuses: [] }),
      { kind: 'unreadable', why: 'an answer of another shape' },
    ],
    [
      'a row without an id',
      pages([{ context: 'ci', status: 'success' }]),
      { kind: 'unreadable', why: 'an answer of another shape' },
    ],
    ['135: of a commit that is not there', json({ message: 'x' }, 404), { kind: 'absent' }],
    [
      'of a server that fails on the second page',
      (r, path) => (path.includes('page=2') ? json({}, 500) : json([row(1, 'ci')]))(r, path),
      { kind: 'unreadable', why: 'HTTP 500' },
    ],
    [
      'of a server that repeats a page for ever',
      json([row(1, 'ci')]),
      { kind: 'unreadable', why: 'more than 200 pages of statuses' },
    ],
  ])('%s', async (_name, reply, expected) => {
    expect(await states(reply)).toEqual(expected);
  });

  test('keep what marks a run that was cancelled', async () => {
    const { client } = await gitea(pages([row(1, 'ci', 'failure', { description: 'Has been cancelled' })]));
    const read = await client.statuses(SHA);
    expect(read.kind === 'read' && read.value.get('ci')?.description).toBe('Has been cancelled');
  });
});
