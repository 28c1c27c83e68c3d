/** How tenants are asked, against real answers on a hand-stepped clock. */
import { afterEach, expect, test } from 'vitest';
import type { EventData } from '../../src/events/events.js';
import { type Http, HttpFailure, type HttpResponse } from '../../src/io/http.js';
import { systemRandom } from '../../src/ports.js';
import { ManualClock } from '../../src/testing/index.js';
import { Ledger } from '../../src/verify/ledger.js';
import { Verifier } from '../../src/verify/verify.js';
import { FakeFleet, NEW, OLD } from '../helpers/fake-fleet.js';
import { run as runWhole } from '../helpers/run.js';
import { stage } from '../helpers/stage.js';
import { runFast } from '../helpers/world.js';

let fleet: FakeFleet;
afterEach(() => fleet.stop());

async function verifier(slugs: string[], confirmations = 1) {
  fleet = await FakeFleet.start(slugs);
  const ledger = new Ledger(NEW, confirmations, []);
  for (const slug of slugs) ledger.add(slug);
  const policy = { ...{ settleBudgetMs: 3_000, probeTimeoutMs: 1_000 }, probeConcurrency: 2 };
  const surroundings = stage();
  const tenantUrl = `${fleet.url}/t/{slug}`;
  return {
    ledger,
    ...surroundings,
    verifier: new Verifier(surroundings.context, { ...policy, tenantUrl }, ledger),
  };
}

test('many tenants at once are no leak of listeners', async () => {
  const said: string[] = [];
  const listen = (warning: Error) => said.push(warning.name);
  process.on('warning', listen);
  const slugs = Array.from({ length: 40 }, (_none, index) => `t${index}`);
  fleet = await FakeFleet.start(slugs);
  await runWhole({ ...fleet.options, settleBudgetMs: 2_000, probeConcurrency: 40 }, { command: 'verify' });
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', listen);
  expect(said).toEqual([]);
});

test('asking asks once and takes down what was said', async () => {
  const { run, ledger, verifier: asks } = await verifier(['acme', 'birch']);
  fleet.tenants.set('birch', NEW);
  expect(await run(asks.ask(['acme', 'birch']))).toEqual(['acme']);
  expect(fleet.probes.sort()).toEqual(['acme', 'birch']);
  expect(ledger.counts()).toMatchObject({ enumerated: 2, on_target: 1, stale: 1 });
});

test('proving goes on until the budget ends, and its last question falls on the end', async () => {
  const { run, clock, verifier: asks } = await verifier(['acme']);
  expect(await run(asks.prove(['acme']))).toEqual(['acme']);
  expect(clock.monotonic()).toBeCloseTo(3_000, 0);
  expect(await run(asks.prove(['acme'], { budgetMs: 500 }))).toEqual(['acme']);
  expect(clock.monotonic()).toBeCloseTo(3_500, 0);
});

test('until it is quiet, every tenant that comes on target gives the others a new budget', async () => {
  const { run, clock, verifier: asks } = await verifier(['acme', 'birch']);
  clock.timer(1_500, () => fleet.tenants.set('acme', NEW));
  clock.timer(3_500, () => fleet.tenants.set('birch', NEW));
  expect(await run(asks.prove(['acme', 'birch'], { untilQuiet: true }))).toEqual([]);
  expect(fleet.tenants.get('birch')).not.toBe(OLD);
});

test('200 of 1,000 tenants that never answer keep no other from being proven, nor the round from ending', async () => {
  const clock = new ManualClock();
  const slugs = Array.from({ length: 1_000 }, (_, index) => `t${index}`);
  const silent = (url: string) => Number(/t(\d+)\//.exec(url)?.[1]) % 5 === 0;
  let open = 0;
  let most = 0;
  const http: Http = ({ url, timeoutMs }) => {
    most = Math.max(most, ++open);
    return new Promise<HttpResponse>((resolve, reject) => {
      clock.timer(silent(url) ? timeoutMs : 20, () => {
        open--;
        if (silent(url)) return reject(new HttpFailure('timeout', 'no answer'));
        resolve({ status: 200, headers: {}, body: JSON.stringify({ git_sha: NEW }) });
      });
    });
  };
  const ledger = new Ledger(NEW, 1, []);
  for (const slug of slugs) ledger.add(slug);
  const { signal } = new AbortController();
  const provenAt: number[] = [];
  const emit = (event: EventData) => {
    if (event.code === 'tenant.changed' && event.status === 'on_target') provenAt.push(clock.monotonic());
  };
  const asks = new Verifier(
    { clock, http, random: systemRandom, emit, signal },
    { tenantUrl: 'https://x/{slug}', settleBudgetMs: 60_000, probeTimeoutMs: 10_000, probeConcurrency: 32 },
    ledger,
  );
  const unproven = await runFast(clock, asks.prove(slugs));
  expect(unproven).toHaveLength(200);
  expect(provenAt).toHaveLength(800);
  expect(Math.max(...provenAt)).toBeLessThan(20_000);
  expect(clock.monotonic()).toBeLessThan(60_000 * 1.1);
  expect(most).toBeLessThanOrEqual(32 * 16);
  expect(clock.pending).toBe(0);
});

test('what ends the stage ends the asking, with its reason', async () => {
  const { run, end, verifier: asks } = await verifier(['acme']);
  fleet.onProbe = () => end.abort('SIGINT');
  await expect(run(asks.prove(['acme']))).rejects.toBe('SIGINT');
});
