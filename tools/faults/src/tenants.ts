/** The tenants as servers of their own: they answer what the database says that they run, and take down every answer. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Answer } from './history.js';
import { Random } from './random.js';
import type { TenantScript } from './script.js';

interface Running {
  sha: string;
  previousSha: string | null;
  swappedAt: number | null;
}

const TROUBLES = ['cut', 'lost', 'slow', 'late', 'page'] as const;

export class Tenants {
  readonly answers: Answer[] = [];
  calm = false;
  readonly #counts = new Map<string, number>();
  readonly #asked = new Map<string, number>();
  readonly #server: Server;

  private constructor(
    private readonly pool: Pool,
    private readonly fleet: TenantScript[],
    private readonly options: { seed: number; share: number },
  ) {
    this.#server = createServer((request, response) => {
      // A database that is away: the tenants of this fleet live in it, and are away with it.
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(
    pool: Pool,
    fleet: TenantScript[],
    options: { seed: number; share: number },
  ): Promise<Tenants> {
    const tenants = new Tenants(pool, fleet, options);
    await new Promise<void>((done) => tenants.#server.listen(0, '127.0.0.1', done));
    return tenants;
  }

  /** URL template for one run. */
  templateOf(run: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${run}/{slug}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, run, slug] = /^\/(run-\d+)\/([a-z0-9-]+)\/buildinfo$/.exec(request.url ?? '') ?? [];
    const tenant = this.fleet.find((one) => one.slug === slug);
    if (!run || !tenant) return void response.writeHead(404).end();
    const { trouble, ms } = this.#troubleFor(run);
    const answer: Answer = { run, slug: tenant.slug, at: Date.now(), sha: null, delivered: false, trouble };
    this.answers.push(answer);
    if (trouble === 'cut') return void response.destroy();
    if (trouble === 'slow') await pause(ms);
    const sha = await this.#shaOf(tenant);
    answer.at = Date.now();
    answer.sha = sha;
    if (trouble === 'lost') return void response.destroy();
    if (trouble === 'late') await pause(ms);
    if (trouble === 'page')
      return void response.writeHead(502, { 'content-type': 'text/html' }).end('<html></html>');
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ git_sha: sha }));
    answer.delivered = await new Promise<boolean>((done) => {
      response.on('finish', () => done(true));
      response.on('close', () => done(response.writableFinished));
    });
  }

  async #shaOf({ slug, drain_ms, drain_mode }: TenantScript): Promise<string> {
    const { rows } = await this.pool.query<{ running: Running }>(
      'SELECT running FROM sim_tenants WHERE slug = $1',
      [slug],
    );
    const running = rows[0]?.running;
    if (!running) throw new Error(`no tenant ${slug}`);
    const asked = (this.#asked.get(slug) ?? 0) + 1;
    this.#asked.set(slug, asked);
    const draining = running.swappedAt !== null && Date.now() - running.swappedAt < drain_ms;
    const old = draining && (drain_mode === 'old' || asked % 2 === 0);
    return old && running.previousSha !== null ? running.previousSha : running.sha;
  }

  #troubleFor(run: string) {
    const count = (this.#counts.get(run) ?? 0) + 1;
    this.#counts.set(run, count);
    const random = new Random(this.options.seed, 'probe', run, count);
    const hit = random.chance(this.options.share) && !this.calm;
    return { trouble: hit ? random.pick(TROUBLES) : null, ms: random.int(50, 1800) };
  }
}
