/** What the last rollout of the fleet left behind, and what follows from it. */
import { checkSlug } from '../clients/control-plane/slug.js';
import { matcherOf } from '../config/glob.js';
import type { OpenCall, RolloutEntry, Unsettled } from '../contract.js';
import { FleetError } from '../errors.js';
import { nameList, plural } from '../text/words.js';

export interface LastRollout {
  fencingToken: number;
  /** Every tenant that the fleet had. */
  slugs: string[];
  /** Rolls that it left open. */
  openCalls: OpenCall[];
  /** Tenants that may still come to a commit to which it, or one before it, has rolled them. */
  unsettled: Unsettled[];
  /** The commit to which it rolled, and the tenants that soaked with it as its canary. */
  expectedSha: string | null;
  soaked: string[];
}

/** @throws FleetError `CP_CONTRACT` where a name in it is no slug: tenants are asked, and commands printed, by these. */
export function lastRolloutOf({ fencing_token, rollout }: RolloutEntry): LastRollout {
  const tenants = rollout.tenants ?? [];
  const slugs = rollout.slugs ?? tenants.map(({ slug }) => slug);
  const openCalls = rollout.open_calls ?? [];
  const unsettled = [...(rollout.unsettled ?? [])];
  const named = [slugs, unsettled.map(({ slug }) => slug), ...openCalls.map((call) => call.slugs)];
  for (const slug of named.flat()) checkSlug(slug, 'the record of the last rollout names');
  return {
    fencingToken: fencing_token,
    ...{ slugs, openCalls, unsettled },
    expectedSha: rollout.expected_sha?.toLowerCase() ?? null,
    soaked: tenants.filter(({ soaked }) => soaked === true).map(({ slug }) => slug),
  };
}

/** The canary was watched for its whole soak with this very commit. */
export function hasSoaked(
  last: LastRollout | null,
  canary: string | null,
  expectedSha: string | null,
): boolean {
  return canary !== null && last !== null && last.expectedSha === expectedSha && last.soaked.includes(canary);
}

/**
 * Tenants on target whose answer is no proof, since an earlier roll to another commit may still take effect: an image that is slow
 * to come, or an old container that answers while it drains.
 */
export function doubtedIn(
  onTarget: string[],
  last: LastRollout | null,
  expectedSha: string | null,
): string[] {
  const other = (last?.unsettled ?? []).filter(({ sha }) => sha?.toLowerCase() !== expectedSha);
  const unsettled = new Set(other.map(({ slug }) => slug));
  return onTarget.filter((slug) => unsettled.has(slug));
}

/** Why they are rolled although they answer the expected commit. */
export const whyDoubted = (slugs: string[]) =>
  `${nameList(slugs)}: rolled to another commit by an earlier run that did not see it there, so rolled whatever the answer is now`;

/** Tenants to be rolled that an earlier run has rolled to this very commit and not seen there. */
export function againIn(due: string[], last: LastRollout | null, expectedSha: string | null): string[] {
  const same = (last?.unsettled ?? []).filter(({ sha }) => sha != null && sha.toLowerCase() === expectedSha);
  const unsettled = new Set(same.map(({ slug }) => slug));
  return due.filter((slug) => unsettled.has(slug));
}

/** A second roll is no fault where it is needed, and never goes unsaid. */
export const whyAgain = (slugs: string[]) =>
  `${nameList(slugs)}: rolled to this commit by an earlier run already, and not on it, so rolled once more`;

export interface FleetSizePolicy {
  /** Tenants that there must be at least. */
  minTenants: number;
  /** Tenants that may be gone; a number says how many others may be. */
  allowMissing: string[];
  /** Globs of tenants that come and go. */
  ephemeral: string[];
}

/**
 * @returns Tenants that are gone, and not by name among those that may be, but no more of them than a number allows.
 * @throws FleetError `GATE_REFUSED` where tenants are gone of which nobody said so: who is not listed is not verified.
 */
export function refuseShrunkFleet(
  fleet: string[],
  last: LastRollout | null,
  { minTenants, allowMissing, ephemeral }: FleetSizePolicy,
): string[] {
  const refused = (message: string, next: string) =>
    new FleetError('GATE_REFUSED', `${message}; nothing was rolled`, { outcome: 'refused', next });
  const isEphemeral = matcherOf(ephemeral);
  const here = new Set([...fleet, ...allowMissing]);
  const gone = (last?.slugs ?? []).filter((slug) => !here.has(slug) && !isEphemeral(slug));
  const many = Math.max(0, ...allowMissing.filter((one) => /^\d+$/.test(one)).map(Number));
  if (gone.length > many) {
    throw refused(
      `the control plane does not list ${plural(gone.length, 'tenant')} that the last rollout had: ${nameList(gone)}`,
      `where they are gone for good: ${nameList(
        gone.map((slug) => `--allow-missing ${slug}`),
        10,
        ' ',
      )}; else look at the control plane first`,
    );
  }
  if (fleet.length < minTenants) {
    throw refused(
      `the control plane lists ${plural(fleet.length, 'tenant')}, and there must be at least ${minTenants}`,
      'look at the control plane, or change --min-tenants',
    );
  }
  return gone;
}
