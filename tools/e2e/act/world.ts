/** What surrounds the workflows: a control plane with its fleet, Gitea, and the registry that images are pushed to. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ControlPlaneOptions, startControlPlane } from '@tenant-fleet/fleet-control-plane';
import type { LockStatus } from '@tenant-fleet/fleet-core/contract';
import { FakeGitea } from '@tenant-fleet/fleet-core/testing';
import { Consumer } from './consumer.js';
import { Engine, type Job, type Run, temporary } from './engine.js';

export const TENANTS = ['acme', 'birch', 'cobalt', 'dunes'];
const TOKEN = 'control-plane-token-never-printed';
const JOB_TOKEN = 'job-token-never-printed';
const OLD = { image_tag: 'main-1111111', git_sha: '1'.repeat(40) };

export interface Roll {
  fencing_token: number | null;
  slugs: string[];
  target_tag: string;
  started_at: string;
  ended_at: string | null;
}

export type World = Awaited<ReturnType<typeof openWorld>>;

const startGitea = () => FakeGitea.start({ repository: 'acme/workspace-server', token: JOB_TOKEN });

export type Plane = Awaited<ReturnType<typeof openPlane>>;

/** The control plane of an environment, with its fleet. @param more What else it is started with. */
export async function openPlane(environment: string, more: Partial<ControlPlaneOptions> = {}) {
  const plane = await startControlPlane({ token: TOKEN, lockGroup: environment, ...more });
  const api = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const answer = await fetch(plane.url + path, { method, headers, body: JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  };
  return {
    api,
    token: TOKEN,
    url: plane.url,
    tenantUrl: plane.tenantUrlTemplate,
    /** An image as tenants would answer it. */
    image: (tag: string, git_sha: string) => api('PUT', `/sim/images/${tag}`, { git_sha }),
    /** Tenants on the old image again, each behaving as told or well. */
    async reset(behaviours: Record<string, string> = {}): Promise<void> {
      for (const slug of TENANTS) {
        const behaviour = behaviours[slug] ?? 'ok';
        await api('PUT', `/sim/tenants/${slug}`, { behaviour, roll_ms: 700, drain_ms: 300, running: OLD });
      }
    },
    /** What every tenant answers. */
    async running(): Promise<string[]> {
      const urls = TENANTS.map((slug) => `${plane.tenantUrlTemplate.replace('{slug}', slug)}/buildinfo`);
      const answers = await Promise.all(urls.map(async (url) => (await fetch(url)).json()));
      return answers.map((answer) => (answer as { git_sha: string }).git_sha);
    },
    /** As an environment of the configuration file. */
    config: (lockTtl: string) => [
      `  ${environment}:`,
      `    control-plane: ${plane.url}`,
      `    tenant-url: ${plane.tenantUrlTemplate}`,
      '    canary: acme',
      '    soak: 1s',
      '    batch-size: 3',
      '    settle-budget: 3s',
      `    lock-ttl: ${lockTtl}`,
      '    timeout: 2m',
    ],
    close: () => plane.close(),
  };
}

/** What lets the control plane roll staging by itself. */
async function rollsItself(): Promise<Partial<ControlPlaneOptions>> {
  const tenantPort = await freePort();
  const staging = {
    ...{ 'control-plane': 'self', 'tenant-url': `http://127.0.0.1:${tenantPort}/{slug}` },
    ...{ canary: 'acme', soak: '1s', 'batch-size': 3, 'settle-budget': '5s' },
  };
  return { tenantPort, config: { path: 'fleet.config.yaml', content: { environments: { staging } } } };
}

export async function openWorld() {
  const folder = temporary(tmpdir(), 'act');
  const staging = await openPlane('staging', await rollsItself());
  const { api } = staging;
  let gitea = await startGitea();

  // The registry reads the commit out of the archive: what tenants will answer is what was built.
  const registry = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const tag = request.url?.split('/').at(-2) ?? '';
    const input = Buffer.concat(chunks);
    const text = execFileSync('tar', ['-xzO', 'server/buildinfo.json'], { input, encoding: 'utf8' });
    await staging.image(tag, JSON.parse(text).git_sha);
    response.writeHead(201).end();
  }).listen(0, '127.0.0.1');
  await once(registry, 'listening');
  const packages = `http://127.0.0.1:${(registry.address() as AddressInfo).port}/api/packages/acme/generic/server`;

  const engine = new Engine(folder.path);
  let number = 0;
  return {
    get gitea() {
      return gitea;
    },
    staging,
    tenantUrl: staging.tenantUrl,
    controlPlane: staging.url,
    folder: (name: string) => join(folder.path, name),
    consumer(name: string, production?: Plane, change?: (workflow: string) => string): Consumer {
      // A short one where leases are to run out.
      const environments = production
        ? [...staging.config('30s'), ...production.config('30s')]
        : staging.config('4s');
      return Consumer.fromExample(
        join(folder.path, name),
        `environments:\n${environments.join('\n')}\n`,
        change,
      );
    },
    /** A Gitea that knows of nothing yet. */
    async emptyGitea(): Promise<void> {
      await gitea.stop();
      gitea = await startGitea();
    },
    reset: staging.reset,
    run(job: Pick<Job, 'cwd' | 'workflow' | 'ref'> & Partial<Job>): Run {
      const runNumber = ++number;
      return engine.start({
        event: 'push',
        runNumber,
        vars: { PACKAGE_URL: packages },
        ...job,
        env: { GITHUB_SERVER_URL: gitea.url, ...job.env },
        secrets: {
          FLEET_CP_TOKEN: TOKEN,
          GITHUB_TOKEN: JOB_TOKEN,
          PACKAGE_TOKEN: 'package-token',
          ...job.secrets,
        },
      });
    },
    running: staging.running,
    async rolls(): Promise<Roll[]> {
      return ((await api('GET', '/cp/admin/rolls')) as { rolls: Roll[] }).rolls;
    },
    lock: async () => (await api('GET', '/cp/admin/fleet-locks/staging/')) as LockStatus,
    async close(): Promise<void> {
      registry.close();
      await gitea.stop();
      await staging.close();
      folder.remove();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
