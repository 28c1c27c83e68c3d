/** A control plane as there were before the lock, told how to answer, with tenants of its own. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { REDEPLOY_PATH, type RedeployRequest } from '@tenant-fleet/fleet-core/contract';

export const UPSTREAM_TOKEN = 'upstream-secret-3141';
export const OLD_SHA = '1'.repeat(40);

interface Call extends RedeployRequest {
  key: string | undefined;
}

type Answer = { status: number; body: string; headers?: Record<string, string> };
/** How the next calls of the redeploy endpoint end; `roll` and `plan` are what an honest one does. */
type Act = (call: Call, response: ServerResponse) => Answer | undefined | Promise<Answer | undefined>;

export class FakeUpstream {
  readonly calls: Call[] = [];
  /** What each tenant answers. */
  readonly running = new Map<string, string>();
  act: Act = (call) => (call.dry_run ? this.plan(call) : this.roll(call));
  private readonly server = createServer((request, response) => void this.serve(request, response));

  static async start(slugs: string[]): Promise<FakeUpstream> {
    const upstream = new FakeUpstream();
    for (const slug of slugs) upstream.running.set(slug, OLD_SHA);
    await new Promise<void>((resolve) => upstream.server.listen(0, '127.0.0.1', resolve));
    return upstream;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get tenantUrl(): string {
    return `${this.url}/tenants/{slug}`;
  }

  /** Rolls that were asked for, dry runs left out. */
  get rolls(): Call[] {
    return this.calls.filter((call) => !call.dry_run);
  }

  private rows(call: Call, row: Record<string, unknown>): Answer {
    const slugs = call.only_slugs ?? [...this.running.keys()];
    return json(200, { ok: true, results: slugs.map((slug) => ({ slug, phase: 'batch-1', ...row })) });
  }

  plan = (call: Call) => this.rows(call, { ssm_status: 'DryRun' });

  roll = (call: Call) => {
    const sha = call.target_tag.replace(/^staging-/, '');
    for (const slug of call.only_slugs ?? this.running.keys()) this.running.set(slug, sha);
    return this.rows(call, { ssm_status: 'Success', ssm_exit_code: 0, healthz_ok: true });
  };

  /** The stub of the first days: rolls at a dry run too, and knows neither scope nor proof. */
  stub: Act = (call) =>
    json(200, {
      ok: true,
      results: [...this.running.keys()].map((slug) => {
        this.running.set(slug, call.target_tag.replace(/^staging-/, ''));
        return { slug, phase: 'redeploy', ssm_status: 'Success', ssm_exit_code: 0, healthz_ok: true };
      }),
    });

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const slug = /^\/tenants\/([^/]+)\/buildinfo$/.exec(request.url ?? '')?.[1];
    const sha = slug && this.running.get(slug);
    if (sha) return send(response, json(200, { git_sha: sha }));
    if (`${request.method} ${request.url}` !== `POST ${REDEPLOY_PATH}`)
      return send(response, json(501, { error: 'handler not implemented' }));
    if (request.headers.authorization !== `Bearer ${UPSTREAM_TOKEN}`)
      return send(response, { status: 401, body: '<html>unauthorised</html>' });
    let text = '';
    for await (const chunk of request) text += chunk;
    const call = { ...JSON.parse(text), key: request.headers['idempotency-key'] } as Call;
    this.calls.push(call);
    const answer = await this.act(call, response);
    if (answer) send(response, answer);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export const json = (status: number, body: unknown): Answer => ({ status, body: JSON.stringify(body) });

const send = (response: ServerResponse, { status, body, headers }: Answer) =>
  void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
