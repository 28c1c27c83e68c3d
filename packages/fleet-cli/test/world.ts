/** A real control plane with its own PostgreSQL, and a fleet that every test sets up anew. */

import { setTimeout } from 'node:timers/promises';
import { type ControlPlane, startControlPlane } from '@tenant-fleet/fleet-control-plane';
import { resultSchema } from '@tenant-fleet/fleet-core';
import { expect } from 'vitest';
import { checked, everyRun, fleet, type Ran, type RunOptions, SHA, TOKEN } from './cli.js';

export const TAG = `staging-${SHA.slice(0, 7)}`;
export const OLD = '1111111111111111111111111111111111111111';
const OLD_IMAGE = { image_tag: 'staging-1111111', git_sha: OLD };

export interface TenantSetup {
  behaviour?: string;
  roll_ms?: number;
  drain_ms?: number;
}

export interface Roll {
  fencing_token: number;
  slugs: string[];
  started_at: string;
  ended_at: string | null;
}

export class World {
  /** Tenants of the fleets of earlier tests: the record of the last rollout still has them. */
  readonly #earlier = new Set<string>();

  private constructor(readonly plane: ControlPlane) {}

  static async start(): Promise<World> {
    return new World(await startControlPlane({ token: TOKEN, fleet: { tenants: ['acme'] } }));
  }

  /** A call of the control plane's API with the right token. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(this.plane.url + path, {
      method,
      headers: {
        authorization: `Bearer ${TOKEN}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (answer.status === 204 ? undefined : await answer.json()) as T;
  }

  lock = (group: string) => `/cp/admin/fleet-locks/${group}`;

  /** Replaces the fleet; every tenant then runs the old image. */
  async setFleet(tenants: Record<string, TenantSetup>): Promise<void> {
    // A roll that a run of an earlier test left behind would land on this fleet.
    while ((await this.rolls()).some((roll) => roll.ended_at === null)) await setTimeout(50);
    const before = await this.call<{ tenants: { slug: string }[] }>('GET', '/sim/tenants');
    for (const { slug } of before.tenants) {
      this.#earlier.add(slug);
      await this.call('DELETE', `/sim/tenants/${slug}`);
    }
    await this.call('PUT', `/sim/images/${TAG}`, { git_sha: SHA });
    for (const [slug, setup] of Object.entries(tenants)) {
      this.#earlier.add(slug);
      await this.call('PUT', `/sim/tenants/${slug}`, { roll_ms: 50, ...setup, running: OLD_IMAGE });
    }
    everyRun.FLEET_ALLOW_MISSING = [...this.#earlier].join('\n');
  }

  async rolls(): Promise<Roll[]> {
    const all: Roll[] = [];
    for (let after = 0; ; ) {
      const { rolls } = await this.call<{ rolls: (Roll & { id: number })[] }>(
        'GET',
        `/cp/admin/rolls?after=${after}`,
      );
      if (!rolls.length) return all;
      all.push(...rolls);
      after = rolls.at(-1)?.id ?? after;
    }
  }

  args(...more: string[]): string[] {
    return [
      ...['--control-plane', this.plane.url, '--tenant-url', this.plane.tenantUrlTemplate],
      ...['--target-tag', TAG, '--expected-sha', SHA, '--settle-budget', '700ms', '--timeout', '40s'],
      ...more,
    ];
  }

  /** `fleet redeploy` on the group `staging`, with `--json`. */
  redeploy(more: string[] = [], options?: RunOptions) {
    const own = ['--lock-group', 'staging', '--lock-ttl', '6s', '--soak', '50ms'];
    return this.run('redeploy', [...own, ...more], options);
  }

  /** Runs a command with `--json`; what it printed must be one result that the published schema accepts. */
  async run(command: string, more: string[] = [], options?: RunOptions) {
    return document(await fleet([command, ...this.args(...more), '--json'], options));
  }
}

/** The document that a run printed; checked against the published schema. */
export function document(ran: Ran) {
  if (!ran.stdout) throw new Error(`no document; exit code ${ran.code}, stderr: ${ran.stderr}`);
  const result = resultSchema.parse(checked(ran.stdout));
  expect(result.exit_code).toBe(ran.code);
  expect(ran.stdout + ran.stderr).not.toContain(TOKEN);
  return { ...ran, result };
}
