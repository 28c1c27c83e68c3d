import { createServer as tlsServer } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { HttpFailure, type HttpFailureKind, type HttpRequest, systemHttp } from '../../src/io/http.js';
import { ManualClock } from '../../src/testing/index.js';
import { selfSigned } from '../helpers/certificate.js';
import { answer, closedPort, serve, serveRaw } from '../helpers/server.js';

const request = (url: string, rest: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'GET',
  url,
  timeoutMs: 1_000,
  maxBytes: 1_000,
  ...rest,
});

async function failureOf(work: Promise<unknown>): Promise<HttpFailure> {
  return work.then(
    () => {
      throw new Error('it succeeded');
    },
    (error) => error,
  );
}

describe('a request', () => {
  test('45: names its client and asks for plain JSON', async () => {
    const server = await serve((_request, response) => answer(response, 200, '{}'));
    await systemHttp(new ManualClock())(request(server.url));
    const { headers } = server.requests[0] ?? {};
    expect(headers?.['user-agent']).toMatch(/^fleet\/\S+ \(\+https:\/\//);
    expect(headers?.accept).toBe('application/json');
    expect(headers?.['accept-encoding']).toBe('identity');
    expect(headers?.['content-type']).toBeUndefined();
    expect(headers?.authorization).toBeUndefined();
  });

  test('carries its body as JSON, and headers of its own', async () => {
    let body = '';
    const server = await serve(async (incoming, response) => {
      for await (const chunk of incoming) body += chunk;
      answer(response, 200, '{}');
    });
    const headers = { authorization: 'Bearer x' };
    await systemHttp(new ManualClock())(request(server.url, { method: 'POST', body: '{"a":"ä"}', headers }));
    expect(body).toBe('{"a":"ä"}');
    expect(server.requests[0]?.headers).toMatchObject({ 'content-type': 'application/json', ...headers });
  });

  test('brings status, headers in lower case and the text of the body', async () => {
    const server = await serve((_request, response) => {
      response.setHeader('Retry-After', '7');
      response.setHeader('X-Twice', ['first', 'second']);
      response.writeHead(503).end('später');
    });
    expect(await systemHttp(new ManualClock())(request(server.url))).toMatchObject({
      status: 503,
      headers: { 'retry-after': '7', 'x-twice': 'first' },
      body: 'später',
    });
  });

  test('112: follows no redirect, so that no token travels to another host', async () => {
    const other = await serve((_request, response) => answer(response, 200, '{}'));
    const server = await serve((_request, response) => answer(response, 307, '', { location: other.url }));
    const { status } = await systemHttp(new ManualClock())(
      request(server.url, { method: 'POST', body: '{}', headers: { authorization: 'Bearer x' } }),
    );
    expect(status).toBe(307);
    expect(other.requests).toHaveLength(0);
  });

  test('keeps a connection for the next one, unless it is to be fresh', async () => {
    const server = await serve((_request, response) => answer(response, 200, '{}'));
    const http = systemHttp(new ManualClock());
    for (let turn = 0; turn < 6; turn++) await http(request(server.url));
    const kept = server.connections;
    expect(kept).toBeLessThanOrEqual(2);
    for (let turn = 0; turn < 3; turn++) await http(request(server.url, { fresh: true }));
    expect(server.connections).toBe(kept + 3);
  });

  test('leaves no connection behind where it was fresh', async () => {
    const server = await serve((_request, response) => answer(response, 200, '{}'));
    const http = systemHttp(new ManualClock());
    await Promise.all([1, 2, 3].map(() => http(request(server.url, { fresh: true }))));
    await server.quiet();
    expect(server.connections).toBe(3);
  });
});

describe('a failure says what is known of the request', () => {
  const hang = () => {};
  test('not_sent: nobody listens', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`;
    const failure = await failureOf(systemHttp(new ManualClock())(request(url)));
    expect(failure).toMatchObject({ kind: 'not_sent', message: 'connection refused' });
  });

  test('not_sent: no such host', async () => {
    const failure = await failureOf(systemHttp(new ManualClock())(request('http://nobody.invalid')));
    expect(failure.kind).toBe('not_sent');
    expect(failure.message).toMatch(/^name lookup failed: /);
  });

  test('not_sent: a certificate that nobody vouches for; the server sees no request', async () => {
    let seen = 0;
    const server = tlsServer(selfSigned(), (socket) => void socket.on('data', () => seen++)).listen(0);
    const { port } = server.address() as { port: number };
    const failure = await failureOf(
      systemHttp(new ManualClock())(
        request(`https://localhost:${port}`, { headers: { authorization: 'x' } }),
      ),
    );
    expect(failure).toMatchObject({
      kind: 'not_sent',
      message: expect.stringMatching(/^TLS: self-signed certificate; .*NODE_EXTRA_CA_CERTS/),
    });
    expect(seen).toBe(0);
    server.close();
  });

  test('not_sent: a port that does not speak TLS', async () => {
    const server = await serve((_request, response) => answer(response, 200, '{}'));
    const failure = await failureOf(
      systemHttp(new ManualClock())(request(server.url.replace('http:', 'https:'))),
    );
    expect(failure.kind).toBe('not_sent');
    expect(failure.message).toMatch(/TLS/);
  });

  test('not_sent: the connection closes in the middle of the TLS handshake', async () => {
    const server = await serveRaw((socket) => void socket.once('data', () => socket.destroy()));
    const failure = await failureOf(
      systemHttp(new ManualClock())(request(`https://127.0.0.1:${server.port}`)),
    );
    expect(failure).toMatchObject({ kind: 'not_sent', message: 'connection closed while connecting' });
  });

  test('not_sent: no connection stands within its own time, however long the request may take', async () => {
    const server = await serveRaw((socket) => void socket.resume());
    const clock = new ManualClock();
    const work = failureOf(
      systemHttp(clock)(request(`https://127.0.0.1:${server.port}`, { timeoutMs: 600_000 })),
    );
    while (server.connections === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(10_000);
    expect(await work).toMatchObject({ kind: 'not_sent', message: 'connecting timed out' });
    expect(clock.pending).toBe(0);
    await server.quiet();
  });

  const broken: [string, Parameters<typeof serveRaw>[0]][] = [
    [
      'the connection is reset before the answer',
      (socket) => socket.once('data', () => socket.resetAndDestroy()),
    ],
    ['the connection is closed before the answer', (socket) => socket.once('data', () => socket.end())],
    [
      'the connection is reset in the middle of the body',
      (socket) =>
        socket.once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n{"git_sha":', () =>
            socket.resetAndDestroy(),
          );
        }),
    ],
    [
      'the body ends short of its length',
      (socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n{}')),
    ],
    [
      'the last chunk never comes',
      (socket) =>
        socket.once('data', () =>
          socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n'),
        ),
    ],
    ['the answer is not HTTP', (socket) => socket.once('data', () => socket.end('220 mail ready\r\n'))],
  ];
  test.each(broken)('broken, and perhaps delivered: %s', async (_name, onSocket) => {
    const server = await serveRaw(onSocket);
    const clock = new ManualClock();
    const failure = await failureOf(systemHttp(clock)(request(server.url, { method: 'POST', body: '{}' })));
    expect(failure.kind).toBe('broken');
    expect(failure.message).toMatch(/^connection broke(?: \([A-Z0-9_]+\))?$/);
    expect(server.connections).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test('timeout: no answer by the end of its time, and not before', async () => {
    const server = await serve(hang);
    const clock = new ManualClock();
    let ended = false;
    const work = failureOf(systemHttp(clock)(request(server.url))).finally(() => {
      ended = true;
    });
    await server.arrived();
    await clock.advance(999);
    expect(ended).toBe(false);
    await clock.advance(1);
    expect(await work).toMatchObject({ kind: 'timeout', message: 'no answer within 1000 ms' });
    await server.quiet();
  });

  test('timeout: a body that drips for ever is within the same time', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200).write('{');
      const drip = setInterval(() => response.write(' '), 1);
      response.on('close', () => clearInterval(drip));
    });
    const clock = new ManualClock();
    const work = failureOf(systemHttp(clock)(request(server.url, { maxBytes: 1e9 })));
    await server.arrived();
    await clock.advance(1_000);
    expect(await work).toMatchObject({ kind: 'timeout' });
    await server.quiet();
  });

  test('too_large: reading stops at the limit', async () => {
    let written = 0;
    const server = await serve((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) written += 65_536;
      };
      response.on('drain', more);
      more();
    });
    const clock = new ManualClock();
    const failure = await failureOf(systemHttp(clock)(request(server.url, { maxBytes: 100_000 })));
    expect(failure).toMatchObject({ kind: 'too_large', message: 'answer is larger than 100000 bytes' });
    await server.quiet();
    expect(written).toBeLessThan(20_000_000);
    expect(clock.pending).toBe(0);
  });

  test('too_large: headers without end', async () => {
    const server = await serveRaw((socket) =>
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\n${`x: ${'y'.repeat(1000)}\r\n`.repeat(40)}\r\n`);
      }),
    );
    expect(await failureOf(systemHttp(new ManualClock())(request(server.url)))).toMatchObject({
      kind: 'too_large',
    });
  });

  test('a body that is handed on as it comes is not kept, and its limit holds', async () => {
    const server = await serve((_request, response) => answer(response, 200, 'ä'.repeat(200_000)));
    let got = '';
    const http = systemHttp(new ManualClock());
    const receive = (text: string) => {
      got += text;
    };
    const { body } = await http(request(server.url, { receive, maxBytes: 400_000 }));
    expect(got).toBe('ä'.repeat(200_000));
    expect(body.length).toBeLessThan(200_000);
    expect(await failureOf(http(request(server.url, { receive, maxBytes: 399_999 })))).toMatchObject({
      kind: 'too_large',
    });
  });

  test('what the reader of a body throws ends the exchange', async () => {
    const server = await serve((_request, response) => void response.writeHead(200).write('{'));
    const receive = () => {
      throw new HttpFailure('too_large', 'too many rows');
    };
    const failure = await failureOf(systemHttp(new ManualClock())(request(server.url, { receive })));
    expect(failure).toMatchObject({ kind: 'too_large', message: 'too many rows' });
    await server.quiet();
  });

  test('a body of exactly the limit is read', async () => {
    const server = await serve((_request, response) => answer(response, 200, 'x'.repeat(1_000)));
    expect((await systemHttp(new ManualClock())(request(server.url))).body).toHaveLength(1_000);
  });

  test('aborted: before it starts, nothing is sent', async () => {
    const server = await serve((_request, response) => answer(response, 200, '{}'));
    const clock = new ManualClock();
    const failure = await failureOf(
      systemHttp(clock)(request(server.url, { signal: AbortSignal.abort('why') })),
    );
    expect(failure).toMatchObject({ kind: 'aborted', cause: 'why' });
    expect(server.connections).toBe(0);
    expect(clock.pending).toBe(0);
  });

  const stages: [string, Parameters<typeof serve>[0]][] = [
    ['while it waits for the answer', hang],
    ['in the middle of the body', (_request, response) => void response.writeHead(200).write('{')],
  ];
  test.each(stages)('aborted: %s, and the connection goes with it', async (_name, handler) => {
    const server = await serve(handler);
    const clock = new ManualClock();
    const abort = new AbortController();
    const work = failureOf(systemHttp(clock)(request(server.url, { signal: abort.signal, fresh: true })));
    await server.arrived();
    abort.abort('why');
    expect(await work).toMatchObject({ kind: 'aborted', cause: 'why' });
    await server.quiet();
    expect(clock.pending).toBe(0);
  });

  const noTimers: [string, Parameters<typeof serve>[0], HttpFailureKind | null][] = [
    ['an answer', (_request, response) => answer(response, 200, '{}'), null],
    ['a broken connection', (incoming) => void incoming.socket.destroy(), 'broken'],
  ];
  test.each(noTimers)('leaves no timer behind after %s', async (_name, handler, kind) => {
    const server = await serve(handler);
    const clock = new ManualClock();
    const work = systemHttp(clock)(request(server.url));
    if (kind) expect(await failureOf(work)).toMatchObject({ kind });
    else await work;
    expect(clock.pending).toBe(0);
  });

  test('106: no failure repeats what the request carried', async () => {
    const server = await serve((incoming) => void incoming.socket.destroy());
    const secret = 's3cr3t-value';
    const failure = await failureOf(
      systemHttp(new ManualClock())(
        request(server.url, { method: 'POST', body: secret, headers: { authorization: `Bearer ${secret}` } }),
      ),
    );
    expect(`${failure.message} ${failure.stack} ${failure.cause}`).not.toContain(secret);
  });
});
