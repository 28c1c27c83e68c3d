/** How often one client may ask. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import { Client, expectProblem, freshDatabase, startPlane } from '../support/plane.js';

const MAX = 20;
let server: EmbeddedDatabase;
let plane: ControlPlane;
beforeAll(async () => {
  server = await startEmbedded();
  plane = await startPlane({ databaseUrl: await freshDatabase(server), requestsMax: MAX });
});
afterAll(async () => {
  await plane.close();
  await server.close();
});

it('a client that asks too often is told to wait, and its holder still renews and releases', async () => {
  const client = new Client(plane.url);
  const holder = await client.holding('ci');
  const asked = Array.from({ length: MAX }, () => client.call('GET', `${client.lock}/`));
  const refused = (await Promise.all(asked)).filter(({ status }) => status !== 200);
  expect(refused).toHaveLength(1);
  for (const answer of refused) {
    expectProblem(answer, 429, 'too_many_requests');
    const wait = Number(answer.headers.get('retry-after'));
    expect(wait).toBeGreaterThanOrEqual(1);
    expect(wait).toBeLessThanOrEqual(10);
  }
  for (let each = 0; each < MAX; each += 1) expect((await holder.renew()).status).toBe(200);
  expect((await holder.release()).status).toBe(200);
  expectProblem(await client.claim('next').put(), 429, 'too_many_requests');
});

it('a crowd of 100 that waits is far from it', async () => {
  const crowd = await startPlane({ databaseUrl: await freshDatabase(server) });
  const client = new Client(crowd.url);
  const holder = await client.holding('ci');
  const waiters = await Promise.all(Array.from({ length: 99 }, (_, n) => client.waiting(`w${n}`)));
  for (let round = 0; round < 3; round += 1) {
    const answers = await Promise.all([...waiters.map((waiter) => waiter.put()), holder.renew()]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 202]));
  }
  await crowd.close();
});
