import type { RedeployRequest } from '@tenant-fleet/fleet-core/contract';
import { badRequest } from '../problem.js';

/**
 * The tenants that a request is about, in the order of the fleet.
 *
 * @param anyCanary Ignores a canary that is none of them, as the first control planes did.
 * @throws Problem `bad_request` for a tenant, or a canary, that the fleet does not have.
 */
export function slugsAmong(all: string[], request: RedeployRequest, anyCanary: boolean): string[] {
  const wanted = request.only_slugs && new Set(request.only_slugs);
  const unknown = [...(wanted ?? [])].filter((slug) => !all.includes(slug));
  if (unknown.length > 0) {
    throw badRequest(
      `only_slugs names tenants that this fleet does not have: ${unknown.slice(0, 10).join(', ')}.`,
      'Read the fleet with a dry run first.',
    );
  }
  const slugs = wanted ? all.filter((slug) => wanted.has(slug)) : all;
  const canary = request.canary_slug;
  if (canary !== undefined && !slugs.includes(canary) && !anyCanary) {
    throw badRequest(
      `The canary "${canary}" is not among the tenants to roll.`,
      'Name a tenant of this fleet, or leave canary_slug out.',
    );
  }
  return canary !== undefined && slugs.includes(canary)
    ? [canary, ...slugs.filter((slug) => slug !== canary)]
    : slugs;
}
