import type { RedeployAnswer, RedeployRequest } from '@tenant-fleet/fleet-core/contract';
import type { Database } from '../db/database.js';
import { Problem } from '../problem.js';
import { dryRun, phasesOf } from '../rolls/phases.js';
import type { Prospect, Roll, RollBy, RollEnd, Roller, RollRef } from '../rolls/roll.js';
import { slugsAmong } from '../rolls/scope.js';
import type { Tenants } from './tenants.js';
import type { Upstream } from './upstream.js';

/** What a roll may take at the longest, by the contract: a part of the fleet, or all of it in one call. */
const MAY_LAST_SECONDS = { part: 600, whole: 1200 };
const PREVIEW_TIMEOUT_MS = 120_000;
/** Fewer digits of a commit than this stand for too many commits. */
const COMMIT_IN_TAG = /(?:^|[^0-9a-f])([0-9a-f]{7,40})$/;

export interface GatewayDeps {
  db: Database;
  upstream: Upstream;
  /** Undefined where no tenant can be asked. */
  tenants: Tenants | undefined;
  /** The slugs of the fleet, where this gateway plans by itself. */
  fleet: string[] | undefined;
  /** Aborts when the gateway stops: a roll under way goes on without it. */
  stopping: AbortSignal;
  log: (line: string) => void;
}

/** Hands rolls to a control plane that knows no lock. */
export class GatewayRoller implements Roller {
  readonly outlives = true;

  constructor(private readonly deps: GatewayDeps) {}

  slugsOf(request: RedeployRequest): string[] {
    const { fleet } = this.deps;
    return fleet ? slugsAmong(fleet, request, false) : (request.only_slugs ?? []);
  }

  async previewMayRoll(): Promise<boolean> {
    return !this.deps.fleet && (await this.plans()) === undefined;
  }

  async preview(request: RedeployRequest, slugs: string[], signal: AbortSignal): Promise<RollEnd> {
    const { fleet, upstream, stopping } = this.deps;
    if (fleet) return { kind: 'answered', answer: dryRun(phasesOf(request, slugs)) };
    const known = await this.plans();
    if (known === false) return { kind: 'refused', problem: rollsAtDryRun('so none is handed to it') };
    // What may be a roll goes on to its end, whoever listens.
    const end = await upstream.call(request, {
      timeoutMs: PREVIEW_TIMEOUT_MS,
      signal: known ? signal : stopping,
    });
    if (end.kind !== 'answered' || end.answer.results.length === 0) return end;
    const plans = isPlan(end.answer);
    if (plans !== known) await this.learn(plans);
    return plans ? end : { ...end, problem: rollsAtDryRun('and has just done so') };
  }

  /** Whether the upstream plans at a dry run; undefined while nothing shows it. */
  private async plans(): Promise<boolean | undefined> {
    const rows = await this.deps.db.rows<{ plans: boolean }>({
      name: 'upstream-plans',
      text: 'SELECT plans FROM gateway_upstreams WHERE url = $1',
      values: [this.deps.upstream.url],
    });
    return rows[0]?.plans;
  }

  private async learn(plans: boolean): Promise<void> {
    const { db, upstream, log } = this.deps;
    if (!plans)
      log(
        'ATTENTION: the upstream rolled tenants at a dry run. It gets no dry run from here any more: start with --tenants-file.',
      );
    await db.rows({
      text: 'INSERT INTO gateway_upstreams VALUES ($1, $2) ON CONFLICT (url) DO UPDATE SET plans = excluded.plans',
      values: [upstream.url, plans],
    });
  }

  async prepare(request: RedeployRequest, slugs: string[], by: RollBy): Promise<Prospect> {
    const may_last_seconds = request.only_slugs ? MAY_LAST_SECONDS.part : MAY_LAST_SECONDS.whole;
    const sha = await this.expected(request.target_tag, by);
    // Who answers the commit already, or nothing, would not show by the same answer that the roll is over.
    const before = sha && slugs.length > 0 ? await this.deps.tenants?.commits(slugs) : undefined;
    const shows = before?.every((commit) => commit === null || (commit && !commit.startsWith(sha ?? '')));
    return { may_last_seconds, settle_sha: shows ? (sha ?? null) : null };
  }

  /** The commit of a tag, or its first digits: as the record of the rollout says it, else as the tag does. */
  private async expected(tag: string, { group, fencing_token }: RollBy): Promise<string | undefined> {
    if (!this.deps.tenants) return undefined;
    const rows = await this.deps.db.rows<{ sha: string | null }>({
      name: 'rollout-expects',
      text: `SELECT summary->>'expected_sha' AS sha FROM lock_rollouts
        WHERE group_name = $1 AND fencing_token = $2 AND summary->>'target_tag' = $3`,
      values: [group, fencing_token, tag],
    });
    return rows[0]?.sha?.toLowerCase() ?? COMMIT_IN_TAG.exec(tag.split('@', 1)[0]?.toLowerCase() ?? '')?.[1];
  }

  async roll(roll: RollRef, _slugs: string[], request: RedeployRequest): Promise<RollEnd> {
    const { upstream, stopping } = this.deps;
    const seconds = request.only_slugs ? MAY_LAST_SECONDS.part : MAY_LAST_SECONDS.whole;
    return upstream.call(request, { key: roll.nonce, timeoutMs: seconds * 1000, signal: stopping });
  }

  async isSettled({ slugs, settle_sha: sha }: Roll): Promise<boolean> {
    if (!sha || slugs.length === 0) return false;
    const commits = await this.deps.tenants?.commits(slugs);
    return commits?.every((commit) => commit?.startsWith(sha)) ?? false;
  }
}

/** A row of a plan says so; whatever says less may be of a roll. */
const isPlan = ({ results }: RedeployAnswer) => results.every(({ ssm_status }) => ssm_status === 'DryRun');

const rollsAtDryRun = (consequence: string) =>
  new Problem(
    501,
    'upstream_rolls_at_dry_run',
    `The control plane behind this gateway rolls tenants at a dry run, ${consequence}.`,
    'Start the gateway with --tenants-file, the list of its tenants: it plans by itself then.',
  );
