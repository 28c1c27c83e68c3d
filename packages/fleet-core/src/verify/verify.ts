/** Stage 6: asks tenants until each is proven on target or its settle budget is spent. */
import pLimit from 'p-limit';
import type { Config } from '../config/config.js';
import type { Emit } from '../events/emitter.js';
import { sleep } from '../io/sleep.js';
import type { Ports } from '../ports.js';
import { type Ledger, shaOf } from './ledger.js';
import { buildinfoUrl, probe } from './probe.js';

export interface Verification {
  config: Config;
  ports: Ports;
  ledger: Ledger;
  emit: Emit;
  signal: AbortSignal;
}

/** Quick at first, since a healthy tenant is there within seconds; then slower, bounded, with a fixed worst delay. */
const FIRST_POLL_MS = 500;
const POLL_GROWTH = 1.5;
const LAST_POLL_MS = 10_000;
/** Between answers on target that confirm each other. */
const CONFIRM_MS = 250;

/**
 * Verifies the tenants, all at once with bounded concurrency, each with a budget of its own.
 *
 * @param budgetMs How long one tenant may go on answering anything else; 0 asks each tenant just once.
 * @param untilQuiet Counts the budget from the last tenant that came on target: for a rollout that somebody else
 *   drives, whose tenants come one after the other.
 * @returns The slugs that are not proven on target.
 */
export async function verifyTenants(
  io: Verification,
  slugs: string[],
  budgetMs: number,
  untilQuiet = false,
): Promise<string[]> {
  const { config, ports, ledger, emit } = io;
  const started = ports.clock.monotonic();
  let quietSince = started;
  const slot = pLimit(config.probeConcurrency);
  if (budgetMs > 0) emit({ code: 'verify.started', slugs, settle_budget_ms: budgetMs });
  const done = (slug: string) => ledger.isOnTarget(slug);

  await allOrAbort(
    slugs.map(async (slug) => {
      const url = buildinfoUrl(config.tenantUrl, slug);
      let shown: string | null = null;
      for (let wait = FIRST_POLL_MS; ; wait = Math.min(wait * POLL_GROWTH, LAST_POLL_MS)) {
        const observation = await slot(() =>
          probe(ports.http, url, { timeoutMs: config.probeTimeoutMs, signal: io.signal }),
        );
        const now = ports.clock.monotonic();
        const elapsed = now - started;
        ledger.observe(slug, observation, now);
        if (untilQuiet && done(slug)) quietSince = now;
        const left = budgetMs - (now - quietSince);
        const status = done(slug) ? 'on_target' : left <= 0 ? ledger.statusOf(slug) : 'waiting';
        const news = `${status} ${shaOf(observation) ?? observation.kind}`;
        if (budgetMs > 0 && news !== shown) {
          shown = news;
          emit({
            code: 'tenant.changed',
            slug,
            status,
            observed_sha: shaOf(observation),
            detail: ledger.detailOf(slug),
            after_ms: elapsed,
            on_target: slugs.filter(done).length,
            of: slugs.length,
          });
        }
        // A tenant that its control plane calls unhealthy will not be proven by asking on.
        if (done(slug) || ledger.get(slug).row?.healthy === false) return;
        const { streak, flapped } = ledger.get(slug);
        // A proof under way may end after the budget: the tenant no longer answers with the old commit.
        if (streak > 0 && (!flapped || left > 0)) {
          wait = FIRST_POLL_MS;
          await sleep(ports.clock, CONFIRM_MS, io.signal);
          continue;
        }
        if (left <= 0) return;
        const spread = wait * (0.85 + 0.3 * ports.random.fraction());
        // The last question falls on the end of the budget, so that no tenant is called stale before it; a fraction
        // of a millisecond that is left over would move no clock.
        await sleep(ports.clock, Math.max(1, Math.min(spread, left)), io.signal);
      }
    }),
  );
  const unproven = slugs.filter((slug) => !done(slug));
  if (budgetMs > 0) {
    const duration_ms = ports.clock.monotonic() - started;
    emit({
      code: 'verify.finished',
      on_target: slugs.length - unproven.length,
      of: slugs.length,
      duration_ms,
    });
  }
  return unproven;
}

/** Waits for all, also where one fails: nothing may go on in the background once this returns. */
export async function allOrAbort(work: Promise<void>[]): Promise<void> {
  for (const end of await Promise.allSettled(work)) if (end.status === 'rejected') throw end.reason;
}
