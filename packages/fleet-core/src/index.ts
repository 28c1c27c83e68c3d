/** The public surface; lines for people come from `@tenant-fleet/fleet-core/render`, wire schemas from `./contract` too. */

export {
  type ClaimAnswer,
  LockClient,
  type LockServer,
  type NoAnswer,
  type Refused,
} from './clients/control-plane/lock.js';
export {
  type CommitState,
  type CommitStatus,
  Gitea,
  type GiteaOptions,
  type NewStatus,
  type Read,
} from './clients/gitea/gitea.js';
export { GiteaIssues, type Issue, type IssueText, type Label } from './clients/gitea/issues.js';
export * from './config/index.js';
export type { ClaimHandle, Lender, RunContext } from './context.js';
export * from './contract.js';
export { type ErrorCode, FleetError, isFleetError, usageError } from './errors.js';
export type { EventCode, EventData, FleetEvent, Policy } from './events/events.js';
export { type Clock, systemClock } from './io/clock.js';
export { type Http, HttpFailure, type HttpRequest, type HttpResponse, undiciHttp } from './io/http.js';
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
export { type Grant, Lease } from './lock/lease.js';
export { FleetLock, withFleetLock } from './lock/lock.js';
export type { LockOptions } from './lock/options.js';
export { type Ports, type Random, systemPorts, systemRandom } from './ports.js';
export { outcomeOf } from './report/ending.js';
export {
  exitCodeOf,
  isDeployed,
  OUTCOMES,
  type Outcome,
  STOP_SIGNALS,
  type StopSignal,
  USAGE_EXIT_CODE,
} from './result/outcome.js';
export {
  type CallResult,
  type Counts,
  type FleetResult,
  RESULT_SCHEMA,
  resultSchema,
  TENANT_STATUSES,
  type TenantResult,
  type TenantStatus,
} from './result/result.js';
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
export { planFleet, redeployFleet, runFleet, verifyFleet } from './run.js';
export { type PastRollout, readHistory, readRollout } from './status/history.js';
export { readStatus, watchStatus } from './status/status.js';
export { formatDuration } from './text/duration.js';
export { oneLine, redact } from './text/sanitize.js';
export { plural } from './text/words.js';
