import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../clock.js';
import { answerOf } from './behaviour.js';
import type { Fleet } from './fleet.js';

const HUGE_BYTES = 8 * 1024 * 1024;
const PAGE =
  '<!doctype html><html><head><title>Welcome</title></head><body><h1>Nothing to see here</h1></body></html>';

/** Serves every tenant at `/{slug}/buildinfo`. */
export class TenantListener {
  private readonly asked = new Map<string, number>();
  private readonly server: Server;

  constructor(
    private readonly fleet: Fleet,
    private readonly clock: Clock,
  ) {
    this.server = createServer((request, response) => this.serve(request.url ?? '/', response));
  }

  /** @returns the port it listens on. */
  async listen(port: number, host: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        this.server.removeListener('error', reject);
        resolve();
      });
    });
    return (this.server.address() as AddressInfo).port;
  }

  private serve(url: string, response: ServerResponse): void {
    const slug = /^\/([a-z0-9-]{1,63})\/buildinfo\/?(?:\?|$)/.exec(url)?.[1];
    const tenant = slug === undefined ? undefined : this.fleet.get(slug);
    // An address that no tenant has: the web page that stands in front of all of them.
    if (!tenant) {
      page(response, 404);
      return;
    }
    const asked = this.asked.get(tenant.slug) ?? 0;
    this.asked.set(tenant.slug, asked + 1);
    const answer = answerOf(tenant, this.clock.wall(), asked);
    switch (answer.kind) {
      case 'sha':
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ git_sha: answer.sha }));
        return;
      case 'hang':
        return;
      case 'reset':
        response.socket?.resetAndDestroy();
        return;
      case 'html':
        page(response, 200);
        return;
      case 'not-found':
        page(response, 404);
        return;
      case 'redirect':
        response.writeHead(302, { location: `/${tenant.slug}/login` }).end();
        return;
      case 'huge':
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(`{"git_sha":"${'0'.repeat(HUGE_BYTES)}"}`);
        return;
    }
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

function page(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(PAGE);
}
