import type { Clock } from './clock.js';
import type { Database } from './db/database.js';
import { startGateway, type UpstreamOptions } from './gateway/start.js';
import type { App } from './http/app.js';
import type { Lock } from './lock/lock.js';
import { keepGuard } from './rolls/fleet-guard.js';
import { OwnerWatch } from './rolls/owner.js';
import type { Roller, RollSeen } from './rolls/roll.js';
import { Redeploy } from './rolls/rolls.js';
import type { FleetFile } from './sim/behaviour.js';
import { Fleet } from './sim/fleet.js';
import { TenantListener } from './sim/listener.js';
import { simulatedRoller } from './sim/rollout.js';
import { simRoutes } from './sim/routes.js';

export const MODES = ['sim', 'gateway', 'lock'] as const;
export type Mode = (typeof MODES)[number];

/** What a mode takes of the control plane's options. */
export interface ModeOptions {
  /**
   * `lock` serves the lock alone: no redeploy endpoint, no tenant port. `gateway` hands rolls to the control plane of
   * `upstream`. Default `sim`: to a simulated fleet.
   */
  mode?: Mode;
  /** What the mode `gateway` hands rolls to. */
  upstream?: UpstreamOptions;
  /** Lock group that guards the fleet. Default `staging`. */
  lockGroup?: string;
  /** Behaves as a control plane that knows nothing of locks, fences and proofs. Default false. */
  legacy?: boolean;
  /** Ignores a canary that is no tenant, as the first control planes did. Default false. */
  legacyCanary?: boolean;
  /** The simulated fleet. */
  fleet?: FleetFile;
  /** Port of the simulated tenants. Default 0: any free one. */
  tenantPort?: number;
}

export interface World {
  db: Database;
  clock: Clock;
  /** Name of this process among those of one database. */
  origin: string;
  lock: Lock;
  /** Aborts when the server stops. */
  stopping: AbortSignal;
  log: (line: string) => void;
  /** Told of each roll that this process carried out. */
  onRollEnd: (end: RollSeen) => void;
}

/** Steps that stop what was started, last first. */
export type Undo = (() => Promise<unknown>)[];

/** What rolls tenants in a mode that does. */
export interface Rolls {
  redeploy: Redeploy;
  /** Work of the sweep's beat. */
  alongside: () => Promise<void>;
  sim:
    | { fleet: Fleet; register: (app: App) => Promise<void>; listen: (host: string) => Promise<number> }
    | undefined;
}

/** Starts the record of rolls, with what the mode has behind it; undefined for the lock alone. */
export async function startRolls(options: ModeOptions, world: World, undo: Undo): Promise<Rolls | undefined> {
  const { mode = 'sim', lockGroup = 'staging' } = options;
  if (mode === 'lock') return undefined;
  const legacy = mode === 'sim' && (options.legacy ?? false);
  if (!legacy) await keepGuard(world.db, lockGroup);
  if (mode === 'gateway') {
    if (!options.upstream) throw new Error('the mode "gateway" needs an upstream.');
    return record(startGateway(options.upstream, world), { lockGroup, legacy }, world, undo);
  }
  const { db, clock, origin, stopping } = world;
  const fleet = new Fleet(db, clock, origin);
  await fleet.seed(options.fleet);
  const legacyCanary = legacy || (options.legacyCanary ?? false);
  const roller = simulatedRoller({ fleet, clock, legacy, legacyCanary, stopping });
  return {
    ...(await record(roller, { lockGroup, legacy }, world, undo)),
    sim: {
      fleet,
      register: async (app) => {
        await app.register(simRoutes, { prefix: '/sim', fleet });
      },
      listen: (host) => {
        const tenants = new TenantListener(fleet, clock);
        undo.push(() => tenants.close());
        return tenants.listen(options.tenantPort ?? 0, host);
      },
    },
  };
}

async function record(
  roller: Roller,
  { lockGroup, legacy }: { lockGroup: string; legacy: boolean },
  { db, clock, origin, lock, log, onRollEnd }: World,
  undo: Undo,
): Promise<Rolls> {
  const owners = new OwnerWatch(db, clock, origin, roller.outlives);
  await owners.beat();
  undo.push(() => owners.retire());
  const redeploy = new Redeploy({
    db,
    store: lock.store,
    roller,
    clock,
    owner: origin,
    lockGroup,
    legacy,
    log,
    onRollEnd,
  });
  undo.push(() => redeploy.idle());
  const alongside = async () => {
    await owners.beat();
    await redeploy.catchUp();
    await redeploy.tend();
  };
  return { redeploy, alongside, sim: undefined };
}
