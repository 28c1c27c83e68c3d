import { SERVER_ROLLOUTS_PATH } from '@tenant-fleet/fleet-core/contract';
import type { Clock } from '../clock.js';
import type { Database } from '../db/database.js';
import type { App } from '../http/app.js';
import type { Lock } from '../lock/lock.js';
import { Environments, type EnvironmentsFile } from './environments.js';
import { Rollouts } from './rollouts.js';
import { serverRolloutRoutes } from './routes.js';
import { openDoor } from './self.js';

/** Longest pause of a rollout, in milliseconds. */
export const PAUSE_LIMIT_MS = 3_600_000;

export interface RolloutOptions {
  /** Environments that this server rolls by itself. Default: none. */
  config?: EnvironmentsFile;
  /** Longest pause of such a rollout, in milliseconds. Default 3600000. */
  pauseLimitMs?: number;
}

export interface RolloutsWorld {
  db: Database;
  clock: Clock;
  /** Names this process. */
  origin: string;
  lock: Lock;
  log: (line: string) => void;
  /** Told of tenants that this process has asked for a rollout of any. */
  onAsked: (tenants: number) => void;
}

/** Rollouts, from the first check of their configuration to their end with the process. */
export class RolloutRoom {
  private rollouts: Rollouts | undefined;
  private beating: Promise<void> | undefined;
  private log: (line: string) => void = () => {};

  private constructor(
    /** undefined: this server runs none. */
    private readonly environments: Environments | undefined,
    private readonly pauseLimitMs: number,
  ) {}

  /** Checks the configuration, before anything is started. @throws Error that says what is wrong. */
  static async check({
    config,
    token,
    pauseLimitMs = PAUSE_LIMIT_MS,
  }: RolloutOptions & { token?: string }): Promise<RolloutRoom> {
    return new RolloutRoom(config && (await Environments.open(config, token)), pauseLimitMs);
  }

  get runs(): boolean {
    return this.environments !== undefined;
  }

  /** @param reads the database for those who only look. */
  async register(app: App, { origin: owner, ...world }: RolloutsWorld, reads: Database): Promise<void> {
    const { environments, pauseLimitMs } = this;
    this.log = world.log;
    const rollouts = environments && new Rollouts({ ...world, owner, environments, pauseLimitMs });
    this.rollouts = rollouts;
    await app.register(serverRolloutRoutes, { prefix: SERVER_ROLLOUTS_PATH, db: reads, rollouts });
  }

  /** From here on this process runs rollouts. @returns stops that: others go on with them. */
  async open(app: App): Promise<() => Promise<void>> {
    const { rollouts } = this;
    if (!rollouts) return async () => {};
    const door = await openDoor(app);
    await rollouts.open(door);
    return async () => {
      await rollouts.close();
      await door.close();
    };
  }

  /** Once a second. Nothing waits for it, and its faults are its own: the lock's sweep goes on beside it. */
  beat = (): void => {
    this.beating ??= this.rollouts
      ?.beat()
      .catch((error: Error) => this.log(`rollouts: ${error.message}`))
      .finally(() => {
        this.beating = undefined;
      });
  };

  heard = (id: string): void => this.rollouts?.heard(id);
}
