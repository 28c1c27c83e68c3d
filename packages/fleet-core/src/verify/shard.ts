/** A part of the tenants of a round, which another process asks once for the one that runs the rollout. */
import type { Shard, ShardAnswers, StageContext } from '../context.js';
import { shaOf } from './ledger.js';
import { buildinfoUrl, type Observation, probe } from './probe.js';
import { askInTurns } from './turns.js';

/** Fewer are asked sooner than they are handed over; of more, one server would have much while another has nothing. */
export const SHARD_TENANTS = { least: 500, most: 1_000 };
/** Shards of one rollout, so of an environment, that are out at the same moment: more would wait until they are late. */
export const SHARDS_OUT = 16;
/** Whoever has not answered by then is left to the process of the rollout, with all the patience that it has. */
const SHARD_MS = 10_000;

/**
 * Asks every tenant of a shard once.
 *
 * @param io.signal Ends it: this process has no time for it any more.
 * @returns The commits that were named within ten seconds. Who is not in it is asked by the process of the rollout. Never
 *   rejects.
 */
export async function askShard(
  io: Pick<StageContext, 'clock' | 'random' | 'http' | 'signal'>,
  { slugs, tenantUrl, timeoutMs, concurrency }: Shard,
): Promise<ShardAnswers> {
  const { clock, http, random } = io;
  const over = new AbortController();
  const cancel = clock.timer(SHARD_MS, () => over.abort());
  const signal = AbortSignal.any([io.signal, over.signal]);
  const answers: { slug: string; sha: string; at: number }[] = [];
  const ask = async (slug: string) => {
    const options = { timeoutMs, signal, nonce: random.uuid };
    const sha = shaOf(await probe(http, buildinfoUrl(tenantUrl, slug), options));
    // That nothing or something else answers may lie at where this process stands.
    if (sha !== null) answers.push({ slug, sha, at: clock.monotonic() });
    return null;
  };
  // Whatever cut it short: the answers until then are answers.
  await askInTurns({ clock, signal }, slugs, concurrency, ask).catch(() => {});
  cancel();
  return packed(answers, clock.monotonic());
}

function packed(answers: { slug: string; sha: string; at: number }[], end: number): ShardAnswers {
  const commits = [...new Set(answers.map(({ sha }) => sha))];
  const places = new Map(commits.map((sha, place) => [sha, place]));
  return {
    commits,
    tenants: answers.map(({ slug, sha, at }) => [slug, places.get(sha) as number, Math.round(end - at)]),
  };
}

/** The answers by tenant; none of a shard that was lost. */
export function answersOf(
  answers: ShardAnswers | null,
): Map<string, { observation: Observation; agoMs: number }> {
  const { commits, tenants } = answers ?? { commits: [], tenants: [] };
  const said = commits.map((sha): Observation => (sha === 'dev' ? { kind: 'dev' } : { kind: 'sha', sha }));
  return new Map(
    tenants.map(([slug, place, agoMs]) => [slug, { observation: said[place] as Observation, agoMs }]),
  );
}
