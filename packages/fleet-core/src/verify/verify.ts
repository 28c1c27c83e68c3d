/** Stage 6: asks tenants until each is proven on target or its settle budget is spent. */
import pLimit from 'p-limit';
import type { StageContext } from '../context.js';
import { sleep } from '../io/sleep.js';
import { type Ledger, shaOf } from './ledger.js';
import { buildinfoUrl, type Observation, probe } from './probe.js';

export interface ProbePolicy {
  /** Address of a tenant, with `{slug}`. */
  tenantUrl: string;
  /** How long one tenant may go on answering anything else before it counts as not proven. */
  settleBudgetMs: number;
  /** Longest wait for one answer. */
  probeTimeoutMs: number;
  /** Tenants that are asked at the same time, at least 1. */
  probeConcurrency: number;
}

/** Quick at first, since a healthy tenant is there within seconds; then slower, bounded, with a fixed worst delay. */
const FIRST_POLL_MS = 500;
const POLL_GROWTH = 1.5;
const LAST_POLL_MS = 10_000;
/** How often a tenant is asked before it counts as one that names no commit, and the pause between. */
const LOOKS = 3;
const LOOK_AGAIN_MS = 1_000;
/** Between answers on target that confirm each other. */
const CONFIRM_MS = 250;

/** One verification: all its tenants at once, each with a budget of its own. */
interface Round {
  slugs: string[];
  budgetMs: number;
  startedAt: number;
  /** Budgets count from here. */
  quietSince: number;
  untilQuiet: boolean;
  /** Bounds how many are asked at the same time. */
  slot: ReturnType<typeof pLimit>;
}

/** Asks tenants what they run, and takes it down in the ledger. */
export class Verifier {
  constructor(
    private readonly context: StageContext,
    private readonly policy: ProbePolicy,
    private readonly ledger: Ledger,
  ) {}

  /** Asks each tenant just once. @returns The slugs that are not proven on target. */
  ask(slugs: string[]): Promise<string[]> {
    return this.#verify(slugs, 0, false);
  }

  /**
   * Asks each tenant, and again those that named no commit: what is rolled next must not hang on one lost answer.
   *
   * @returns The slugs that are not proven on target.
   */
  async look(slugs: string[]): Promise<string[]> {
    const { clock, signal } = this.context;
    let asked = slugs;
    for (let round = 1; ; round++) {
      await this.ask(asked);
      asked = asked.filter((slug) => shaOf(this.ledger.get(slug).observed) === null);
      if (!asked.length || round === LOOKS) return slugs.filter((slug) => !this.ledger.isOnTarget(slug));
      await sleep(clock, LOOK_AGAIN_MS, signal);
    }
  }

  /**
   * Asks each tenant until it is proven or its settle budget is spent.
   *
   * @param options.budgetMs Instead of the policy's settle budget.
   * @param options.untilQuiet Counts the budget from the last tenant that came on target: for a rollout that somebody
   *   else drives, whose tenants come one after the other.
   * @returns The slugs that are not proven on target.
   */
  prove(slugs: string[], options: { budgetMs?: number; untilQuiet?: boolean } = {}): Promise<string[]> {
    return this.#verify(slugs, options.budgetMs ?? this.policy.settleBudgetMs, options.untilQuiet ?? false);
  }

  async #verify(slugs: string[], budgetMs: number, untilQuiet: boolean): Promise<string[]> {
    const { clock, emit } = this.context;
    const startedAt = clock.monotonic();
    const slot = pLimit(this.policy.probeConcurrency);
    const round: Round = { slugs, budgetMs, startedAt, quietSince: startedAt, untilQuiet, slot };
    if (budgetMs > 0) emit({ code: 'verify.started', slugs, settle_budget_ms: budgetMs });
    await allOrAbort(slugs.map((slug) => this.#follow(slug, round)));
    const unproven = slugs.filter((slug) => !this.ledger.isOnTarget(slug));
    if (budgetMs > 0) {
      emit({
        code: 'verify.finished',
        on_target: slugs.length - unproven.length,
        of: slugs.length,
        duration_ms: clock.monotonic() - startedAt,
      });
    }
    return unproven;
  }

  async #follow(slug: string, round: Round): Promise<void> {
    const { context, policy, ledger } = this;
    const { clock, random, signal } = context;
    const url = buildinfoUrl(policy.tenantUrl, slug);
    let shown: string | null = null;
    for (let wait = FIRST_POLL_MS; ; wait = Math.min(wait * POLL_GROWTH, LAST_POLL_MS)) {
      const observation = await round.slot(() =>
        probe(context.http, url, { timeoutMs: policy.probeTimeoutMs, signal }),
      );
      const now = clock.monotonic();
      ledger.observe(slug, observation, now);
      const done = ledger.isOnTarget(slug);
      if (round.untilQuiet && done) round.quietSince = now;
      const left = round.budgetMs - (now - round.quietSince);
      const news = this.#tell(slug, observation, round, { left, now, shown });
      shown = news;
      // A tenant that its control plane calls unhealthy will not be proven by asking on.
      if (done || ledger.get(slug).row?.healthy === false) return;
      const { streak, flapped } = ledger.get(slug);
      // A proof under way may end after the budget: the tenant no longer answers with the old commit.
      if (streak > 0 && (!flapped || left > 0)) {
        wait = FIRST_POLL_MS;
        await sleep(clock, CONFIRM_MS, signal);
        continue;
      }
      if (left <= 0) return;
      const spread = wait * (0.85 + 0.3 * random.fraction());
      // The last question falls on the end of the budget, so that no tenant is called stale before it; a fraction
      // of a millisecond that is left over would move no clock.
      await sleep(clock, Math.max(1, Math.min(spread, left)), signal);
    }
  }

  /** Tells what is new of a tenant. @returns What is told, to be compared with the next answer. */
  #tell(
    slug: string,
    observation: Observation,
    { slugs, budgetMs, startedAt }: Round,
    { left, now, shown }: { left: number; now: number; shown: string | null },
  ): string {
    const { ledger } = this;
    const done = (one: string) => ledger.isOnTarget(one);
    const status = done(slug) ? 'on_target' : left <= 0 ? ledger.statusOf(slug) : 'waiting';
    const sha = shaOf(observation);
    const news = `${status} ${sha ?? observation.kind}`;
    if (budgetMs > 0 && news !== shown) {
      this.context.emit({
        code: 'tenant.changed',
        slug,
        status,
        observed_sha: sha,
        detail: ledger.detailOf(slug),
        after_ms: now - startedAt,
        on_target: slugs.filter(done).length,
        of: slugs.length,
      });
    }
    return news;
  }
}

/** Waits for all, also where one fails: nothing may go on in the background once this returns. */
export async function allOrAbort(work: Promise<void>[]): Promise<void> {
  for (const end of await Promise.allSettled(work)) if (end.status === 'rejected') throw end.reason;
}
