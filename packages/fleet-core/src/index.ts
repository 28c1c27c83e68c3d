/**
 * The public surface: three calls and what goes in and comes out of them.
 *
 * Settings stand in `./config`, wire formats in `./contract`, schemas of documents for programs in `./documents`, lines
 * for people in `./render`, what a program around the library needs in `./program`, and stand-ins for tests in `./testing`.
 */

export { LockClient, type LockServer } from './clients/control-plane/lock.js';
export type { FleetOptions, Trigger } from './config/options.js';
export type { ClaimHandle, RunContext } from './context.js';
export { type ErrorCode, FleetError, isFleetError } from './errors.js';
export type { EventCode, EventData, FleetEvent } from './events/events.js';
export { type Clock, systemClock } from './io/clock.js';
export { type Http, HttpFailure, type HttpRequest, type HttpResponse, systemHttp } from './io/http.js';
export type { Grant, Lease } from './lock/lease.js';
export { FleetLock } from './lock/lock.js';
export type { LockOptions } from './lock/options.js';
export type { Ports, Random } from './ports.js';
export { exitCodeOf, isDeployed, OUTCOMES, type Outcome, USAGE_EXIT_CODE } from './result/outcome.js';
export {
  type CallResult,
  type Counts,
  type FleetResult,
  type Policy,
  RESULT_SCHEMA,
  resultSchema,
  type Scope,
  TENANT_STATUSES,
  type TenantResult,
  type TenantStatus,
  type TimelineEntry,
  type TimelineEvent,
} from './result/result.js';
export { planFleet, redeployFleet, verifyFleet, withFleetLock } from './run.js';
