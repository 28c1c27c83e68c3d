import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import {
  CLAIM_HEADER,
  FENCE_HEADER,
  IDEMPOTENCY_HEADER,
  REDEPLOY_PATH,
  type RedeployRequest,
} from '../../src/contract.js';

export const OLD = 'a'.repeat(40);
export const NEW = 'b'.repeat(40);

/** How a tenant answers `/buildinfo`: a commit, or anything done to the raw response. */
export type Answer = string | ((response: ServerResponse) => void);

export interface Roll {
  body: RedeployRequest;
  slugs: string[];
  fence: string | undefined;
  claim: string | undefined;
  key: string | undefined;
}

type Script = (roll: Roll, response: ServerResponse, done: () => void) => void;

/** A scripted control plane and its tenants on one loopback port: the part of the contract that exists today. */
export class FakeFleet {
  readonly tenants = new Map<string, Answer>();
  /** Real rolls in the order in which they arrived. */
  readonly rolls: Roll[] = [];
  readonly probes: string[] = [];
  plans = 0;
  /** All requests, tenants' included. */
  requests = 0;
  /** Tenants that a roll does not move. */
  readonly stuck = new Set<string>();
  /** Takes the n-th real roll (from 0) into its own hands; `done` rolls as usual without answering. */
  readonly script = new Map<number, Script>();
  /** Changes what a plan answers. */
  planRows: (slugs: string[]) => unknown[] = (slugs) =>
    slugs.map((slug) => ({ slug, ssm_status: 'DryRun', phase: 'batch-1' }));
  planAnswer: ((response: ServerResponse) => void) | null = null;
  /** Extra fields of a roll's rows. */
  rows = new Map<string, Record<string, unknown>>();
  onProbe: (slug: string) => void = () => {};
  /** Serves paths of its own: the lock, Gitea. */
  extra: ((request: IncomingMessage, response: ServerResponse, body: string) => boolean) | null = null;
  url = '';
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  static async start(slugs: string[], sha: Answer = OLD): Promise<FakeFleet> {
    const fleet = new FakeFleet();
    for (const slug of slugs) fleet.tenants.set(slug, sha);
    fleet.#server.on('connection', (socket) => {
      fleet.#sockets.add(socket);
      socket.on('close', () => fleet.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => fleet.#server.listen(0, '127.0.0.1', resolve));
    fleet.url = `http://127.0.0.1:${(fleet.#server.address() as AddressInfo).port}`;
    return fleet;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Slugs in the order in which real rolls named them. */
  get rolled(): string[] {
    return this.rolls.flatMap((roll) => roll.slugs);
  }

  /** Options that point a run at this fleet. */
  get options() {
    return {
      controlPlane: this.url,
      controlPlaneToken: 'secret-token-value',
      tenantUrl: `${this.url}/t/{slug}`,
      targetTag: 'staging-bbbbbbb',
      expectedSha: NEW,
      soakMs: 0,
      settleBudgetMs: 3_000,
      noLock: true,
      timeoutMs: 3_600_000,
    };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests++;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (this.extra?.(request, response, body)) return;
    const tenant = /^\/t\/([^/]+)\/buildinfo$/.exec(path);
    if (tenant) return this.#buildinfo(tenant[1] as string, response);
    if (path === REDEPLOY_PATH && request.method === 'POST')
      return this.#redeploy(request, JSON.parse(body), response);
    json(response, 404, { error: 'not_found' });
  }

  #buildinfo(slug: string, response: ServerResponse): void {
    this.probes.push(slug);
    this.onProbe(slug);
    const answer = this.tenants.get(slug);
    if (answer === undefined) return void response.socket?.destroy();
    if (typeof answer === 'string') json(response, 200, { git_sha: answer });
    else answer(response);
  }

  #redeploy(request: IncomingMessage, body: RedeployRequest, response: ServerResponse): void {
    const slugs = body.only_slugs ?? [...this.tenants.keys()];
    if (body.dry_run) {
      this.plans++;
      if (this.planAnswer) return this.planAnswer(response);
      return json(response, 200, { ok: true, results: this.planRows(slugs) });
    }
    const roll = {
      body,
      slugs,
      fence: one(request.headers[FENCE_HEADER]),
      claim: one(request.headers[CLAIM_HEADER]),
      key: one(request.headers[IDEMPOTENCY_HEADER]),
    };
    this.rolls.push(roll);
    const done = () => {
      for (const slug of slugs)
        if (!this.stuck.has(slug) && this.tenants.has(slug)) this.tenants.set(slug, NEW);
    };
    const script = this.script.get(this.rolls.length - 1);
    if (script) return script(roll, response, done);
    done();
    json(response, 200, {
      ok: true,
      results: slugs.map((slug) => ({
        slug,
        phase: 'batch-1',
        ssm_status: 'Success',
        ssm_exit_code: 0,
        healthz_ok: true,
        ...this.rows.get(slug),
      })),
    });
  }
}

const one = (header: string | string[] | undefined) => (Array.isArray(header) ? header[0] : header);

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
