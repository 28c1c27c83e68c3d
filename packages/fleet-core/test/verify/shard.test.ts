/** Rounds that other processes ask a part of, on a hand-stepped clock. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Shard, ShardAnswers, Shards, StageContext } from '../../src/context.js';
import { type Http, HttpFailure } from '../../src/io/http.js';
import { systemRandom } from '../../src/ports.js';
import { ManualClock, RecordingSink } from '../../src/testing/index.js';
import { Ledger } from '../../src/verify/ledger.js';
import { askShard } from '../../src/verify/shard.js';
import { Verifier } from '../../src/verify/verify.js';
import { NEW, OLD } from '../helpers/fake-fleet.js';
import { always } from '../helpers/property.js';

const BUDGET_MS = 20_000;
/** How a tenant answers, by milliseconds since the start. */
interface Played {
  flipsAt: number;
  /** Then it answers the old commit once more, for a while. */
  flapsAt: number | null;
  kind: 'commit' | 'dev' | 'page' | 'silent';
}
/** What becomes of a shard: asked after a while in the queue, with the answers some time later. */
interface Fate {
  queuedMs: number;
  backMs: number;
  end: 'whole' | 'half' | 'lost' | 'foreign';
}

function world(played: Played[], fates: Fate[] | null, confirmations = 1) {
  const clock = new ManualClock();
  const sink = new RecordingSink();
  const end = new AbortController();
  const slugs = played.map((_, index) => `t${index}`);
  const asked: string[] = [];
  const http: Http = ({ url }) =>
    new Promise((resolve, reject) => {
      const slug = /(t\d+)\/buildinfo/.exec(url)?.[1] as string;
      const { flipsAt, flapsAt, kind } = played[Number(slug.slice(1))] as Played;
      asked.push(slug);
      clock.timer(20, () => {
        const now = clock.monotonic();
        const flaps = flapsAt !== null && now >= flapsAt && now < flapsAt + 500;
        const sha = kind === 'dev' ? 'dev' : now >= flipsAt && !flaps ? NEW : OLD;
        if (kind === 'silent') return reject(new HttpFailure('timeout', 'no answer'));
        const body = kind === 'page' ? '<html>' : JSON.stringify({ git_sha: sha });
        resolve({ status: 200, headers: {}, body });
      });
    });
  const wait = (ms: number) => new Promise<void>((resolve) => void clock.timer(ms, resolve));
  const given: Shard[] = [];
  const shards: Shards = {
    tenants: { least: 2, most: 4 },
    ask: async (shard, signal): Promise<ShardAnswers | null> => {
      const { queuedMs, backMs, end } = (fates as Fate[])[
        given.push(shard) % (fates as Fate[]).length
      ] as Fate;
      await wait(queuedMs);
      const whole: ShardAnswers = JSON.parse(
        JSON.stringify(await askShard({ clock, http, random: systemRandom, signal }, shard)),
      );
      await wait(backMs);
      if (end === 'lost') return null;
      if (end === 'foreign') return { commits: [NEW], tenants: [['zz', 0, 0]] };
      return end === 'whole'
        ? whole
        : { ...whole, tenants: whole.tenants.slice(0, whole.tenants.length / 2) };
    },
  };
  const context: StageContext = {
    ...{ clock, http, random: systemRandom, signal: end.signal },
    emit: (event) => sink.emit({ at: '', ...event }),
    ...(fates && { shards }),
  };
  const ledger = new Ledger(NEW, confirmations, []);
  for (const slug of slugs) ledger.add(slug);
  const policy = { settleBudgetMs: BUDGET_MS, probeTimeoutMs: 1_000, probeConcurrency: 3 };
  const verifier = new Verifier(context, { ...policy, tenantUrl: 'http://fleet.test/{slug}' }, ledger);
  return { clock, sink, end, slugs, asked, given, ledger, verifier };
}

const aTenant = fc.record({
  flipsAt: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: BUDGET_MS - 2_000 }), fc.constant(Infinity)),
  flapsAt: fc.option(fc.integer({ min: 0, max: 10_000 }), { freq: 3 }),
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant('commit' as const) },
    { weight: 1, arbitrary: fc.constantFrom('dev' as const, 'page' as const, 'silent' as const) },
  ),
});
const aFate = fc.record({
  queuedMs: fc.constantFrom(0, 100, 3_000),
  backMs: fc.constantFrom(0, 300, 3_000),
  end: fc.constantFrom<Fate['end']>('whole', 'whole', 'whole', 'half', 'lost', 'foreign'),
});
const aRound = fc.record({
  played: fc.array(aTenant, { minLength: 5, maxLength: 14 }),
  fates: fc.array(aFate, { minLength: 1, maxLength: 6 }),
  confirmations: fc.constantFrom(1, 2, 3),
});

