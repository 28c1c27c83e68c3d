/** The public surface. Wire schemas come from `@tenant-fleet/fleet-core/contract` as well. */
export { type Config, checkOptions } from './config.js';
export { configFileJsonSchema, configFileSchema, didYouMean } from './config-file.js';
export * from './contract.js';
export { deedOf, freezeEnd } from './deed.js';
export { formatDuration, parseDuration } from './duration.js';
export { outcomeOf } from './ending.js';
export { type ErrorCode, FleetError, isFleetError, usageError } from './errors.js';
export type { EventCode, EventData, FleetEvent } from './events.js';
export {
  type CommitState,
  type CommitStatus,
  Gitea,
  type GiteaOptions,
  type NewStatus,
  type Read,
} from './gitea.js';
export { GiteaIssues, type Issue, type IssueText, type Label } from './gitea-issues.js';
export { holdLock, releaseLeftClaim } from './hold.js';
export { type Http, HttpFailure, type HttpRequest, type HttpResponse, undiciHttp } from './http.js';
export { type Grant, Lease } from './lease.js';
export { isLeaseInherited, killInMs, leaseEnv } from './lease-child.js';
export { DEFAULT_CONFIG_FILE, loadConfig } from './load.js';
export { FleetLock, type LeftClaim, type LockOptions, withFleetLock } from './lock.js';
export {
  breakLock,
  type Deed,
  freezeLock,
  holdToBreak,
  readLock,
  readLockLog,
  unfreezeLock,
  watchLock,
} from './lock-admin.js';
export { type ClaimAnswer, LockClient, type LockServer, type NoAnswer, type Refused } from './lock-client.js';
export type { Command, FleetOptions, Trigger } from './options.js';
export { exitCodeOf, isDeployed, OUTCOMES, type Outcome, USAGE_EXIT_CODE } from './outcome.js';
export type { Policy } from './policy.js';
export { type Clock, type Ports, type Random, systemClock, systemPorts, systemRandom } from './ports.js';
export { type RenderOptions, renderEvent, type Tone, toneOf } from './render.js';
export { renderHtml } from './render-html.js';
export { renderLockEvent, renderLockStatus } from './render-lock.js';
export { outcomeTone, renderResult } from './render-result.js';
export {
  type CallResult,
  type Counts,
  type FleetResult,
  RESULT_SCHEMA,
  resultSchema,
  TENANT_STATUSES,
  type TenantResult,
  type TenantStatus,
} from './report.js';
export { type Env, type Layers, resolveConfig } from './resolve.js';
export { planFleet, type RunContext, redeployFleet, runFleet, verifyFleet } from './run.js';
export { oneLine, redact } from './sanitize.js';
export { readBoolean } from './setting.js';
export { SETTING_NAMES, SETTINGS, type Setting, type SettingName, settingOf } from './settings.js';
export { plural } from './words.js';
