/** What a rollout calls the server that it runs in stays inside. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/http/app.js';
import { type Door, openDoor, SELF_URL, withoutSelf } from '../../src/rollouts/self.js';

const received: [string, string][] = [];
const listener =
  (name: string): Parameters<typeof createServer>[1] =>
  (request, response) => {
    let body = '';
    request.on('data', (data) => {
      body += data;
    });
    request.on('end', () => {
      received.push([`${name} ${request.url}`, body]);
      response.end('{}');
    });
  };
const outside = createServer(listener('outside'));
let door: Door;
beforeAll(async () => {
  await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
  door = await openDoor({ routing: listener('inside') } as unknown as App);
});
afterAll(async () => {
  await door.close();
  outside.close();
});

test.each([
  [
    `the control plane at ${SELF_URL} cannot be reached: refused`,
    'this control plane cannot be reached: refused',
  ],
  [`the lock server at ${SELF_URL} gives no answer`, 'this control plane gives no answer'],
  [`check that ${SELF_URL} serves the fleet lock`, 'check that this control plane serves the fleet lock'],
  [`${SELF_URL} keeps no rollouts`, 'this control plane keeps no rollouts'],
  [
    `no endpoint at ${SELF_URL}/cp/admin/x (HTTP 404)`,
    'no endpoint at /cp/admin/x of this control plane (HTTP 404)',
  ],
  [`ends with ${SELF_URL}`, 'ends with this control plane'],
])('%s', (text, readable) => {
  expect(withoutSelf({ warnings: [text], control_plane: SELF_URL, n: 1 })).toEqual({
    warnings: [readable],
    n: 1,
  });
});

test('nor does it stand in what is sent: an alert to others, the step to those who wait', async () => {
  const { port } = outside.address() as AddressInfo;
  const body = JSON.stringify({ text: `the control plane at ${SELF_URL} cannot be reached` });
  const http = door.http(new AbortController().signal);
  const common = { method: 'POST' as const, headers: {}, body, timeoutMs: 5000, maxBytes: 1000 };
  await http({ ...common, url: `http://127.0.0.1:${port}/hook`, signal: undefined });
  await http({ ...common, url: `${SELF_URL}/claims`, signal: undefined });
  const said = JSON.stringify({ text: 'this control plane cannot be reached' });
  expect(received).toEqual([
    ['outside /hook', said],
    ['inside /claims', said],
  ]);
});
