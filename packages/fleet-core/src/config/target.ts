/** What is rolled or verified, and at which control plane. */
import type { Check } from './check.js';
import type { Config } from './config.js';

type Target = Pick<
  Config,
  'controlPlane' | 'controlPlaneToken' | 'tenantUrl' | 'tenants' | 'targetTag' | 'expectedSha'
>;

export const baseUrl = (url: string): string => url.replace(/\/+$/, '');

export function checkTarget(check: Check): Target {
  const { command, values, dryRun } = check;
  const { onServer } = check;
  const named = command === 'redeploy' || command === 'plan' || command === 'verify';
  const asks = named || ['rollback', 'status', 'watch', 'doctor'].includes(command);
  // Tenants that are named need no control plane that lists them.
  const wantsCp =
    (check.gated && command !== 'gates') ||
    onServer ||
    command === 'rollout' ||
    command === 'status' ||
    command === 'watch' ||
    (command === 'verify' && !values.tenant?.length);
  const target = {
    controlPlane: wantsCp ? checkControlPlane(check) : '',
    controlPlaneToken: wantsCp ? check.need('token', values.controlPlaneToken) : '',
    tenantUrl: asks && !onServer ? check.need('tenant-url', values.tenantUrl) : '',
    tenants: values.tenant?.length ? [...new Set(values.tenant)] : null,
    targetTag:
      (check.gated && named) || onServer
        ? check.need('target-tag', values.targetTag)
        : (values.targetTag ?? ''),
    expectedSha: values.expectedSha?.toLowerCase() ?? null,
  };
  if (named && !dryRun) check.need('expected-sha', values.expectedSha);
  return target;
}

/** The address of the control plane; empty where it is missing, which is told of later. */
export function checkControlPlane(check: Check): string {
  return baseUrl(check.need('control-plane', check.values.controlPlane));
}
