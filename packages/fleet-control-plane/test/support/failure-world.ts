/** A control plane on a database of its own, with one tenant to roll. */
import { expect } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import type { EmbeddedDatabase } from '../../src/db/embedded.js';
import { Client, freshDatabase, startPlane } from './plane.js';

export const GROUP = 'staging';

/** A tag that the simulated fleet takes for a commit of this one digit. */
export const tagOf = (digit: string) => `x-${digit.repeat(40)}`;

export interface RollRecord {
  fencing_token: number;
  claim_id: string;
  target_tag: string;
  started_at: string;
  ended_at: string | null;
  result: string | null;
}

const worlds: FailureWorld[] = [];

/** Closes every world of a test file. */
export async function endWorlds(): Promise<void> {
  await Promise.all(worlds.splice(0).map((world) => world.plane.close()));
}

export class FailureWorld {
  readonly client: Client;

  private constructor(readonly plane: ControlPlane) {
    this.client = new Client(plane.url, GROUP);
  }

  /** @param rollMs how long a roll takes. */
  static async start(server: EmbeddedDatabase, rollMs = 100): Promise<FailureWorld> {
    const databaseUrl = await freshDatabase(server);
    const fleet = { defaults: { roll_ms: rollMs }, tenants: ['acme'] };
    const world = new FailureWorld(await startPlane({ databaseUrl, fleet }));
    worlds.push(world);
    return world;
  }

  get lock() {
    return { url: this.plane.url, group: GROUP };
  }

  roll(token: number, digit: string) {
    const headers = { 'fleet-lock-group': GROUP, 'fleet-fence': String(token) };
    return this.client.redeploy({ target_tag: tagOf(digit) }, headers);
  }

  /** The token of whoever holds the lock, whether it is of use yet or not. */
  async grantedToken(): Promise<number> {
    return (await this.client.status()).held.fencing_token;
  }

  async rolls(): Promise<RollRecord[]> {
    return (await this.client.call('GET', '/cp/admin/rolls')).body.rolls;
  }
}

/** The record of the server: no roll began before the one before it was over, and tokens never sank. */
export function expectNoOverlap(rolls: RollRecord[]): void {
  for (const [index, roll] of rolls.entries()) {
    const before = rolls[index - 1];
    if (!before) continue;
    expect(before.ended_at).not.toBeNull();
    expect(Date.parse(roll.started_at)).toBeGreaterThanOrEqual(Date.parse(before.ended_at ?? ''));
    expect(roll.fencing_token).toBeGreaterThanOrEqual(before.fencing_token);
  }
}
