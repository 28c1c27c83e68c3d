/** Requests through a proxy, chosen by the variables that other programs read too. */
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { systemHttp } from '../../src/io/http.js';
import { type ProxyEnv, proxyFor } from '../../src/io/proxy.js';
import { ManualClock } from '../../src/testing/index.js';
import { answer, closedPort, serve } from '../helpers/server.js';

const P = 'http://proxy.example.com:3128';

describe('the proxy of an address', () => {
  test.each<[string, ProxyEnv, string | null]>([
    ['https://a.example.com/', {}, null],
    ['https://a.example.com/', { HTTPS_PROXY: P }, P],
    ['https://a.example.com/', { https_proxy: P, HTTPS_PROXY: 'http://other' }, P],
    ['https://a.example.com/', { https_proxy: ' ', HTTPS_PROXY: P }, P],
    ['https://a.example.com/', { HTTP_PROXY: P }, P],
    ['http://a.example.com/', { HTTPS_PROXY: P }, null],
    ['http://a.example.com/', { http_proxy: P }, P],
    ['https://a.example.com/', { HTTPS_PROXY: 'proxy:3128' }, 'http://proxy:3128'],
    ['http://localhost:8080/', { HTTP_PROXY: P }, null],
    ['http://127.0.0.1/', { HTTP_PROXY: P }, null],
    ['http://[::1]:80/', { HTTP_PROXY: P }, null],
    ['https://a.example.com/', { HTTPS_PROXY: P, NO_PROXY: '*' }, null],
    ['https://a.example.com/', { HTTPS_PROXY: P, no_proxy: 'x.org, example.com' }, null],
    ['https://a.example.com/', { HTTPS_PROXY: P, NO_PROXY: '.example.com' }, null],
    ['https://a.example.com/', { HTTPS_PROXY: P, NO_PROXY: '*.example.com x.org' }, null],
    ['https://a.example.com/', { HTTPS_PROXY: P, NO_PROXY: 'A.Example.COM' }, null],
    ['https://a.example.com/', { HTTPS_PROXY: P, NO_PROXY: 'ample.com' }, P],
    ['https://a.example.com/', { HTTPS_PROXY: P, NO_PROXY: 'a.example.com:443' }, null],
    ['https://a.example.com/', { HTTPS_PROXY: P, NO_PROXY: 'a.example.com:8443' }, P],
    ['https://a.example.com:8443/', { HTTPS_PROXY: P, NO_PROXY: 'a.example.com:8443' }, null],
    ['https://[fd00::1]/', { HTTPS_PROXY: P, NO_PROXY: 'fd00::1' }, null],
    ['https://[fd00::1]:8443/', { HTTPS_PROXY: P, NO_PROXY: '[fd00::1]:8443' }, null],
    ['https://10.1.2.3/', { HTTPS_PROXY: P, NO_PROXY: '10.1.2.3' }, null],
    ['https://a.example.com/', { HTTPS_PROXY: P, NO_PROXY: ' , ' }, P],
  ])('%s with %j: %s', (url, env, proxy) => {
    expect(proxyFor(new URL(url), env)).toBe(proxy);
  });
});

describe('through a proxy', () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  /** Takes every tunnel to a port of this machine, or refuses with a status. */
  async function proxy(target: string, refuse?: number) {
    const tunnels: string[] = [];
    const server = createServer();
    server.on('connect', (request, socket) => {
      tunnels.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim());
      if (refuse) return void socket.end(`HTTP/1.1 ${refuse} No\r\n\r\n`);
      const far = connect(Number(new URL(target).port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        far.pipe(socket).pipe(far);
      });
      far.on('error', () => socket.destroy());
      socket.on('error', () => far.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return { tunnels, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
  }
  const get = (url: string, rest = {}) =>
    ({ method: 'GET', url, timeoutMs: 5_000, maxBytes: 99, ...rest }) as const;

  test.each([true, false])('a request arrives, names are left to the proxy (fresh: %s)', async (fresh) => {
    const server = await serve((_request, response) => answer(response, 200, '{"a":1}'));
    const { tunnels, host } = await proxy(server.url);
    const http = systemHttp(new ManualClock(), {
      env: { http_proxy: `http://ann:s3cr3t@${host}` },
      lookup: async () => {
        throw new Error('no name is looked up here');
      },
    });
    const { body } = await http(get('http://cp.example.com/x', { fresh }));
    expect(body).toBe('{"a":1}');
    expect(tunnels).toEqual([`cp.example.com:80 Basic ${Buffer.from('ann:s3cr3t').toString('base64')}`]);
    expect(server.requests[0]?.headers.host).toBe('cp.example.com');
  });

  test('loopback never goes there', async () => {
    const server = await serve((_request, response) => answer(response, 200, '{}'));
    const http = systemHttp(new ManualClock(), { env: { HTTP_PROXY: 'http://127.0.0.1:1' } });
    expect((await http(get(server.url))).status).toBe(200);
  });

  test.each([407, 403, 502])('one that answers %i has sent nothing on', async (status) => {
    const { host } = await proxy('http://x:1', status);
    const http = systemHttp(new ManualClock(), { env: { HTTP_PROXY: `http://ann:s3cr3t@${host}` } });
    await expect(http(get('http://cp.example.com/'))).rejects.toMatchObject({
      kind: 'not_sent',
      message: `the proxy refuses the connection (HTTP ${status}) (through the proxy ${host})`,
    });
  });

  test('one that is not there is said to stand in between, without its password', async () => {
    const port = await closedPort();
    const http = systemHttp(new ManualClock(), {
      env: { HTTPS_PROXY: `http://ann:s3cr3t@127.0.0.1:${port}` },
    });
    await expect(http(get('https://cp.example.com/'))).rejects.toMatchObject({
      kind: 'not_sent',
      message: `connection refused (through the proxy 127.0.0.1:${port})`,
    });
  });

  test('a connection that dies after the request went out is no proof that nothing was sent', async () => {
    const server = await serve((_request, response) => void response.socket?.destroy());
    const { host } = await proxy(server.url);
    const http = systemHttp(new ManualClock(), { env: { HTTP_PROXY: host } });
    await expect(http(get('http://cp.example.com/'))).rejects.toMatchObject({
      kind: 'broken',
      message: expect.stringContaining(`through the proxy ${host}`),
    });
  });

  test('one that is no address sends nothing', async () => {
    const http = systemHttp(new ManualClock(), { env: { HTTPS_PROXY: 'http://' } });
    await expect(http(get('https://cp.example.com/'))).rejects.toMatchObject({ kind: 'not_sent' });
  });
});
