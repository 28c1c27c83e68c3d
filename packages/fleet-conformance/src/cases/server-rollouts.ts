/** Section 7: rollouts that the server runs. Nothing here starts one. */
import { randomUUID } from 'node:crypto';
import type { Case } from '../case.js';
import { must } from '../miss.js';
import type { Server } from '../server.js';

const PATH = '/cp/admin/rollouts';
const REQUEST = {
  environment: 'conformance-no-such-environment',
  target_tag: 'conformance-no-such-image',
  expected_sha: 'c'.repeat(40),
  holder: { name: 'conformance' },
};

const start = (server: Server, body: unknown, headers: Record<string, string>, token?: null) =>
  server.call('POST', `${PATH}/`, { body, headers, ...(token === null && { token }) });

export const serverRollouts: Case[] = [
  {
    id: '7.01',
    title: 'A rollout is started with the token alone',
    loses: 'whoever reaches the server can roll its fleets',
    feature: 'server-rollouts',
    async check({ server }) {
      const answer = await start(server, REQUEST, { 'idempotency-key': randomUUID() }, null);
      must(answer.status === 401 || answer.status === 403, `${answer} to no token`);
    },
  },
  {
    id: '7.02',
    title: 'A rollout without an Idempotency-Key is refused',
    loses: 'a lost answer starts the same rollout twice',
    feature: 'server-rollouts',
    check: async ({ server }) => (await start(server, REQUEST, {})).isBadRequest(),
  },
  {
    id: '7.03',
    title: 'An environment that the server does not know is refused with 404 unknown_environment',
    loses: 'a mistyped environment rolls another fleet, or nothing, without a word',
    feature: 'server-rollouts',
    async check({ server }) {
      (await start(server, REQUEST, { 'idempotency-key': randomUUID() })).refuses(404, 'unknown_environment');
    },
  },
  {
    id: '7.04',
    title: 'A malformed rollout is refused',
    loses: 'a mistake is found in the middle of a roll',
    feature: 'server-rollouts',
    async check({ server }) {
      for (const body of [{}, { ...REQUEST, expected_sha: 'main' }, { ...REQUEST, target_tag: 'no tag' }])
        (await start(server, body, { 'idempotency-key': randomUUID() })).isBadRequest();
    },
  },
  {
    id: '7.05',
    title: 'Rollouts are listed; one that there is not is 404, also its events and what people ask of it',
    loses: '`fleet rollout attach` waits for events that never come',
    feature: 'server-rollouts',
    async check({ server }) {
      const list = await server.call('GET', `${PATH}/?limit=1`);
      must(list.status === 200, `${list}, not 200`);
      const one = `${PATH}/${randomUUID()}`;
      const said = { reason: 'conformance', actor: 'conformance' };
      for (const answer of [
        await server.call('GET', one),
        await server.call('GET', `${one}/events?after=0&wait_seconds=0`),
        await server.call('POST', `${one}/abort`, { body: said }),
      ])
        must(answer.status === 404, `${answer}, not 404`);
    },
  },
];
