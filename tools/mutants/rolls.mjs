/** Faults of the server's fence and rolls, and of what a claim is held to. `from` occurs exactly once in `file`; the first of `caughtBy` is the fastest. */
const at = (file) => `fleet-control-plane/src/${file}`;
const seen = (...files) => files.map((file) => `fleet-control-plane/test/${file}.test.ts`);
const fence = at('rolls/fence.ts');

export const rolls = [
  {
    name: 'no fence check',
    file: fence,
    from: 'if (held?.token !== token) {',
    to: 'if (held === undefined) {',
    why: 'whoever lost the lease goes on rolling',
    caughtBy: seen('lock/claims', 'rolls/redeploy'),
  },
  {
    name: 'any token that was ever granted',
    file: fence,
    from: 'if (held?.token !== token) {',
    to: 'if (token > lastToken) {',
    why: 'a stale token passes, only one that was never granted does not',
    caughtBy: seen('lock/claims', 'rolls/redeploy'),
  },
  {
    name: 'fence of another group',
    file: fence,
    from: 'if (headers.group !== guardedBy) {',
    to: 'if (headers.group === undefined) {',
    why: 'the lock of one fleet opens another',
    caughtBy: seen('lock/claims', 'rolls/redeploy'),
  },
  {
    name: 'no draining',
    file: fence,
    from: 'if (running) {',
    to: 'if (running && running.fencing_token === token) {',
    why: 'a new holder rolls while the roll of the old one still runs',
    caughtBy: seen('lock/claims', 'rolls/redeploy'),
  },
  {
    name: 'a closed roll still changes tenants',
    file: at('sim/fleet.ts'),
    from: 'nonce = $4 AND ended_at IS NULL FOR SHARE',
    to: 'nonce = $4 FOR SHARE',
    why: 'a roll that was given up for dead comes back beside its successor',
    caughtBy: seen('rolls/redeploy'),
  },
  {
    name: 'a roll leaves no mark',
    file: at('rolls/rolls.ts'),
    from: 'if (held?.orderKey && held.orderNumber !== null) {',
    to: 'if (!held && owner === key) {',
    why: 'an older commit rolls the branch back',
    caughtBy: seen('rolls/redeploy'),
  },
  {
    name: 'claim with another body',
    file: at('lock/rules/transitions.ts'),
    from: 'if (known.fingerprint !== fingerprint) throw otherBody();',
    to: '',
    why: 'a claim changes its order in the queue',
    caughtBy: seen('lock/claims', 'lock/lock'),
  },
  {
    name: 'a living control plane is taken for dead',
    file: at('rolls/owner.ts'),
    from: 'if (beat === null) return true;',
    to: 'if (beat === null || beat >= 0) return true;',
    why: 'one server cuts the roll of another',
    caughtBy: seen('rolls/redeploy'),
  },
];
