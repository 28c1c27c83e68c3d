import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { FleetError } from '../../src/errors.js';
import { systemHttp } from '../../src/io/http.js';
import { ManualClock } from '../../src/testing/index.js';
import { buildinfoUrl, type Observation, probe } from '../../src/verify/probe.js';
import { answer, closedPort, serve, serveRaw } from '../helpers/server.js';

const SHA = '0123456789abcdef0123456789abcdef01234567';
const json = (value: unknown) => (response: ServerResponse) => answer(response, 200, JSON.stringify(value));
const page = '<!DOCTYPE html><html><body>Not found</body></html>';

async function ask(url: string, clock = new ManualClock(), signal = new AbortController().signal) {
  return probe(systemHttp(clock), `${url}/buildinfo`, { timeoutMs: 5_000, signal, nonce: () => 'n1' });
}

async function askOnce(reply: (response: ServerResponse) => void): Promise<Observation> {
  const server = await serve((_request, response) => reply(response));
  const clock = new ManualClock();
  const observation = await ask(server.url, clock);
  expect(clock.pending).toBe(0);
  return observation;
}

describe('an answer that is buildinfo', () => {
  const cases: [string, (response: ServerResponse) => void, Observation][] = [
    ['a commit', json({ git_sha: SHA }), { kind: 'sha', sha: SHA }],
    [
      '67: a commit in capitals, told in small letters',
      json({ git_sha: SHA.toUpperCase() }),
      { kind: 'sha', sha: SHA },
    ],
    [
      'a commit among fields of its own',
      json({ version: 7, git_sha: SHA, built: null }),
      { kind: 'sha', sha: SHA },
    ],
    [
      'a commit in JSON that says it is text',
      (r) => answer(r, 200, `{"git_sha":"${SHA}"}`, { 'content-type': 'text/plain' }),
      { kind: 'sha', sha: SHA },
    ],
    [
      'a commit in JSON that says it is a web page',
      (r) => answer(r, 200, `{"git_sha":"${SHA}"}`, { 'content-type': 'text/html' }),
      { kind: 'sha', sha: SHA },
    ],
    [
      'a commit without a content type',
      (r) => answer(r, 200, `{"git_sha":"${SHA}"}`, {}),
      { kind: 'sha', sha: SHA },
    ],
    [
      'a byte order mark in front',
      (r) => answer(r, 200, `\ufeff{"git_sha":"${SHA}"}`),
      { kind: 'sha', sha: SHA },
    ],
    ['a line end in the value', json({ git_sha: `${SHA}\n` }), { kind: 'sha', sha: SHA }],
    ['a line end of Windows in the value', json({ git_sha: `${SHA}\r\n` }), { kind: 'sha', sha: SHA }],
    ['23: "dev", which is a build and never the target', json({ git_sha: 'dev' }), { kind: 'dev' }],
  ];
  test.each(cases)('%s', async (_name, reply, expected) => {
    expect(await askOnce(reply)).toEqual(expected);
  });
});

