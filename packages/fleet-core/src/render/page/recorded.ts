/** The record of a rollout as what a picture and a table are made of. */
import type { RolloutEntry } from '../../contract.js';
import { TENANT_STATUSES, type TenantResult, type TimelineEntry } from '../../result/result.js';
import { type Picture, pictureOf } from './picture.js';

export const tenantsOf = ({ rollout }: RolloutEntry): TenantResult[] => (rollout.tenants ?? []).map(tenantOf);

/** null where the record tells no times. */
export function recordedPicture(entry: RolloutEntry): Picture | null {
  const timeline = (entry.rollout.timeline ?? []).map(({ at_ms, event, phase, slug }): TimelineEntry => {
    return { at_ms, event, ...(phase ? { phase } : {}), ...(slug ? { slug } : {}) };
  });
  const { started_at } = entry;
  return pictureOf({
    ...{ tenants: tenantsOf(entry), timeline, started_at, finished_at: entry.ended_at ?? started_at },
  });
}

type Recorded = NonNullable<RolloutEntry['rollout']['tenants']>[number];

/** A tenant of a record; a status that this version does not know counts as none that is proven. */
function tenantOf({ slug, status, phase, baseline_sha, observed_sha }: Recorded): TenantResult {
  return {
    slug,
    status: TENANT_STATUSES.find((known) => known === status) ?? 'unreachable',
    phase: phase ?? null,
    observed_sha: observed_sha ?? null,
    baseline_sha: baseline_sha ?? null,
    ...{ probes: 1, on_target_after_ms: null, detail: null },
  };
}
