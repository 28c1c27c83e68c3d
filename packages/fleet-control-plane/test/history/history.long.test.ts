/**
 * Recorded histories of client processes and two replicas over a bad network, checked. By hand, for longer:
 *
 *     FLEET_TEST_HISTORY_SECONDS=480 FLEET_TEST_HISTORY_SEED=7 npx vitest run test/history.test.ts
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import { checkHistory } from '../fixtures/check-history.js';
import type { History } from '../fixtures/history.js';
import { record } from '../fixtures/record-history.js';
import { endProcesses } from '../support/processes.js';

const byHand = Number(process.env.FLEET_TEST_HISTORY_SECONDS ?? 0);
const seed = Number(process.env.FLEET_TEST_HISTORY_SEED ?? 1);
/** Seconds of one recording. */
const SECONDS = byHand ? 20 : 8;

let server: EmbeddedDatabase;
beforeAll(async () => {
  server = await startEmbedded();
});
afterAll(async () => {
  await endProcesses();
  await server.close();
});

/** Checks them, and keeps what was wrong where it can be looked at. */
async function judge(histories: History[], from: number): Promise<string[]> {
  const violations = histories.flatMap(checkHistory);
  if (violations.length > 0) {
    const folder = join(tmpdir(), `fleet-lock-history-${from}`);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'histories.json'), JSON.stringify({ violations, histories }));
  }
  return violations;
}

it('shows no violation in recorded histories', { timeout: (byHand + 120) * 1000 }, async () => {
  const sum = { histories: 0, calls: 0, unanswered: 0, grants: 0, transitions: 0, rolls: 0, violations: 0 };
  // A recording in which little happened shows little.
  const enough = () => sum.grants > 5 && sum.rolls > 0;
  const end = Date.now() + byHand * 1000;
  for (let round = seed; round === seed || Date.now() < end || (!enough() && round < seed + 3); round += 1) {
    const clients = 3 + (round % 3);
    const histories = await record(server, { seed: round, seconds: SECONDS, clients, violence: true });
    const violations = await judge(histories, round);
    for (const { entries, events, rolls } of histories) {
      const calls = entries.filter((entry) => entry.kind === 'call').length;
      sum.histories += 1;
      sum.calls += calls;
      sum.unanswered += calls - entries.filter((entry) => entry.kind === 'return').length;
      sum.grants += events.filter((event) => event.kind === 'granted').length;
      sum.transitions += events.length;
      sum.rolls += rolls.length;
    }
    sum.violations += violations.length;
    if (byHand) process.stdout.write(`seed ${round}: ${JSON.stringify(sum)}\n`);
    expect(violations).toEqual([]);
  }
  expect(sum).toSatisfy(enough);
});
