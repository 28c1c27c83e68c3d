import type { LockFeature } from '@tenant-fleet/fleet-core/contract';
import type { ScratchFleet } from './fleet.js';
import type { Group } from './group.js';
import type { Server } from './server.js';

/** What a case works with. */
export interface Bench {
  server: Server;
  /** A scratch lock group that no other case uses meanwhile. */
  group: Group;
  /** Undefined in safe mode, whose cases roll nothing. */
  fleet: ScratchFleet | undefined;
}

/** One demand of the contract. */
export interface Case {
  /** Section of the contract and number in it; it never changes its meaning. */
  id: string;
  /** What the contract asks for. */
  title: string;
  /** What a user of a server that misses it loses. */
  loses: string;
  /** Held against servers that say that they have it. */
  feature?: LockFeature;
  /** Rolls tenants, or would where the server is wrong. */
  full?: true;
  /** @throws Miss, Unproven */
  check(bench: Bench): Promise<void>;
}
