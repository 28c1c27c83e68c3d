import { randomUUID } from 'node:crypto';
import {
  CLAIM_HEADER,
  FENCE_HEADER,
  LOCK_GROUP_HEADER,
  type RedeployRow,
  redeployAnswerSchema,
  slugSchema,
} from '@tenant-fleet/fleet-core/contract';
import { buildinfoUrl, probe } from '@tenant-fleet/fleet-core/program';
import type { Claim } from './group.js';
import { must, Unproven } from './miss.js';
import type { Answer, Server } from './server.js';

/** No image of any fleet. */
export const NO_SUCH_IMAGE = 'conformance-no-such-image';

const PROBE_TIMEOUT_MS = 10_000;
const ROLL_TIMEOUT_MS = 600_000;

export interface FleetOptions {
  /** Lock group that guards the scratch fleet; nobody else may hold it. */
  lockGroup: string;
  /** URL of a tenant with `{slug}` in it. */
  tenantUrl: string;
  /** An image tag that some tenant does not run. */
  targetTag: string;
  /** The commit of that tag. */
  expectedSha: string;
}

/** A fleet that may be rolled at will. */
export class ScratchFleet {
  constructor(
    private readonly server: Server,
    readonly options: FleetOptions,
    private readonly signal: AbortSignal,
  ) {}

  /** A request that is whole; what a case is about takes the place of its fields. */
  request = (rest: Record<string, unknown>) => ({
    target_tag: this.options.targetTag,
    confirm: true,
    ...rest,
  });

  roll(rest: Record<string, unknown>, headers: Record<string, string>): Promise<Answer> {
    return this.server.redeploy(this.request(rest), { headers, timeoutMs: ROLL_TIMEOUT_MS });
  }

  /** The right to roll, as headers. */
  fence = (claim: Pick<Claim, 'token' | 'id'>): Record<string, string> => ({
    [LOCK_GROUP_HEADER]: this.options.lockGroup,
    [FENCE_HEADER]: String(claim.token),
    [CLAIM_HEADER]: claim.id,
  });

  async plan(rest: Record<string, unknown> = {}): Promise<RedeployRow[]> {
    const answer = await this.server.redeploy(this.request({ dry_run: true, ...rest }));
    return answer.is(200, redeployAnswerSchema).results;
  }

  /** Listed by a plan of an image that there is not: where a dry run rolls, this one brings nobody to the target. */
  async slugs(): Promise<string[]> {
    const answer = await this.server.redeploy(this.request({ dry_run: true, target_tag: NO_SUCH_IMAGE }));
    const rows = answer.status === 200 ? answer.is(200, redeployAnswerSchema).results : await this.plan();
    const slugs = rows.map(({ slug }) => slugSchema.safeParse(slug));
    const wrong = slugs.find(({ success }) => !success);
    must(
      rows.length > 0 && !wrong,
      wrong ? 'a plan lists a tenant whose name is no slug' : 'a plan lists no tenant',
    );
    return slugs.map(({ data }) => data ?? '');
  }

  /** What each tenant answers. */
  async commits(slugs: string[]): Promise<string[]> {
    const { tenantUrl } = this.options;
    const options = { timeoutMs: PROBE_TIMEOUT_MS, signal: this.signal, nonce: randomUUID };
    const seen = await Promise.all(
      slugs.map((slug) => probe(this.server.http, buildinfoUrl(tenantUrl, slug), options)),
    );
    return seen.map((one) => (one.kind === 'sha' ? one.sha : one.kind));
  }

  /** A tenant that a roll would change. @throws Unproven where there is none. */
  async stale(): Promise<{ slug: string; slugs: string[]; commits: string[] }> {
    const slugs = await this.slugs();
    const commits = await this.commits(slugs);
    const slug = slugs[commits.findIndex((commit) => commit !== this.options.expectedSha)];
    if (!slug) throw new Unproven('every tenant runs the target by now, so that no roll would show');
    return { slug, slugs, commits };
  }

  /** @throws Miss where a tenant answers something else afterwards. */
  async unchangedBy(what: (slugs: string[]) => Promise<unknown>): Promise<void> {
    const { slugs, commits } = await this.stale();
    await what(slugs);
    const after = await this.commits(slugs);
    const changed = slugs.find((_slug, index) => after[index] !== commits[index]);
    must(!changed, `the tenant ${changed} was rolled by it`);
  }
}
