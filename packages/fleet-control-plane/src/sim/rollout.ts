import type { RedeployAnswer, RedeployRequest, RedeployRow } from '@tenant-fleet/fleet-core/contract';
import { type Clock, sleep } from '../clock.js';
import { dryRun, type Phase, phasesOf } from '../rolls/phases.js';
import type { Roller, RollRef } from '../rolls/roll.js';
import { slugsAmong } from '../rolls/scope.js';
import type { Tenant } from './behaviour.js';
import { type Fleet, RollClosed } from './fleet.js';

export interface RolloutDeps {
  fleet: Fleet;
  clock: Clock;
  /** Leaves out `verified_on_target`, as the first control planes did. */
  legacy: boolean;
  /** Ignores a canary that is no tenant, as the first control planes did. */
  legacyCanary: boolean;
  /** Aborts when the control plane stops. */
  stopping: AbortSignal;
}

export const DEFAULT_ROLL_MS = 1000;

/** Rolls the simulated fleet. */
export function simulatedRoller(deps: RolloutDeps): Roller {
  return {
    outlives: false,
    slugsOf: (request) =>
      slugsAmong(
        deps.fleet.list().map((tenant) => tenant.slug),
        request,
        deps.legacyCanary,
      ),
    previewMayRoll: async () => false,
    preview: async (request, slugs) => ({ kind: 'answered', answer: dryRun(phasesOf(request, slugs)) }),
    prepare: async () => ({ may_last_seconds: null, settle_sha: null }),
    roll: async (roll, slugs, request) => ({
      kind: 'answered',
      answer: await rollOut(deps, roll, phasesOf(request, slugs), request),
    }),
    isSettled: async () => false,
  };
}

/** Rolls the phases in order; a failed canary, or more failures than tolerated, halt it. */
async function rollOut(
  deps: RolloutDeps,
  roll: RollRef,
  phases: Phase[],
  request: RedeployRequest,
): Promise<RedeployAnswer> {
  const results: RedeployRow[] = [];
  const tolerated = request.max_stragglers ?? 0;
  for (const [index, phase] of phases.entries()) {
    const rows = await Promise.all(
      phase.slugs.map((slug) => rollTenant(deps, roll, slug, phase.name, request.target_tag)),
    );
    results.push(...rows);
    const failed = results.filter(isFailed);
    if (failed.length > tolerated || (phase.name === 'canary' && failed.length > 0)) {
      const error = `${failed.length} tenant(s) failed, halted at ${phase.name}`;
      return { ok: false, error, results };
    }
    const last = index === phases.length - 1;
    if (phase.name === 'canary' && !last)
      await sleep(deps.clock, (request.soak_seconds ?? 0) * 1000, deps.stopping);
  }
  const stragglers = results.filter(isFailed).map((row) => row.slug);
  return { ok: true, results, ...(stragglers.length > 0 && { stragglers }) };
}

const isFailed = (row: RedeployRow) => row.ssm_status !== 'Success' || row.healthz_ok === false;

async function rollTenant(
  { fleet, clock, legacy, stopping }: RolloutDeps,
  roll: RollRef,
  slug: string,
  phase: string,
  tag: string,
): Promise<RedeployRow> {
  const tenant = fleet.get(slug);
  await sleep(clock, tenant?.behaviour.roll_ms ?? DEFAULT_ROLL_MS, stopping);
  const failure = (error: string, exitCode: number): RedeployRow => ({
    slug,
    phase,
    ssm_status: 'Failed',
    ssm_exit_code: exitCode,
    healthz_ok: false,
    ...(!legacy && { verified_on_target: false }),
    ...(fleet.get(slug) && { running_image: imageOf(fleet.get(slug)) }),
    error,
  });
  if (stopping.aborted) return failure('the control plane stopped', 1);
  if (!tenant || tenant.running.gone) return failure(`InvalidInstanceId: no instance serves ${slug}`, 2);
  const sha = fleet.resolve(tag);
  if (sha === null) return failure(`manifest for platform-tenant:${tag} not found`, 1);
  const behaviour = tenant.behaviour.behaviour ?? 'ok';
  if (behaviour === 'failed') return failure('the container did not become ready', 1);
  try {
    if (behaviour === 'vanishes') await fleet.swap(roll, slug, { gone: true });
    else if (behaviour !== 'stuck') await fleet.swap(roll, slug, { tag, sha });
  } catch (error) {
    return failure(
      error instanceof RollClosed
        ? 'this roll was closed by another control plane'
        : 'the control plane lost its database',
      1,
    );
  }
  return {
    slug,
    phase,
    ssm_status: 'Success',
    ssm_exit_code: 0,
    healthz_ok: behaviour !== 'unhealthy',
    ...(!legacy && { verified_on_target: behaviour !== 'stuck' }),
    running_image: behaviour === 'stuck' ? imageOf(tenant) : `platform-tenant:${tag}`,
  };
}

const imageOf = (tenant: Tenant | undefined) => `platform-tenant:${tenant?.running.tag ?? 'unknown'}`;
