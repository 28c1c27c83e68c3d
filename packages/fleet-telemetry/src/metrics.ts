/** What a run took, and how its fleet stands, as metrics. */
import type { Attributes, Meter } from '@opentelemetry/api';
import { type FleetResult, TENANT_STATUSES } from '@tenant-fleet/fleet-core';

/** `cicd.pipeline.result` of the conventions. */
export type RunResult = 'success' | 'failure' | 'error' | 'timeout' | 'cancellation' | 'skip';

const SECONDS = [1, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200];

export function recordRun(
  meter: Meter,
  about: Attributes,
  run: { came: RunResult; waitedMs: number; tookMs: number; error: string | undefined },
): void {
  const duration = meter.createHistogram('cicd.pipeline.run.duration', {
    ...{ unit: 's', description: 'how long a run took, its wait for the lock apart' },
    advice: { explicitBucketBoundaries: SECONDS },
  });
  const result = { ...about, 'cicd.pipeline.result': run.came };
  const states = { pending: run.waitedMs, executing: run.tookMs - run.waitedMs };
  for (const [state, ms] of Object.entries(states))
    duration.record(Math.max(0, ms) / 1000, { ...result, 'cicd.pipeline.run.state': state });
  if (!['failure', 'error', 'timeout'].includes(run.came)) return;
  meter
    .createCounter('cicd.pipeline.run.errors', { unit: '{error}', description: 'runs that ended badly' })
    .add(1, { ...about, 'error.type': run.error ?? run.came });
}

export function recordResult(meter: Meter, about: Attributes, result: FleetResult): void {
  const tenants = meter.createGauge('fleet.tenants', {
    ...{ unit: '{tenant}', description: 'tenants of the run by what they last answered' },
  });
  for (const status of TENANT_STATUSES)
    tenants.record(result.counts[status], { ...about, 'fleet.tenant.status': status });
  const settle = meter.createHistogram('fleet.tenant.settle.duration', {
    ...{ unit: 's', description: 'from the roll of a tenant to its first answer with the expected commit' },
    advice: { explicitBucketBoundaries: SECONDS },
  });
  for (const { phase, on_target_after_ms: after } of result.tenants)
    if (phase !== null && after !== null) settle.record(after / 1000, about);
  if (!result.lead_time) return;
  meter
    .createHistogram('fleet.lead_time', {
      ...{ unit: 's', description: 'from the commit to its proof on the last tenant' },
      advice: { explicitBucketBoundaries: [...SECONDS, 14_400, 28_800, 86_400, 604_800] },
    })
    .record(result.lead_time.ms / 1000, about);
}
