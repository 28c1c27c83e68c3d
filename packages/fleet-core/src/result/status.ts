/** What somebody sees who looks at a fleet: the document of `fleet status`. */

// Types alone: the schemas are for whoever reads a document, and a run does not load them.
export type {
  CommitGroup,
  FleetStatus,
  Known,
  LockSeen,
  RolloutSeen,
  TenantsSeen,
  UnreadTenant,
} from './documents/status.js';

export const STATUS_SCHEMA = 'fleet-status/1';
