/** What is known of every enumerated tenant; each is in exactly one status at any time. */
import { matcherOf } from '../config/glob.js';
import type { Counts, TenantResult, TenantStatus } from '../result/result.js';
import type { Observation } from './probe.js';

/** What the control plane said of a tenant in its last roll. */
export interface RowReport {
  healthy: boolean | null;
  verified: boolean | null;
  /** The command on the tenant's host failed, in words that are safe to print. */
  failure: string | null;
}

export interface Tenant {
  readonly slug: string;
  readonly ephemeral: boolean;
  /** Phase in which it was rolled; null: not rolled. */
  phase: string | null;
  /** Calls that rolled it, or may have; more than one where the answer to the first was lost. */
  rolls: number;
  /** An earlier run has rolled it to the same commit, or to another one, and did not see it there. */
  rolledBefore: 'here' | 'elsewhere' | null;
  observed: Observation | null;
  /** Monotonic milliseconds of that answer. */
  observedAt: number | null;
  baseline: string | null;
  probes: number;
  /** Answers on target in a row. */
  streak: number;
  /** It answered on target, if only once, since its roll. */
  seenOnTarget: boolean;
  /** It answered on target and then with another commit. */
  flapped: boolean;
  /** Monotonic milliseconds of its first answer, or of the start of its roll. */
  since: number | null;
  onTargetAfterMs: number | null;
  row: RowReport | null;
  note: string | null;
  /** As the canary it was watched for its whole soak and stayed on target. */
  soaked: boolean;
}

/** What is kept of a tenant for another process that goes on with the run: no answer of the tenant, which is asked again. */
export interface KeptTenant {
  slug: string;
  phase: string | null;
  rolls: number;
  rolledBefore: Tenant['rolledBefore'];
  baseline: string | null;
  row: RowReport | null;
  note: string | null;
  soaked: boolean;
}

/** After new-then-old, this many answers in a row are needed: one more would be luck with two replicas. */
const STREAK_AFTER_FLAP = 3;

const ROLLED_BEFORE = {
  here: 'an earlier run had rolled it to this commit already',
  elsewhere: 'was on target, and rolled since an earlier run had rolled it to another commit',
} as const;

export class Ledger {
  readonly #tenants = new Map<string, Tenant>();
  readonly #isEphemeral: (slug: string) => boolean;

  /**
   * @param expectedSha Lower-case commit; null where none is known, and then nobody is on target.
   * @param confirmations Answers in a row that prove a tenant, at least 1.
   */
  constructor(
    readonly expectedSha: string | null,
    readonly confirmations: number,
    ephemeral: string[],
  ) {
    this.#isEphemeral = matcherOf(ephemeral);
  }

  /** Adds a tenant; known ones stay as they are. */
  add(slug: string): Tenant {
    let tenant = this.#tenants.get(slug);
    if (!tenant) {
      tenant = {
        slug,
        ephemeral: this.#isEphemeral(slug),
        phase: null,
        rolls: 0,
        rolledBefore: null,
        observed: null,
        observedAt: null,
        baseline: null,
        probes: 0,
        streak: 0,
        seenOnTarget: false,
        flapped: false,
        since: null,
        onTargetAfterMs: null,
        row: null,
        note: null,
        soaked: false,
      };
      this.#tenants.set(slug, tenant);
    }
    return tenant;
  }

  get(slug: string): Tenant {
    const tenant = this.#tenants.get(slug);
    if (!tenant) throw new RangeError(`${slug} is not enumerated`);
    return tenant;
  }

  has(slug: string): boolean {
    return this.#tenants.has(slug);
  }

