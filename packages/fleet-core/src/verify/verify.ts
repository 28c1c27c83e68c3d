/** Stage 6: asks tenants until each is proven on target or its settle budget is spent. */
import type { StageContext } from '../context.js';
import type { Flips } from '../contract.js';
import { sleep } from '../io/sleep.js';
import { type Ledger, shaOf } from './ledger.js';
import { Pace } from './pace.js';
import { buildinfoUrl, type Observation, probe } from './probe.js';
import { answersOf, SHARD_TENANTS, SHARDS_OUT } from './shard.js';
import { askInTurns, type Elsewhere } from './turns.js';

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

/** How often a tenant is asked before it counts as one that names no commit, and the pause between. */
const LOOKS = 3;
const LOOK_AGAIN_MS = 1_000;
const LEAST_PATIENCE_MS = 1_000;
/** Between answers on target that confirm each other. */
const CONFIRM_MS = 250;

/** One verification: all its tenants at once, each with a budget of its own. */
interface Round {
  budgetMs: number;
  startedAt: number;
  /** Budgets count from here. */
  quietSince: number;
  untilQuiet: boolean;
  /** Who was not asked yet in it, where that is to be told; null: it is not. */
  unseen: Set<string> | null;
  /** Who is asked, and how many of them are on target. */
  slugs: string[];
  onTarget: number;
}

interface ProveOptions {
  untilQuiet?: boolean;
  tellsFirstLook?: boolean;
}

/** A tenant in a round. */
interface Followed {
  readonly slug: string;
  /** What was told of it last. */
  shown: string | null;
  /** Questions in this round. */
  asked: number;
}

/** Asks tenants what they run, and takes it down in the ledger. */
export class Verifier {
  readonly #pace: Pace;

  /** @param past How quick the tenants of the last rollouts of this fleet were. */
  constructor(
    private readonly context: StageContext,
    private readonly policy: ProbePolicy,
    private readonly ledger: Ledger,
    past: Flips[] = [],
  ) {
    this.#pace = new Pace(past);
  }

  /** How quick the tenants were that it saw come on target after their roll; null where it saw none. */
  get flips(): Flips | null {
    return this.#pace.flips;
  }

  /** Asks each tenant just once. @returns The slugs that are not proven on target. */
  ask(slugs: string[]): Promise<string[]> {
    return this.#verify(slugs, 0);
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
   * @param options.tellsFirstLook Tells once whom it waits for: for whoever did not roll, and may not want to wait.
   * @returns The slugs that are not proven on target.
   */
  prove(slugs: string[], options: ProveOptions & { budgetMs?: number } = {}): Promise<string[]> {
    return this.#verify(slugs, options.budgetMs ?? this.policy.settleBudgetMs, options);
  }

  async #verify(
    slugs: string[],
    budgetMs: number,
    { untilQuiet = false, tellsFirstLook = false }: ProveOptions = {},
  ): Promise<string[]> {
    const { context, ledger, policy } = this;
    const { clock, emit } = context;
    const startedAt = clock.monotonic();
    const isOpen = (slug: string) => !ledger.isOnTarget(slug);
    const onTarget = slugs.length - slugs.filter(isOpen).length;
    const round: Round = {
      budgetMs,
      startedAt,
      quietSince: startedAt,
      untilQuiet,
      unseen: tellsFirstLook ? new Set(slugs) : null,
      slugs,
      onTarget,
    };
    if (budgetMs > 0) emit({ code: 'verify.started', slugs, settle_budget_ms: budgetMs });
    const followed = slugs.map((slug): Followed => ({ slug, shown: null, asked: 0 }));
    const ask = (tenant: Followed) => this.#question(tenant, round);
    await askInTurns(context, followed, policy.probeConcurrency, ask, this.#elsewhere(round));
    const unproven = slugs.filter(isOpen);
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

  /** Asks a tenant once. @returns Milliseconds until it is to be asked again, or null. */
  async #question(followed: Followed, round: Round): Promise<number | null> {
    const { context, policy } = this;
    const observation = await probe(context.http, buildinfoUrl(policy.tenantUrl, followed.slug), {
      timeoutMs: this.#patienceMs(followed.slug, round),
      signal: context.signal,
      nonce: context.random.uuid,
    });
    const now = context.clock.monotonic();
    return this.#take(followed, round, observation, now, now);
  }

  /** Other processes that ask a part of a round; undefined where there are none, or the round is too small for that. */
  #elsewhere(round: Round): Elsewhere<Followed> | undefined {
    const { shards } = this.context;
    const { least, most } = shards?.tenants ?? SHARD_TENANTS;
    if (!shards || round.slugs.length <= most) return undefined;
    const { tenantUrl, probeTimeoutMs: timeoutMs, probeConcurrency: concurrency } = this.policy;
    const { clock, signal } = this.context;
    const ask = async (tenants: Followed[]) => {
      const asked = clock.monotonic();
      const slugs = tenants.map(({ slug }) => slug);
      const answers = answersOf(await shards.ask({ slugs, tenantUrl, timeoutMs, concurrency }, signal));
      signal.throwIfAborted();
      const now = clock.monotonic();
      return tenants.map((tenant) => {
        const answer = answers.get(tenant.slug);
        return answer && this.#take(tenant, round, answer.observation, now - answer.agoMs, asked);
      });
    };
    return { least, most, parts: SHARDS_OUT, ask };
  }

