import type { BOUNDS } from './bounds.js';
import { ASSUMPTIONS, BREAKS, type Break } from './breaks.js';
import type { Invariant } from './invariants.js';

export interface Mutant {
  breaks: readonly Break[];
  bounds: keyof typeof BOUNDS;
  /** The invariant that has to report it; the search looks at no other. */
  caughtBy: Invariant;
}

const mutant = (bounds: Mutant['bounds'], caughtBy: Invariant, ...breaks: Break[]): Mutant => ({
  breaks,
  bounds,
  caughtBy,
});

/** Broken rules, each with a small world in which that shows. */
export const MUTANTS: readonly Mutant[] = [
  mutant('branches', 3, 'noFence'),
  mutant('branches', 3, 'fenceMissingAllowed'),
  mutant('branches', 7, 'fenceByLastToken'),
  mutant('branches', 4, 'noDraining'),
  mutant('copies', 4, 'drainsOnlyOlder'),
  mutant('branches', 4, 'drainsOnlySame'),
  mutant('branches', 4, 'closedRollWrites'),
  mutant('copies', 12, 'deadRollStaysOpen'),
  mutant('branches', 12, 'ownRollForgotten'),
  mutant('failover', 4, 'rollsByNumber'),
  mutant('branches', 10, 'keyIgnored'),
  mutant('failover', 7, 'releaseNoToken'),
  mutant('branches', 7, 'releaseByGroup'),
  mutant('branches', 12, 'releaseForgets'),
  mutant('branches', 12, 'expireForgets'),
  mutant('branches', 7, 'expireUnseen'),
  mutant('branches', 12, 'unfreezeForgets'),
  mutant('branches', 12, 'frozenGrants'),
  mutant('branches', 7, 'breakByGroup'),
  mutant('branches', 1, 'renewRevives'),
  mutant('branches', 8, 'renewRevives'),
  mutant('copies', 10, 'sessionUnchecked'),
  mutant('branches', 10, 'claimPerRetry'),
  mutant('branches', 8, 'resurrect'),
  mutant('failover', 2, 'failoverSameTokens'),
  mutant('branches', 2, 'tokenPerArrival'),
  mutant('branches', 3, 'tokenPerArrival'),
  mutant('branches', 1, 'grantBesideHolder'),
  mutant('branches', 5, 'newestFirst'),
  mutant('branches', 5, 'newPlaceOnPoll'),
  mutant('branches', 5, 'newPlaceOnSupersede'),
  mutant('repeats', 5, 'latestPlaceOnSupersede'),
  mutant('branches', 6, 'supersedeByArrival'),
  mutant('branches', 6, 'supersedeHolder'),
  mutant('branches', 6, 'supersedeOtherKey'),
  mutant('branches', '9a', 'arrivalForgetsHolder'),
  mutant('branches', 14, 'workWhileDraining'),
  mutant('branches', 14, 'drainingHidden'),
  mutant('branches', 14, 'lookUnsettled'),
  mutant('branches', 14, 'givenUpForgotten'),
  mutant('branches', 7, 'givenUpByAnybody'),
  mutant('branches', 9, 'proofUnmarked'),
  mutant('branches', 14, 'proofOfAnyClaim'),
  mutant('restore', 2, 'restoreUnchecked'),
  mutant('restore', 7, 'restoreUnchecked', 'fenceIgnoresClaim'),
  mutant('branches', 9, 'markNeverRaised'),
  mutant('branches', 9, 'markAtGrant'),
  mutant('branches', 9, 'notAskedAtGrant', 'arrivalForgetsHolder'),
  mutant('branches', 11, 'unlogged'),
];

/** Rules that another rule covers: breaking one of these alone breaks no invariant in these worlds. */
export const COVERED: readonly Omit<Mutant, 'caughtBy'>[] = [
  // Nobody can wait below an order that rolls: the arrival of that order would have superseded the waiter.
  { breaks: ['notAskedAtGrant'], bounds: 'copies' },
  // A claim gets a second token only after a failover; its id and session say the rest.
  { breaks: ['releaseNoToken'], bounds: 'copies' },
  // No number is granted twice once a restored database was checked.
  { breaks: ['fenceIgnoresClaim'], bounds: 'restore' },
];

/** What happens without what the proof rests on. */
export const WITHOUT: readonly Mutant[] = [
  mutant('failover', 3, 'effectsOutside'),
  mutant('failover', 9, 'effectsOutside'),
];

export const nameOf = ({ breaks }: Pick<Mutant, 'breaks'>): string => breaks.join('+');

export const meaningOf = ({ breaks }: Pick<Mutant, 'breaks'>): string =>
  breaks.map((name) => ({ ...BREAKS, ...ASSUMPTIONS })[name]).join('; ');