  get slugs(): string[] {
    return [...this.#tenants.keys()];
  }

  /** Takes down one answer. @param now Monotonic milliseconds. */
  observe(slug: string, observation: Observation, now: number): void {
    const tenant = this.get(slug);
    tenant.since ??= now;
    tenant.probes++;
    tenant.observed = observation;
    tenant.observedAt = now;
    if (observation.kind === 'sha' && observation.sha === this.expectedSha) {
      tenant.streak++;
      tenant.seenOnTarget = true;
      tenant.onTargetAfterMs ??= Math.round(now - tenant.since);
      return;
    }
    if (tenant.seenOnTarget && (observation.kind === 'sha' || observation.kind === 'dev'))
      tenant.flapped = true;
    tenant.streak = 0;
    tenant.onTargetAfterMs = null;
  }

  /** Keeps what every tenant answers now as the state before the roll. */
  keepBaseline(): void {
    for (const tenant of this.#tenants.values()) tenant.baseline = shaOf(tenant.observed);
  }

  /** Starts the proof anew with the first roll: what a tenant said before it proves nothing after it. */
  startRoll(slug: string, phase: string, now: number): void {
    const tenant = this.get(slug);
    if (tenant.rolls++ > 0) return;
    const proof = { streak: 0, seenOnTarget: false, flapped: false, since: now, onTargetAfterMs: null };
    Object.assign(tenant, { phase, ...proof, row: null, note: null });
  }

  /** Takes a roll back that was refused or never sent. */
  undoRoll(slug: string): void {
    const tenant = this.get(slug);
    tenant.rolls--;
    if (tenant.rolls === 0) tenant.phase = null;
  }

  /** What another process needs to know of these tenants. */
  keep(slugs: string[]): KeptTenant[] {
    return slugs.map((slug) => {
      const { phase, rolls, rolledBefore, baseline, row, note, soaked } = this.get(slug);
      return { slug, phase, rolls, rolledBefore, baseline, row, note, soaked };
    });
  }

  /** Takes over what an earlier process of this run kept. */
  restore(kept: KeptTenant[]): void {
    for (const { slug, ...known } of kept) Object.assign(this.add(slug), known);
  }

  /** True where it answers the expected commit and did not before anything was rolled. */
  hasMoved(slug: string): boolean {
    const { streak, baseline } = this.get(slug);
    return streak > 0 && baseline !== this.expectedSha;
  }

  /** True where the answers so far prove the tenant on target. */
  isOnTarget(slug: string): boolean {
    const tenant = this.get(slug);
    return tenant.row?.healthy !== false && tenant.streak >= this.#needed(tenant);
  }

  /** Answers on target in a row that prove it. */
  #needed({ flapped }: Tenant): number {
    return flapped ? Math.max(STREAK_AFTER_FLAP, this.confirmations) : this.confirmations;
  }

  statusOf(slug: string): TenantStatus {
    if (this.isOnTarget(slug)) return 'on_target';
    const { ephemeral, observed, row } = this.get(slug);
    if (ephemeral) return 'excused';
    if (row?.healthy === false) return 'unhealthy';
    if (observed?.kind === 'invalid') return 'invalid';
    if (observed?.kind === 'sha' || observed?.kind === 'dev') return 'stale';
    return 'unreachable';
  }

  /** Enumerated tenants that are neither on target nor excused. */
  stragglers(among: Iterable<string> = this.slugs): string[] {
    return [...among].filter((slug) => !['on_target', 'excused'].includes(this.statusOf(slug)));
  }

  counts(): Counts {
    const counts = {
      enumerated: 0,
      on_target: 0,
      stale: 0,
      unreachable: 0,
      invalid: 0,
      unhealthy: 0,
      excused: 0,
    };
    for (const slug of this.slugs) {
      counts.enumerated++;
      counts[this.statusOf(slug)]++;
    }
    return counts;
  }

  results(): TenantResult[] {
    return this.slugs.map((slug) => {
      const tenant = this.get(slug);
      return {
        slug,
        status: this.statusOf(slug),
        phase: tenant.phase,
        rolls: tenant.rolls,
        observed_sha: shaOf(tenant.observed),
        probes: tenant.probes,
        on_target_after_ms: tenant.onTargetAfterMs,
        detail: this.#detail(tenant),
        baseline_sha: tenant.baseline,
      };
    });
  }

  /** Why a tenant has its status, in words. */
  detailOf(slug: string): string | null {
    return this.#detail(this.get(slug));
  }

  #detail(tenant: Tenant): string | null {
    const { observed, row, flapped, streak, note, rolls } = tenant;
    const said: string[] = [];
    const proven = this.isOnTarget(tenant.slug);
    if (!proven) {
      if (row?.healthy === false) said.push('the control plane reports it not healthy');
      if (flapped) said.push('flapping: answered the expected commit, then another one');
      else if (streak > 0 && streak < this.#needed(tenant))
        said.push(`on the expected commit in ${streak} of ${this.confirmations} answers in a row`);
      if (observed === null) said.push('was not asked');
      else if (observed.kind === 'dev') said.push('answers "dev": its build carries no commit');
      else if (observed.kind === 'sha' && streak === 0) {
        said.push(
          this.expectedSha === null ? 'no expected commit was given' : `still on ${observed.sha.slice(0, 7)}`,
        );
      } else if (observed.kind === 'invalid' || observed.kind === 'unreachable') said.push(observed.why);
      if (tenant.ephemeral) said.push('ephemeral, so excused');
      if (row?.failure) said.push(row.failure);
    } else {
      if (row?.verified === false)
        said.push('the control plane says it is not on target; the tenant itself answers that it is');
      if (row?.failure) said.push(`${row.failure}; the tenant answers the expected commit all the same`);
    }
    if (rolls > 1) said.push('may have been rolled twice: the answer to its first roll was lost');
    if (rolls > 0 && tenant.rolledBefore) said.push(ROLLED_BEFORE[tenant.rolledBefore]);
    if (note) said.push(note);
    return said.length ? said.join('; ') : null;
  }
}

/** The commit of an answer, `dev`, or null. */
export function shaOf(observation: Observation | null): string | null {
  if (observation?.kind === 'sha') return observation.sha;
  return observation?.kind === 'dev' ? 'dev' : null;
}
