/** What the OpenAPI document says in words, and by which names. */
import * as contract from '@tenant-fleet/fleet-core/contract';

export const DESCRIPTION = `The lock that keeps two rolls of one fleet apart, and the calls that are held to it.

A run **claims** the lock with an id of its own making, and sends the same claim again until it is held; that is also how it
waits, for up to 25 seconds a request. The grant carries a fencing token, which every real roll names. While it holds, it
**renews** at a third of the time to live, and in the end **releases**. Durations are seconds; only the server's own time counts.
Every refusal is a problem document (RFC 9457) whose \`error\` is a stable code. Fields that are not described here may come in
any answer, and are ignored in the requests of the lock.`;

export const TAGS = [
  {
    name: 'lock',
    description: 'Claiming, keeping and giving back the lock; who holds it, and what happened.',
  },
  { name: 'history', description: 'What each run rolled, and how it ended.' },
  { name: 'operate', description: 'What people do with a lock; needs the scope "operate".' },
  { name: 'redeploy', description: 'Rolling tenants under the lock, and the record of it.' },
  {
    name: 'rollouts',
    description: 'Rollouts that the server runs itself, whatever becomes of who asked for them.',
  },
  { name: 'operation', description: 'What orchestrators and monitors ask.' },
  { name: 'simulation', description: 'The simulated fleet (mode "sim").' },
  { name: 'tenant', description: 'What tenants serve, on addresses of their own.' },
];

export const BEARER = {
  type: 'http' as const,
  scheme: 'bearer',
  description: 'A token of the server; its scopes are read, roll and operate.',
};

/** Parts of the contract that have a name of their own in the document: everything else refers to them. */
export const NAMED = {
  Buildinfo: contract.buildinfoSchema,
  ClaimRequest: contract.claimRequestSchema,
  ClaimHeld: contract.claimHeldSchema,
  ClaimQueued: contract.claimQueuedSchema,
  Draining: contract.drainingSchema,
  Frozen: contract.frozenSchema,
  Holder: contract.holderSchema,
  HolderView: contract.holderViewSchema,
  HeldView: contract.heldViewSchema,
  LockStatus: contract.lockStatusSchema,
  LockCollection: contract.lockCollectionSchema,
  LockEvent: contract.lockEventSchema,
  Order: contract.orderSchema,
  RenewRequest: contract.renewRequestSchema,
  RenewAnswer: contract.renewAnswerSchema,
  ReleaseRequest: contract.releaseRequestSchema,
  ReleaseAnswer: contract.releaseAnswerSchema,
  BreakRequest: contract.breakRequestSchema,
  FreezeRequest: contract.freezeRequestSchema,
  RedeployRequest: contract.redeployRequestSchema,
  RedeployRow: contract.redeployRowSchema,
  RedeployAnswer: contract.redeployAnswerSchema,
  Rollout: contract.rolloutSchema,
  RolloutEntry: contract.rolloutEntrySchema,
  Rollouts: contract.rolloutsSchema,
  RolloutOrder: contract.rolloutOrderSchema,
  RolloutDeed: contract.rolloutDeedSchema,
  RolloutEvents: contract.rolloutEventsSchema,
  ServerRollout: contract.serverRolloutSchema,
  ServerRollouts: contract.serverRolloutsSchema,
};

/** What a first user sends, and gets. */
export const EXAMPLES: Record<string, unknown> = {
  ClaimRequest: {
    session: 'x8Jq2vT0dLk9',
    ttl_seconds: 30,
    holder: { name: 'deploy-staging', actor: 'ada', run_url: 'https://git.example.com/o/r/actions/runs/7' },
    order: { key: 'o/r@main', number: 7 },
  },
  ClaimHeld: { state: 'held', fencing_token: 42, ttl_seconds: 30, acquired_at: '2030-01-31T18:00:00.000Z' },
  ClaimQueued: { state: 'queued', position: 1, queue_length: 1, holder: { name: 'deploy-staging' } },
  RenewRequest: { session: 'x8Jq2vT0dLk9', fencing_token: 42, step: 'batch-2' },
  ReleaseRequest: { session: 'x8Jq2vT0dLk9', fencing_token: 42, result: 'proven' },
  BreakRequest: { fencing_token: 42, reason: 'its runner is gone', actor: 'ada' },
  FreezeRequest: { reason: 'incident 12', actor: 'ada' },
  RedeployRequest: { target_tag: 'main-4f2c1a9', confirm: true, only_slugs: ['acme'] },
  RolloutOrder: {
    environment: 'staging',
    target_tag: 'main-4f2c1a9',
    expected_sha: '4f2c1a9b8e7d6c5f4a3b2c1d0e9f8a7b6c5d4e3f',
    holder: { name: 'deploy-staging', actor: 'ada' },
    policy: { soak: '2m', 'batch-size': 5 },
  },
  RolloutDeed: { reason: 'incident 12', actor: 'ada' },
  RedeployAnswer: { ok: true, results: [{ slug: 'acme', phase: 'batch-1', ssm_status: 'Success' }] },
};
