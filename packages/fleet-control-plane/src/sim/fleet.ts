import { createHash } from 'node:crypto';
import { slugSchema } from '@tenant-fleet/fleet-core/contract';
import type { Clock } from '../clock.js';
import type { Database } from '../db/database.js';
import { Problem } from '../problem.js';
import type { RollRef } from '../rolls/roll.js';
import type { Behaviour, FleetFile, Running, Tenant } from './behaviour.js';

/** PostgreSQL channel on which a replica tells the others that the fleet changed. */
export const SIM_CHANNEL = 'fleet_sim';

const INITIAL_SHA = createHash('sha1').update('initial').digest('hex');

const firstRun = (file: FleetFile | undefined): Running => ({
  tag: file?.initial?.image_tag ?? `staging-${INITIAL_SHA.slice(0, 7)}`,
  sha: file?.initial?.git_sha ?? INITIAL_SHA,
  previousSha: null,
  swappedAt: null,
  gone: false,
});

/** Whose roll a swap belongs to was closed meanwhile. */
export class RollClosed extends Error {}

/**
 * The simulated tenants and images. PostgreSQL keeps them; a copy in memory answers, so that the tenants, like real
 * ones, go on answering when the control plane's database is away.
 */
export class Fleet {
  private tenants = new Map<string, Tenant>();
  private images = new Map<string, string>();

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly origin: string,
  ) {}

  /** Adds the described tenants that are missing and updates the behaviour of the others; what they run is kept. */
  async seed(file: FleetFile | undefined): Promise<void> {
    for (const [tag, sha] of Object.entries(file?.images ?? {})) await this.putImage(tag, sha);
    for (const entry of file?.tenants ?? []) {
      const { slug, ...own } = typeof entry === 'string' ? { slug: entry } : entry;
      const behaviour = { ...file?.defaults, ...own };
      await this.db.rows({
        text: `INSERT INTO sim_tenants (slug, behaviour, running) VALUES ($1, $2, $3)
          ON CONFLICT (slug) DO UPDATE SET behaviour = excluded.behaviour`,
        values: [slug, JSON.stringify(behaviour), JSON.stringify(firstRun(file))],
      });
    }
    await this.reload();
  }

  async reload(): Promise<void> {
    const tenants = await this.db.rows<Tenant>({
      text: 'SELECT slug, position, behaviour, running FROM sim_tenants ORDER BY position',
    });
    const images = await this.db.rows<{ tag: string; git_sha: string }>({
      text: 'SELECT tag, git_sha FROM sim_images',
    });
    this.tenants = new Map(tenants.map((tenant) => [tenant.slug, tenant]));
    this.images = new Map(images.map(({ tag, git_sha }) => [tag, git_sha]));
  }

  heard(from: string): void {
    if (from !== this.origin) this.reload().catch(() => {});
  }

  private async changed(): Promise<void> {
    await this.reload();
    await this.db.rows({ text: `SELECT pg_notify('${SIM_CHANNEL}', $1)`, values: [this.origin] });
  }

  get(slug: string): Tenant | undefined {
    return this.tenants.get(slug);
  }

  /** Tenants in the order in which they were made, without those that are gone. */
  list(): Tenant[] {
    return [...this.tenants.values()].filter((tenant) => !tenant.running.gone);
  }

  listImages(): Record<string, string> {
    return Object.fromEntries(this.images);
  }

  async putImage(tag: string, sha: string): Promise<void> {
    await this.db.rows({
      text: 'INSERT INTO sim_images VALUES ($1, $2) ON CONFLICT (tag) DO UPDATE SET git_sha = excluded.git_sha',
      values: [tag, sha],
    });
    await this.changed();
  }

  /** Makes a tenant, or replaces how it behaves; `running` sets what it runs, without a roll. */
  async put(
    slug: string,
    behaviour: Behaviour,
    running?: { image_tag: string; git_sha: string },
  ): Promise<Tenant> {
    const now: Running = running
      ? { tag: running.image_tag, sha: running.git_sha, previousSha: null, swappedAt: null, gone: false }
      : (this.tenants.get(slug)?.running ?? firstRun(undefined));
    await this.db.rows({
      text: `INSERT INTO sim_tenants (slug, behaviour, running) VALUES ($1, $2, $3)
        ON CONFLICT (slug) DO UPDATE SET behaviour = excluded.behaviour, running = excluded.running`,
      values: [slugSchema.parse(slug), JSON.stringify(behaviour), JSON.stringify({ ...now, gone: false })],
    });
    await this.changed();
    return this.tenants.get(slug) as Tenant;
  }

  async remove(slug: string): Promise<void> {
    const rows = await this.db.rows({
      text: 'DELETE FROM sim_tenants WHERE slug = $1 RETURNING slug',
      values: [slug],
    });
    if (rows.length === 0) {
      throw new Problem(
        404,
        'unknown_tenant',
        `There is no tenant "${slug}".`,
        'See GET /sim/tenants for those that there are.',
      );
    }
    await this.changed();
  }

  /** The commit that a target stands for; null when no such image exists. Of digests nothing is known here. */
  resolve(target: string): string | null {
    const [tag = ''] = target.split('@', 1);
    const known = this.images.get(tag);
    if (known) return known;
    const full = /(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])/i.exec(tag)?.[0];
    if (full) return full.toLowerCase();
    const short = /-([0-9a-f]{7,39})$/i.exec(tag)?.[1]?.toLowerCase();
    return (short && [...this.images.values()].find((sha) => sha.startsWith(short))) || null;
  }

  /**
   * Puts a tenant on another image, as part of an open roll.
   * @throws RollClosed when the roll was closed meanwhile: the database itself keeps a late roll from changing anything.
   */
  async swap(
    roll: RollRef,
    slug: string,
    patch: { tag: string; sha: string } | { gone: true },
  ): Promise<void> {
    const tenant = this.tenants.get(slug);
    if (!tenant) return;
    const running: Running =
      'gone' in patch
        ? { ...tenant.running, gone: true }
        : { ...patch, previousSha: tenant.running.sha, swappedAt: this.clock.wall(), gone: false };
    const rows = await this.db.rows<{ running: Running }>({
      name: 'sim-swap',
      text: `WITH roll AS (SELECT 1 FROM rolls WHERE id = $2 AND nonce = $4 AND ended_at IS NULL FOR SHARE)
        UPDATE sim_tenants
        SET running = $3::jsonb || jsonb_build_object('rolls', coalesce((running->>'rolls')::int, 0) + 1)
        WHERE slug = $1 AND EXISTS (SELECT 1 FROM roll) RETURNING running`,
      values: [slug, roll.id, JSON.stringify(running), roll.nonce],
    });
    const [swapped] = rows;
    if (!swapped) throw new RollClosed();
    const current = this.tenants.get(slug);
    if (current) current.running = swapped.running;
    // The others may show the swap a moment later, so nothing waits for this.
    this.db.rows({ text: `SELECT pg_notify('${SIM_CHANNEL}', $1)`, values: [this.origin] }).catch(() => {});
  }
}
