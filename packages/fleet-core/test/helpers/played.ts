import {
  type FleetEvent,
  type FleetOptions,
  type FleetResult,
  type Http,
  redeployFleet,
} from '../../src/index.js';
import { ManualClock } from '../../src/testing/index.js';
import { NEW, OLD, runFast } from './world.js';

export interface Play {
  tenants: number;
  /** Slugs that stay on the old commit, never answer again, or answer something else after their roll. */
  stuck?: string[];
  dead?: string[];
  strange?: string[];
  options?: Partial<FleetOptions>;
}

const NAMES = 'acme birch cobalt dunes ember fjord granite harbor indigo juniper kestrel lumen'.split(' ');

/** Names as companies have them; the thirteenth is `acme-2`. */
export const slugAt = (index: number): string => {
  const name = NAMES[index % NAMES.length] as string;
  return index < NAMES.length ? name : `${name}-${Math.floor(index / NAMES.length) + 1}`;
};

/** A whole run in no time: every roll and every drain takes some seconds of a hand-stepped clock. */
export async function play({ tenants, stuck = [], dead = [], strange = [], options = {} }: Play): Promise<{
  result: FleetResult;
  events: FleetEvent[];
}> {
  const clock = new ManualClock();
  const slugs = Array.from({ length: tenants }, (_, index) => slugAt(index));
  const places = new Map(slugs.map((slug, index) => [slug, index]));
  const turns = new Map<string, number>();
  const later = (ms: number) => new Promise<void>((resolve) => void clock.timer(ms, resolve));
  const json = (body: unknown) => ({ status: 200, headers: {}, body: JSON.stringify(body) });
  const http: Http = async (request) => {
    const slug = /\/t\/([^/]+)\/buildinfo$/.exec(request.url)?.[1];
    if (slug !== undefined) {
      const rolledAt = turns.get(slug);
      if (rolledAt === undefined || stuck.includes(slug)) return json({ git_sha: OLD });
      if (dead.includes(slug)) return { status: 502, headers: {}, body: '' };
      if (strange.includes(slug)) return { status: 200, headers: {}, body: '<html>' };
      const drains = 1_500 + (((places.get(slug) ?? 0) * 1_311) % 9_000);
      return json({ git_sha: clock.monotonic() - rolledAt < drains ? OLD : NEW });
    }
    const body = JSON.parse(request.body ?? '{}') as { only_slugs?: string[]; dry_run?: boolean };
    const asked = body.only_slugs ?? slugs;
    if (!body.dry_run) {
      await later(2_000 + ((asked.length * 700) % 3_000));
      for (const one of asked) turns.set(one, clock.monotonic());
    }
    return json({
      ok: true,
      results: asked.map((one) => ({ slug: one, ssm_status: 'Success', healthz_ok: true })),
    });
  };
  const events: FleetEvent[] = [];
  const work = redeployFleet(
    {
      ...{
        environment: 'staging',
        controlPlane: 'https://cp.example.com',
        controlPlaneToken: 'token-of-the-test',
      },
      ...{ tenantUrl: 'https://cp.example.com/t/{slug}', targetTag: 'staging-bbbbbbb', expectedSha: NEW },
      ...{ noLock: true, canary: slugs[0], soakMs: 20_000, settleBudgetMs: 60_000, timeoutMs: 86_400_000 },
      ...options,
    },
    { ports: { clock, http, emit: (event) => void events.push(event) } },
  );
  return { result: await runFast(clock, work), events };
}
