import type { RedeployAnswer, RedeployRequest } from '@tenant-fleet/fleet-core/contract';

const DEFAULT_BATCH_SIZE = 3;

export interface Phase {
  name: string;
  slugs: string[];
}

/** Canary first, then batches in the fleet's order. */
export function planPhases(slugs: string[], canary: string | undefined, batchSize: number): Phase[] {
  const rest = slugs.filter((slug) => slug !== canary);
  const phases: Phase[] =
    canary !== undefined && slugs.includes(canary) ? [{ name: 'canary', slugs: [canary] }] : [];
  for (let start = 0; start < rest.length; start += batchSize) {
    phases.push({
      name: `batch-${start / batchSize + 1}`,
      slugs: rest.slice(start, start + batchSize),
    });
  }
  return phases;
}

/** The phases of a request that is about these tenants. */
export const phasesOf = ({ canary_slug, batch_size }: RedeployRequest, slugs: string[]): Phase[] =>
  planPhases(slugs, canary_slug, batch_size ?? DEFAULT_BATCH_SIZE);

/** The rows of a dry run: what would be rolled when. */
export function dryRun(phases: Phase[]): RedeployAnswer {
  const results = phases.flatMap(({ name, slugs }) =>
    slugs.map((slug) => ({ slug, phase: name, ssm_status: 'DryRun' })),
  );
  return { ok: true, results };
}
