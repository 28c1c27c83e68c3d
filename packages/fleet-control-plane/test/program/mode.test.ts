import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { Client, expectProblem, startPlane } from '../support/plane.js';

let plane: ControlPlane;
let client: Client;
beforeAll(async () => {
  plane = await startPlane({ mode: 'lock' });
  client = new Client(plane.url);
});
afterAll(() => plane.close());

it('serves the lock alone in the mode "lock": no tenants, no redeploy, no simulated fleet', async () => {
  expect((await client.claim('a').put()).status).toBe(200);
  expect(plane.tenantUrlTemplate).toBe('');
  const { body: document } = await client.call('GET', '/openapi.json');
  expect(Object.keys(document.paths).filter((path) => /redeploy|rolls|sim/.test(path))).toEqual([]);
  expectProblem(await client.redeploy({ target_tag: 'x', dry_run: true }), 404, 'not_found');
});
