/** Every rule of the protocol that can be broken on purpose, and what the broken server or client does instead. */
export const BREAKS = {
  noFence: 'a roll starts under any token',
  fenceMissingAllowed: 'a roll without a fence starts',
  fenceByLastToken: 'the fence compares with the newest token, also when that lease is over',
  noDraining: 'the fence is checked, but a roll starts beside a running one',
  drainsOnlyOlder: 'a roll of the same token may run beside the new one',
  drainsOnlySame: 'a roll of an older token may run beside the new one',
  closedRollWrites: 'a roll goes on changing tenants after its record was closed',
  deadRollStaysOpen: 'nobody closes the record of a roll whose control plane died',
  ownRollForgotten: 'a control plane does not close an open roll of its own that it is not carrying out',
  rollsByNumber: 'a roll is known by a number that a promoted standby may hand out again',
  keyIgnored: 'the idempotency key of a roll is ignored',
  releaseNoToken: 'release does not compare the token',
  releaseByGroup: 'release ends whoever holds',
  releaseForgets: 'release hands over to nobody',
  expireForgets: 'expiry hands over to nobody',
  expireUnseen: 'expiry does not ask whether the holder renewed meanwhile',
  unfreezeForgets: 'lifting a freeze hands over to nobody',
  frozenGrants: 'a frozen lock is granted',
  breakByGroup: 'break ends whoever holds, not whom the person saw',
  renewRevives: 'renewing a lease that is over brings it back',
  sessionUnchecked: 'a claim answers any process',
  claimPerRetry: 'a client that missed the answer makes another claim',
  resurrect: 'a claim that has ended comes back when its request arrives again',
  failoverSameTokens: 'tokens go on counting where the promoted standby stands',
  tokenPerArrival: 'a new holder gets the number of the claim instead of the next token',
  grantBesideHolder: 'a free place in the queue is granted though somebody holds',
  newestFirst: 'the latest place is granted first',
  newPlaceOnPoll: 'asking again moves a waiter to the end',
  newPlaceOnSupersede: 'a newer claim does not inherit the place that it supersedes',
  latestPlaceOnSupersede: 'of several places that it supersedes a claim takes the last',
  supersedeByArrival: 'who arrives later supersedes, whatever the order says',
  supersedeHolder: 'a newer claim ends the holder of its key',
  supersedeOtherKey: 'a newer claim supersedes waiters of every key',
  arrivalForgetsHolder: 'an arrival is compared with waiters and rolls, not with the holder',
  workWhileDraining: 'a client takes its lease for usable while its answers tell of an open older roll',
  drainingHidden: 'the answers of the lock tell of no open roll',
  lookUnsettled: 'a client looks for its verdict while requests of its own may still arrive, or run',
  givenUpForgotten: 'a roll request that was given up starts a roll when it arrives',
  givenUpByAnybody: 'a roll request is given up under a lease that is over',
  proofUnmarked: 'a proof without a roll leaves no mark',
  proofOfAnyClaim: 'a proof counts whose lease is over',
  restoreUnchecked: 'a restored server counts tokens on from its backup',
  fenceIgnoresClaim: 'the fence compares the number alone, not the claim that it was granted to',
  markNeverRaised: 'a started roll leaves no mark',
  markAtGrant: 'the mark is raised by a grant, not by a started roll',
  notAskedAtGrant: 'an outdated waiter is not looked for at the grant',
  unlogged: 'the hand-over writes no audit row',
} as const;

/** What the proof rests on outside the lock, taken away. */
export const ASSUMPTIONS = {
  effectsOutside: 'what a roll changed outlives a failover that loses its record',
} as const;

export type Break = keyof typeof BREAKS | keyof typeof ASSUMPTIONS;
export type Broken = Partial<Record<Break, true>>;

export const broken = (...names: Break[]): Broken => Object.fromEntries(names.map((name) => [name, true]));