describe('an answer that is not buildinfo is invalid, with the reason', () => {
  const notSha = 'git_sha is neither 40 hex digits nor "dev"';
  const cases: [string, (response: ServerResponse) => void, string][] = [
    [
      '70: a web page with status 200',
      (r) => answer(r, 200, page, { 'content-type': 'text/html; charset=utf-8' }),
      'a web page instead of buildinfo',
    ],
    ['a web page that says it is JSON', (r) => answer(r, 200, page), 'a web page instead of buildinfo'],
    [
      '63: a web page with status 404',
      (r) => answer(r, 404, page, { 'content-type': 'text/html' }),
      'HTTP 404 with a web page',
    ],
    ['404 with buildinfo', (r) => answer(r, 404, `{"git_sha":"${SHA}"}`), 'HTTP 404'],
    [
      'a redirect',
      (r) => answer(r, 302, '', { location: '/elsewhere' }),
      'redirect (HTTP 302), which is not followed',
    ],
    [
      'a permanent redirect',
      (r) => answer(r, 308, '', { location: 'https://example.com/' }),
      'redirect (HTTP 308), which is not followed',
    ],
    [
      'a compressed body',
      (r) => answer(r, 200, gzipSync(`{"git_sha":"${SHA}"}`), { 'content-encoding': 'gzip' }),
      'compressed answer, which was not asked for',
    ],
    [
      'a body larger than 64 KiB',
      (r) => answer(r, 200, JSON.stringify({ git_sha: SHA, more: 'x'.repeat(70_000) })),
      'answer is larger than 64 KiB',
    ],
    ['an array', json([{ git_sha: SHA }]), 'JSON without git_sha'],
    ['a commit one level down', json({ build: { git_sha: SHA } }), 'JSON without git_sha'],
    ['a bare text', json(SHA), 'JSON without git_sha'],
    ['null', json(null), 'JSON without git_sha'],
    ['an empty object', json({}), 'JSON without git_sha'],
    ['67: a short commit', json({ git_sha: SHA.slice(0, 12) }), notSha],
    ['a commit that is too long', json({ git_sha: `${SHA}0` }), notSha],
    ['a commit with a space in front', json({ git_sha: ` ${SHA}` }), notSha],
    ['a commit with two line ends behind', json({ git_sha: `${SHA}\n\n` }), notSha],
    ['a commit with a word on the next line', json({ git_sha: `${SHA}\nmain` }), notSha],
    ['digits that are not hex', json({ git_sha: 'g'.repeat(40) }), notSha],
    ['a commit as a number', json({ git_sha: 1234 }), notSha],
    ['a commit as a list', json({ git_sha: [SHA] }), notSha],
    ['null for a commit', json({ git_sha: null }), notSha],
    ['an empty text for a commit', json({ git_sha: '' }), notSha],
    ['another word for "dev"', json({ git_sha: 'unknown' }), notSha],
    ['"dev" in capitals', json({ git_sha: 'DEV' }), notSha],
    ['129: an empty body', (r) => answer(r, 200, ''), 'empty answer'],
    ['a body of white space', (r) => answer(r, 200, ' \n'), 'empty answer'],
    ['half of a document', (r) => answer(r, 200, `{"git_sha":"${SHA}"`), 'answer is not JSON'],
    ['the text of a commit without JSON', (r) => answer(r, 200, SHA), 'answer is not JSON'],
    ['204', (r) => answer(r, 204, ''), 'HTTP 204'],
    ['206 with buildinfo', (r) => answer(r, 206, `{"git_sha":"${SHA}"}`), 'HTTP 206'],
    ['401', (r) => answer(r, 401, '{}'), 'HTTP 401'],
    ['500 with buildinfo', (r) => answer(r, 500, `{"git_sha":"${SHA}"}`), 'HTTP 500'],
    ['503', (r) => answer(r, 503, 'busy', {}), 'HTTP 503'],
  ];
  test.each(cases)('%s', async (_name, reply, why) => {
    expect(await askOnce(reply)).toEqual({ kind: 'invalid', why });
  });

  test('the reason never quotes what was answered', async () => {
    const secret = 'AKIAIOSFODNN7EXAMPLE';
    for (const body of [secret, JSON.stringify({ git_sha: secret }), `<html>${secret}`]) {
      expect(JSON.stringify(await askOnce((response) => answer(response, 200, body)))).not.toContain(secret);
    }
  });
});

describe('an answer out of a cache', () => {
  const OTHER = 'f'.repeat(40);
  const cached = (headers: Record<string, string>) => async (bypass: (response: ServerResponse) => void) => {
    const server = await serve((request, response) =>
      request.url === '/buildinfo'
        ? answer(response, 200, `{"git_sha":"${SHA}"}`, { 'content-type': 'application/json', ...headers })
        : bypass(response),
    );
    const seen = await ask(server.url);
    return { seen, asked: server.requests.map(({ url }) => url) };
  };

  test.each([
    ['its age', { age: '540', 'cf-cache-status': 'HIT' }],
    ['an edge', { age: '0', 'cf-cache-status': 'HIT' }],
    ['an edge that knows better', { 'cf-cache-status': 'STALE' }],
    ['another edge', { 'x-cache': 'Hit from cloudfront' }],
    ['a server', { 'x-cache-status': 'UPDATING' }],
    ['the standard', { 'cache-status': 'edge; hit; ttl=60' }],
  ])('told by %s: the tenant is asked past it', async (_name, headers) => {
    const { seen, asked } = await cached(headers)(json({ git_sha: OTHER }));
    expect(seen).toEqual({ kind: 'sha', sha: OTHER });
    expect(asked).toEqual(['/buildinfo', '/buildinfo?nocache=n1']);
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ['the cache', (r) => answer(r, 200, `{"git_sha":"${SHA}"}`, { age: '541' })],
    ['nothing useful', (r) => answer(r, 404, 'no')],
  ])('that cannot be passed, since %s answers there too, proves nothing', async (_name, bypass) => {
    const { seen } = await cached({ age: '540' })(bypass);
    expect(seen).toEqual({
      kind: 'invalid',
      why: 'a cache answered (its answer is 540 s old), not the tenant: exempt /buildinfo from it',
    });
  });

  test.each([
    ['that missed', { age: '0', 'x-cache': 'MISS', 'cf-cache-status': 'DYNAMIC' }],
    ['that forwarded', { 'cache-status': 'edge; fwd=uri-miss' }],
  ])('is none where it came through a cache %s', async (_name, headers) => {
    const { seen, asked } = await cached(headers)(json({ git_sha: OTHER }));
    expect([seen, asked]).toEqual([{ kind: 'sha', sha: SHA }, ['/buildinfo']]);
  });
});

