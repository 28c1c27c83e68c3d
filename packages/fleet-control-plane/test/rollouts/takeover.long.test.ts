/** A server dies while it runs a rollout: another one goes on, and the tenants' own record shows one roll each. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import { type Body, freshDatabase } from '../support/plane.js';
import { endProcesses } from '../support/processes.js';
import { ServerFleet } from '../support/rollouts.js';

let database: EmbeddedDatabase;
beforeAll(async () => {
  database = await startEmbedded();
});
afterAll(() => database.close());
afterEach(endProcesses);

test('a server that is killed in a batch is taken over under the same claim, and nobody is rolled twice', async () => {
  const fleet = await ServerFleet.start(await freshDatabase(database), { tenants: 5, rollMs: 300 });
  const first = await fleet.addServer();
  await fleet.addServer();
  const { id } = (await fleet.start(first)).body;
  await fleet.said(id, ({ code, phase }) => code === 'wave.started' && phase === 'batch-1');
  const died = Date.now();
  await fleet.kill(first);

  const ended = await fleet.ended(id);
  expect(ended).toMatchObject({
    outcome: 'succeeded',
    takeovers: 1,
    result: { rollout: { id, takeovers: 1 } },
  });
  expect(ended.reason).toContain('taken over by another process of the server');
  expect(await fleet.rolls()).toEqual({ t1: 1, t2: 1, t3: 1, t4: 1, t5: 1 });
  const events = await fleet.events(id);
  expect(events.map(({ n }) => n)).toEqual(events.map((_, at) => at + 1));
  expect(events.filter(({ code }) => code === 'run.finished')).toHaveLength(1);
  // What was proven before is not rolled again: the canary is not even named by the second process.
  const from = events.findIndex(({ code }) => code === 'run.taken_over');
  const again = events.slice(from).filter(({ code }) => code === 'wave.started');
  expect(again.map(({ phase }) => phase)).toEqual(['batch-1', 'batch-2']);
  // One lease TTL and ten seconds.
  expect(Date.parse(events[from].at) - died).toBeLessThan(25_000);
  const { rollouts } = (await fleet.call('GET', '/cp/admin/fleet-locks/staging/rollouts')).body;
  expect(rollouts.map(({ claim_id, state }: Body) => [claim_id, state])).toEqual([[id, 'ended']]);
  const audit = (await fleet.call('GET', '/cp/admin/fleet-locks/staging/events')).body.events;
  expect(audit.map(({ kind }: Body) => kind)).toEqual(['granted', 'taken_over', 'released']);
}, 90_000);
