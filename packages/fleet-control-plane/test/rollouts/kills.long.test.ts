/**
 * Servers that are killed or stand still at any moment of a rollout, by seed. `FLEET_TEST_KILLS=200 FLEET_TEST_SEED=7` for a longer run
 * by hand.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import { freshDatabase } from '../support/plane.js';
import { endProcesses } from '../support/processes.js';
import { ServerFleet } from '../support/rollouts.js';

const KILLS = Number(process.env.FLEET_TEST_KILLS ?? 10);
const SEED = Number(process.env.FLEET_TEST_SEED ?? 1);
/** About as long as a rollout of these tenants takes. */
const LASTS_MS = 4_000;

let database: EmbeddedDatabase;
beforeAll(async () => {
  database = await startEmbedded();
});
afterAll(async () => {
  await endProcesses();
  await database.close();
});

test(
  `${KILLS} kills by seed ${SEED}: one verdict each, and one roll of each tenant`,
  async () => {
    const fleet = await ServerFleet.start(await freshDatabase(database), {
      tenants: 7,
      rollMs: 250,
      drainMs: 200,
      // A machine that does much besides is slow, and not wrong.
      config: { 'settle-budget': '20s' },
    });
    await Promise.all([fleet.addServer(), fleet.addServer()]);
    const moments = fc.sample(fc.integer({ min: 0, max: LASTS_MS }), { seed: SEED, numRuns: KILLS });
    /** From the kill to the first event of the next process, in milliseconds. */
    const took: number[] = [];
    for (const [index, ms] of moments.entries()) {
      const where = `kill ${index + 1}, ${ms} ms after the hand-over`;
      await fleet.reset();
      const runs = fleet.servers[0] as (typeof fleet.servers)[number];
      const { id } = (await fleet.start(runs)).body;
      await new Promise((resolve) => setTimeout(resolve, ms));
      // Every third one only stands still, comes back after the other has taken over, and finds that it is out.
      const stands = index % 3 === 2;
      if (stands) {
        fleet.servers.reverse();
        runs.process.signal('SIGSTOP');
      } else await fleet.kill(runs);
      const died = Date.now();
      const ended = await fleet.ended(id, 120_000);
      expect([ended.outcome, ended.reason], where).toEqual(['succeeded', expect.any(String)]);
      expect(new Set(Object.values(await fleet.rolls())), where).toEqual(new Set([1]));
      const events = await fleet.events(id);
      expect(
        events.filter(({ code }) => code === 'run.finished'),
        where,
      ).toHaveLength(1);
      const next = events.find(({ code }) => code === 'run.taken_over');
      if (next) took.push(Date.parse(next.at) - died);
      if (stands) {
        runs.process.signal('SIGCONT');
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        expect(new Set(Object.values(await fleet.rolls())), `${where}, and back`).toEqual(new Set([1]));
        expect(await fleet.events(id), `${where}, and back`).toEqual(events);
        await fleet.kill(runs);
      }
      await fleet.addServer();
    }
    // Else nothing was tried.
    expect(took.length).toBeGreaterThan(KILLS / 3);
    took.sort((a, b) => a - b);
    // One lease TTL and ten seconds.
    expect(took.at(-1)).toBeLessThan(25_000);
    const at = (share: number) => `${((took[Math.floor(took.length * share)] ?? 0) / 1000).toFixed(1)} s`;
    process.stdout.write(
      `${KILLS} kills by seed ${SEED}: ${took.length} take-overs, from ${at(0)} to ${at(0.9999)}, median ${at(0.5)}\n`,
    );
  },
  60_000 + KILLS * 120_000,
);