  /**
   * Takes an answer down.
   *
   * @param at Monotonic milliseconds of the answer.
   * @param asked Before this the question was not under way: a budget that ended later is not spent by it.
   * @returns Milliseconds until the tenant is to be asked again, or null.
   */
  #take(
    followed: Followed,
    round: Round,
    observation: Observation,
    at: number,
    asked: number,
  ): number | null {
    const { context, ledger } = this;
    const { slug } = followed;
    const now = context.clock.monotonic();
    const wasDone = ledger.isOnTarget(slug);
    followed.asked++;
    this.#learn(slug, observation, at);
    ledger.observe(slug, observation, at);
    const done = ledger.isOnTarget(slug);
    round.onTarget += Number(done) - Number(wasDone);
    if (round.untilQuiet && done) round.quietSince = Math.max(round.quietSince, at);
    const left = round.budgetMs - (asked - round.quietSince);
    this.#tell(followed, observation, round, left);
    this.#tellFirstLook(slug, round);
    // A tenant that its control plane calls unhealthy will not be proven by asking on.
    const { streak, flapped, row, since } = ledger.get(slug);
    if (done || row?.healthy === false) return null;
    // A proof under way may end after the budget: the tenant no longer answers with the old commit.
    if (streak > 0 && (!flapped || left > 0)) return CONFIRM_MS;
    if (left <= 0) return null;
    const spread = 0.9 + 0.2 * context.random.fraction();
    // The last question falls on the end of the budget, so that no tenant is called stale before it.
    return Math.min(
      this.#pace.waitMs(now - (since ?? now), followed.asked, round.slugs.length - round.onTarget) * spread,
      left - (now - asked),
    );
  }

  /** A tenant that did not answer last time gets no more time than its round has left, and a second at least. */
  #patienceMs(slug: string, { budgetMs, quietSince }: Round): number {
    const { probeTimeoutMs } = this.policy;
    if (!budgetMs || this.ledger.get(slug).observed?.kind !== 'unreachable') return probeTimeoutMs;
    const left = budgetMs - (this.context.clock.monotonic() - quietSince);
    return Math.min(probeTimeoutMs, Math.max(LEAST_PATIENCE_MS, left));
  }

  /** What an answer says of how long tenants take after their roll; others than rolled ones say nothing of it. */
  #learn(slug: string, observation: Observation, now: number): void {
    const { phase, since, observedAt, seenOnTarget } = this.ledger.get(slug);
    if (phase === null || since === null || seenOnTarget) return;
    const known = Math.max((observedAt ?? since) - since, 0);
    if (observation.kind === 'sha' && observation.sha === this.ledger.expectedSha)
      this.#pace.flipped(known, now - since);
    else this.#pace.waited(known, now - since);
  }

  /** Tells what is new of a tenant. */
  #tell(followed: Followed, observation: Observation, round: Round, left: number): void {
    const { context, ledger } = this;
    const { slug, shown } = followed;
    const status = ledger.isOnTarget(slug) ? 'on_target' : left <= 0 ? ledger.statusOf(slug) : 'waiting';
    const sha = shaOf(observation);
    followed.shown = `${status} ${sha ?? observation.kind}`;
    if (round.budgetMs === 0 || followed.shown === shown) return;
    context.emit({
      code: 'tenant.changed',
      slug,
      status,
      observed_sha: sha,
      detail: ledger.detailOf(slug),
      after_ms: context.clock.monotonic() - round.startedAt,
      on_target: round.onTarget,
      of: round.slugs.length,
    });
  }

  #tellFirstLook(slug: string, { unseen, slugs, onTarget, budgetMs }: Round): void {
    if (!unseen?.delete(slug) || unseen.size > 0) return;
    const open = slugs.filter((one) => !this.ledger.isOnTarget(one));
    if (!open.length || budgetMs === 0) return;
    const { emit } = this.context;
    emit({ code: 'verify.looked', on_target: onTarget, of: slugs.length, open, settle_budget_ms: budgetMs });
  }
}