test('a round that others ask a part of comes to what it comes to without them, whatever becomes of the parts', async () => {
  let out = 0;
  await always(aRound, async ({ played, fates, confirmations }) => {
    const [alone, cut] = [world(played, null, confirmations), world(played, fates, confirmations)];
    for (const { clock, verifier, slugs } of [alone, cut]) await clock.runUntil(verifier.prove(slugs));
    const statuses = ({ ledger }: typeof cut) => ledger.results().map(({ slug, status }) => [slug, status]);
    expect(statuses(cut)).toEqual(statuses(alone));
    expect(cut.clock.pending).toBe(0);
    // What is told of each is what the ledger holds in the end.
    const told = new Map(
      cut.sink.events.flatMap((event) =>
        event.code === 'tenant.changed' ? [[event.slug, event.observed_sha]] : [],
      ),
    );
    for (const { slug, observed_sha } of cut.ledger.results()) expect(told.get(slug)).toBe(observed_sha);
    out += cut.given.length;
  });
  expect(out).toBeGreaterThan(0);
});

test('one look at everybody takes down the same, each tenant once, whoever asks', async () => {
  await always(aRound, async ({ played, fates, confirmations }) => {
    const still = played.map((tenant) => ({
      ...{ ...tenant, flapsAt: null },
      flipsAt: tenant.flipsAt === 0 ? 0 : Infinity,
    }));
    const [alone, cut] = [world(still, null, confirmations), world(still, fates, confirmations)];
    for (const { clock, verifier, slugs } of [alone, cut]) await clock.runUntil(verifier.ask(slugs));
    const seen = ({ ledger }: typeof cut) =>
      ledger.results().map(({ on_target_after_ms: _ms, ...result }) => result);
    expect(seen(cut)).toEqual(seen(alone));
  });
});

const six = (one: Partial<Played> = {}) =>
  Array.from({ length: 6 }, (): Played => ({ flipsAt: 0, flapsAt: null, kind: 'commit', ...one }));
const whole: Fate = { queuedMs: 0, backMs: 0, end: 'whole' };

test('nobody is called stale for an answer that was given before its budget ended', async () => {
  // The tenants flip after they were asked, and the answers come when the budget is over.
  const late = { ...whole, backMs: BUDGET_MS + 1_000 };
  const { clock, verifier, slugs } = world(six({ flipsAt: BUDGET_MS / 2 }), [late]);
  expect(await clock.runUntil(verifier.prove(slugs))).toEqual([]);
});

test('answers of a lost part prove nobody: its tenants are asked here', async () => {
  const { clock, verifier, slugs, asked, ledger } = world(six(), [{ ...whole, end: 'lost' }]);
  expect(await clock.runUntil(verifier.prove(slugs))).toEqual([]);
  expect(ledger.results().map(({ probes }) => probes)).toEqual([1, 1, 1, 1, 1, 1]);
  expect(asked).toHaveLength(12);
});

test('who does not name a commit to another process is asked here as well', async () => {
  const { clock, verifier, slugs, asked, ledger } = world(six({ kind: 'silent' }), [whole]);
  await clock.runUntil(verifier.ask(slugs));
  expect(asked).toHaveLength(12);
  expect(ledger.counts()).toMatchObject({ unreachable: 6 });
});

test('a round that is no larger than a shard is asked here alone', async () => {
  const { clock, verifier, slugs, given } = world(six().slice(0, 4), [whole]);
  await clock.runUntil(verifier.prove(slugs));
  expect(given).toEqual([]);
});

test('what a part is told is addresses and limits', async () => {
  const { clock, verifier, slugs, given } = world(six(), [whole]);
  await clock.runUntil(verifier.prove(slugs));
  const rest = { tenantUrl: 'http://fleet.test/{slug}', timeoutMs: 1_000, concurrency: 3 };
  expect(given).toEqual([
    { slugs: ['t0', 't1', 't2', 't3'], ...rest },
    { slugs: ['t4', 't5'], ...rest },
  ]);
});

test('an abort ends the round with its reason, and leaves nothing behind', async () => {
  const { clock, verifier, slugs, end } = world(six({ flipsAt: Infinity }), [{ ...whole, backMs: 100 }]);
  clock.timer(2_000, () => end.abort('SIGTERM'));
  await expect(clock.runUntil(verifier.prove(slugs))).rejects.toBe('SIGTERM');
  expect(clock.pending).toBe(0);
});

test('a shard that is cut, or takes too long, says what it heard until then', async () => {
  for (const [endMs, expected] of [
    [30, 3],
    [60_000, 4],
  ] as const) {
    const { clock } = world([], null);
    const end = new AbortController();
    clock.timer(endMs, () => end.abort());
    const http: Http = ({ url, signal }) =>
      new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new HttpFailure('aborted', 'cut')));
        const silent = url.includes('/t2/');
        if (!silent)
          clock.timer(20, () => resolve({ status: 200, headers: {}, body: `{"git_sha":"${NEW}"}` }));
      });
    const shard = {
      slugs: ['t0', 't1', 't2', 't3', 't4'],
      ...{ tenantUrl: 'http://fleet.test/{slug}', timeoutMs: 99_000, concurrency: 4 },
    };
    const said = await clock.runUntil(
      askShard({ clock, http, random: systemRandom, signal: end.signal }, shard),
    );
    expect(said.tenants).toHaveLength(expected);
    expect(said.commits).toEqual([NEW]);
    expect(clock.monotonic()).toBe(Math.min(endMs, 10_000));
  }
});