describe('no answer is unreachable, with the reason', () => {
  test('nobody listens', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`;
    expect(await ask(url)).toEqual({ kind: 'unreachable', why: 'connection refused' });
  });

  test('the connection breaks before the answer', async () => {
    const server = await serveRaw((socket) => socket.once('data', () => socket.resetAndDestroy()));
    expect(await ask(server.url)).toMatchObject({
      kind: 'unreachable',
      why: expect.stringMatching(/^connection broke/),
    });
  });

  test('38: the connection breaks in the middle of the body', async () => {
    const server = await serveRaw((socket) =>
      socket.once('data', () =>
        socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{"git_sha":"${SHA}"}`),
      ),
    );
    expect(await ask(server.url)).toMatchObject({
      kind: 'unreachable',
      why: expect.stringMatching(/^connection broke/),
    });
  });

  test('a body that never ends within its time', async () => {
    const server = await serve(
      (_request, response) => void response.writeHead(200).write(`{"git_sha":"${SHA}"`),
    );
    const clock = new ManualClock();
    const work = ask(server.url, clock);
    await server.arrived();
    await clock.advance(5_000);
    expect(await work).toEqual({ kind: 'unreachable', why: 'no answer within 5000 ms' });
    expect(clock.pending).toBe(0);
  });
});

describe('a probe', () => {
  test('106: carries no credential and no cookie', async () => {
    const server = await serve((_request, response) => json({ git_sha: SHA })(response));
    await ask(server.url);
    const { headers, method, url } = server.requests[0] ?? {};
    expect([method, url]).toEqual(['GET', '/buildinfo']);
    expect(headers?.authorization).toBeUndefined();
    expect(headers?.cookie).toBeUndefined();
    expect(headers?.['cache-control']).toBe('no-cache');
    expect(headers?.['user-agent']).toMatch(/^fleet\//);
  });

  test('opens a connection of its own each time: a kept one may lead to the replica that is drained', async () => {
    const server = await serve((_request, response) => json({ git_sha: SHA })(response));
    const http = systemHttp(new ManualClock());
    for (let turn = 0; turn < 3; turn++)
      await probe(http, server.url, {
        timeoutMs: 5_000,
        signal: new AbortController().signal,
        nonce: () => 'n',
      });
    expect(server.connections).toBe(3);
  });

  test('ends with the reason of an abort, whichever it is, before and during', async () => {
    const reason = new FleetError('TIMEOUT', 'time is up');
    const server = await serve(() => {});
    await expect(ask(server.url, new ManualClock(), AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(server.connections).toBe(0);
    const abort = new AbortController();
    const clock = new ManualClock();
    const work = ask(server.url, clock, abort.signal);
    const ended = expect(work).rejects.toBe(reason);
    await server.arrived();
    abort.abort(reason);
    await ended;
    expect(clock.pending).toBe(0);
  });

  test.each([
    ['https://{slug}.staging.example.com', 'https://acme.staging.example.com/buildinfo'],
    ['https://{slug}.staging.example.com/', 'https://acme.staging.example.com/buildinfo'],
    ['https://example.com:8443/t/{slug}//', 'https://example.com:8443/t/acme/buildinfo'],
  ])('asks at the address of %s', (template, url) => {
    expect(buildinfoUrl(template, 'acme')).toBe(url);
  });
});
