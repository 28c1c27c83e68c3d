/**
 * What a program around the library needs: a run of a loaded configuration, what people do with a lock, and texts that
 * are safe to print. `loadConfig` of `./config` brings the configuration.
 */

export { announceCutOff, announceUnstarted } from './announce/announce.js';
export { Gitea } from './clients/gitea/gitea.js';
export { GiteaIssues } from './clients/gitea/issues.js';
export type { Durable, Lender, Shard, ShardAnswers, Shards } from './context.js';
export { SERVER_ROLLOUT_STATES as ROLLOUT_STATES } from './contract.js';
export { examine, type Machine } from './doctor/doctor.js';
export { usageError } from './errors.js';
export { awaitGates } from './gates.js';
export { tenantUrlProblem, urlProblem } from './io/address.js';
export {
  type AuditNote,
  breakLock,
  type Freeze,
  freezeLock,
  leaseToBreak,
  readLock,
  readLockLog,
  unfreezeLock,
  watchLock,
} from './lock/admin.js';
export { type ChainReport, verifyChain } from './lock/audit-chain.js';
export { auditNoteOf, freezeEnd } from './lock/audit-note.js';
export { isLeaseInherited, killInMs, leaseEnv } from './lock/child.js';
export { holdLock, releaseClaim } from './lock/from-config.js';
export { actOnRollout, attachRollout, listRollouts, showRollout } from './on-server/people.js';
export { systemPorts, systemRandom } from './ports.js';
export { outcomeOf } from './report/ending.js';
export { type CheckState, DOCTOR_SCHEMA, type DoctorCheck, type DoctorReport } from './result/doctor.js';
export { GATES_SCHEMA, type GatesResult } from './result/gates.js';
export { STOP_SIGNALS, type StopSignal } from './result/outcome.js';
export {
  type CommitGroup,
  type FleetStatus,
  type Known,
  type LockSeen,
  type RolloutSeen,
  STATUS_SCHEMA,
  type TenantsSeen,
  type UnreadTenant,
} from './result/status.js';
export {
  type Finding,
  type FindingKind,
  type LastLook,
  WATCH_SCHEMA,
  type WatchReport,
} from './result/watch.js';
export { runFleet } from './run.js';
export { type PastRollout, readHistory, readRollout } from './status/history.js';
export { findRollback, type RollbackTarget, rollbackConfig } from './status/rollback.js';
export { listTenants, readStatus, watchStatus } from './status/status.js';
export { formatDuration } from './text/duration.js';
export { oneLine, redact } from './text/sanitize.js';
export { plural } from './text/words.js';
export { buildinfoUrl, type Observation, type ProbeOptions, probe } from './verify/probe.js';
export { askShard } from './verify/shard.js';
export { watchFleet } from './watch/watch.js';
