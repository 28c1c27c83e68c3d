/** Servers that run rollouts on one database, and a fleet that outlives every one of them. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerRollout } from '@tenant-fleet/fleet-core/contract';
import { type Answer, type Body, Client, eventually } from './plane.js';
import { type PlaneProcess, startPlaneProcess } from './processes.js';

export const SHA = '2222222222222222222222222222222222222222';
export const TAG = 'staging-2222222';

export interface FleetOptions {
  tenants: number;
  rollMs?: number;
  drainMs?: number;
  /** How long a tenant thinks before it says what it runs. */
  answerMs?: number;
  /** More of the environment's configuration. */
  config?: Record<string, unknown>;
}

/** The same tenants at an address where each thinks for a while. It lives as long as the test process. */
async function slowed(template: string, ms: number): Promise<string> {
  const { origin, pathname } = new URL(template.replace('{slug}', 'SLUG'));
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const server = createServer(({ url }, response) => {
    setTimeout(() => {
      request(origin + url, { agent }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      })
        .on('error', () => response.destroy())
        .end();
    }, ms);
  }).unref();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}${pathname.replace('SLUG', '{slug}')}`;
}

/** A fleet whose tenants answer from a process that runs no rollouts and is never killed. */
export class ServerFleet {
  readonly servers: PlaneProcess[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'fleet-rollouts-'));

  private constructor(
    private readonly databaseUrl: string,
    private readonly tenants: PlaneProcess,
    readonly configPath: string,
  ) {}

  static async start(databaseUrl: string, options: FleetOptions): Promise<ServerFleet> {
    const folder = mkdtempSync(join(tmpdir(), 'fleet-rollouts-'));
    const slugs = Array.from({ length: options.tenants }, (_, at) => `t${at + 1}`);
    const fleetPath = join(folder, 'fleet.json');
    const defaults = { roll_ms: options.rollMs ?? 100, drain_ms: options.drainMs ?? 0 };
    writeFileSync(fleetPath, JSON.stringify({ images: { [TAG]: SHA }, defaults, tenants: slugs }));
    const tenants = await startPlaneProcess(databaseUrl, '--fleet', fleetPath);
    const configPath = join(folder, 'fleet.config.json');
    const staging = {
      'control-plane': 'self',
      'tenant-url': options.answerMs
        ? await slowed(String(tenants.process.lines[0]?.tenant_url), options.answerMs)
        : tenants.process.lines[0]?.tenant_url,
      canary: 't1',
      soak: '300ms',
      'batch-size': 2,
      'settle-budget': '4s',
      'lock-ttl': '15s',
      ...options.config,
    };
    writeFileSync(configPath, JSON.stringify({ environments: { staging } }));
    const fleet = new ServerFleet(databaseUrl, tenants, configPath);
    rmSync(fleet.folder, { recursive: true, force: true });
    return fleet;
  }

  async addServer(...more: string[]): Promise<PlaneProcess> {
    const server = await startPlaneProcess(this.databaseUrl, '--config', this.configPath, ...more);
    this.servers.push(server);
    return server;
  }

  /** Kills a server as the kernel would. */
  async kill(server: PlaneProcess): Promise<void> {
    this.servers.splice(this.servers.indexOf(server), 1);
    await server.process.kill();
  }

  async end(): Promise<void> {
    await Promise.all([this.tenants, ...this.servers].map(({ process }) => process.kill()));
  }

  /** A call of any server that lives. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> {
    const { url } = this.servers[0] ?? this.tenants;
    return new Client(url).call(method, path, body, headers);
  }

  start(server: PlaneProcess, more: Record<string, unknown> = {}, key: string = randomUUID()) {
    return new Client(server.url).call(
      'POST',
      '/cp/admin/rollouts',
      { environment: 'staging', target_tag: TAG, expected_sha: SHA, holder: { name: 'test' }, ...more },
      { 'idempotency-key': key },
    );
  }

  async read(id: string): Promise<ServerRollout> {
    return (await this.call('GET', `/cp/admin/rollouts/${id}`)).body;
  }

  async events(id: string): Promise<Body[]> {
    const all: Body[] = [];
    for (;;) {
      const { events } = (
        await this.call('GET', `/cp/admin/rollouts/${id}/events?after=${all.at(-1)?.n ?? 0}`)
      ).body;
      if (!events.length) return all;
      all.push(...events);
    }
  }

  /** Waits until the rollout has said so. */
  async said(id: string, isIt: (event: Body) => boolean, ms = 30_000): Promise<void> {
    await eventually(async () => (await this.events(id)).some(isIt), ms);
  }

  async ended(id: string, ms = 60_000): Promise<ServerRollout> {
    await eventually(async () => (await this.read(id)).state === 'ended', ms);
    return this.read(id);
  }

  /** How often each tenant was put on another image, by its own record. */
  async rolls(): Promise<Record<string, number>> {
    const { tenants } = (await new Client(this.tenants.url).call('GET', '/sim/tenants')).body;
    return Object.fromEntries(tenants.map(({ slug, rolls }: Body) => [slug, rolls]));
  }

  /** Puts every tenant back to where it was before. */
  async reset(): Promise<void> {
    const client = new Client(this.tenants.url);
    const { tenants } = (await client.call('GET', '/sim/tenants')).body;
    const running = { image_tag: 'staging-1111111', git_sha: '1'.repeat(40) };
    for (const { slug, running: _running, gone: _gone, rolls: _rolls, ...behaviour } of tenants)
      await client.call('PUT', `/sim/tenants/${slug}`, { ...behaviour, slug: undefined, running });
  }
}
