/** A Gitea server on loopback: one repository in memory, every exchange kept, failures to order. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { FakeRepository, variable } from './fake-gitea-repository.js';
import type { FakeAnswer } from './fake-gitea-rows.js';

/** What happens to a request instead of its answer. */
export type FakeFault =
  /** This status with Gitea's own error document. */
  | 401
  | 403
  | 404
  | 429
  | 500
  | 502
  /** 403 for a scope that the token lacks. */
  | 'scope'
  /** 403 of something in front of the server. */
  | 'edge'
  /** The connection dies before the request has any effect. */
  | 'cut'
  /** The request has its effect, and the answer is lost. */
  | 'cut-after'
  /** No answer, ever. */
  | 'silent'
  /** 200 with a page. */
  | 'html';

interface Order {
  fault: FakeFault;
  method?: string;
  /** Matched against the path below the repository. */
  path?: RegExp;
  /** How many requests; default: all. */
  times?: number;
}

/** One exchange as it went over the wire; `status` is null where no answer went out. */
export interface FakeExchange {
  method: string;
  /** With the base of the API, without its query. */
  path: string;
  query: Record<string, string>;
  headers: Record<string, string>;
  body: unknown;
  status: number | null;
  answer: unknown;
}

export interface FakeGiteaOptions {
  /** Default: any free one. */
  port?: number;
  /** `owner/name`, default `acme/server`; every other one is "not found". */
  repository?: string;
  /** What requests must carry; default: anything will do. */
  token?: string;
  /** Path that the server runs under, default none. */
  base?: string;
  /** Milliseconds since 1970; default the system's. */
  now?: () => number;
}

export class FakeGitea {
  readonly exchanges: FakeExchange[] = [];
  url = '';
  repository!: FakeRepository;
  readonly #orders: Order[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  private constructor(private readonly options: FakeGiteaOptions) {}

  static async start(options: FakeGiteaOptions = {}): Promise<FakeGitea> {
    const fake = new FakeGitea(options);
    fake.#server.on('connection', (socket) => {
      fake.#sockets.add(socket);
      socket.on('close', () => fake.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      fake.#server.once('error', reject);
      fake.#server.listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    const { port } = fake.#server.address() as AddressInfo;
    fake.url = `http://127.0.0.1:${port}${options.base ?? ''}`;
    const name = options.repository ?? 'acme/server';
    fake.repository = new FakeRepository(name, `${fake.url}/${name}`, options.now ?? Date.now);
    return fake;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Issues and pull requests in the order of their numbers. */
  get issues() {
    return this.repository.issues;
  }

  /** Rows of commit statuses in the order in which they came. */
  get statuses() {
    return this.repository.statuses;
  }

  /** Orders a failure; the oldest order that fits a request is the one that it meets. */
  fail(fault: FakeFault, where: Omit<Order, 'fault'> = {}): void {
    this.#orders.push({ ...where, fault });
  }

  /** Takes all orders back. */
  heal(): void {
    this.#orders.length = 0;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    const exchange: FakeExchange = {
      method: request.method ?? '',
      path: pathname,
      query: Object.fromEntries(searchParams),
      headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, `${value}`])),
      body: parse(text),
      status: null,
      answer: null,
    };
    this.exchanges.push(exchange);
    const path = this.#below(pathname);
    const fault = this.#meet(exchange.method, path ?? pathname);
    if (fault === 'silent') return;
    if (fault === 'cut') return void response.socket?.destroy();
    const answer = this.#refusal(fault, request) ?? this.#answer(exchange, path, searchParams);
    if (fault === 'cut-after') return void response.socket?.destroy();
    exchange.status = answer.status;
    exchange.answer = answer.body;
    const page = typeof answer.body === 'string';
    response.writeHead(answer.status, {
      'content-type': page ? 'text/html' : 'application/json;charset=utf-8',
      // Built from an address that a runner may not reach.
      ...(answer.total === undefined
        ? {}
        : { 'x-total-count': `${answer.total}`, link: '<http://gitea.invalid/next>; rel="next"' }),
    });
    response.end(page ? answer.body : JSON.stringify(answer.body));
  }

  #answer(
    { method, body, path: url }: FakeExchange,
    path: string | null,
    query: URLSearchParams,
  ): FakeAnswer {
    const owned = new RegExp(`/orgs/${this.repository.name.split('/')[0]}/actions/variables/([^/]+)$`).exec(
      url,
    )?.[1];
    if (owned) return variable(this.repository.ownerVariables, owned);
    if (path === null) return error(404, 'not found');
    const fields = (body ?? {}) as Record<string, unknown>;
    return this.repository.answer({ method, path, query, body: fields }) ?? error(404, 'not found');
  }

  /** The path below the repository, null outside of it. */
  #below(pathname: string): string | null {
    const root = `${this.options.base ?? ''}/api/v1/repos/${this.repository.name}`;
    return pathname === root || pathname.startsWith(`${root}/`) ? pathname.slice(root.length) : null;
  }

  #meet(method: string, path: string): FakeFault | null {
    const order = this.#orders.find(
      (one) => one.times !== 0 && (one.method ?? method) === method && (one.path?.test(path) ?? true),
    );
    if (order?.times !== undefined) order.times--;
    return order?.fault ?? null;
  }

  #refusal(fault: FakeFault | null, request: IncomingMessage): FakeAnswer | null {
    const { token } = this.options;
    const sent = /^(?:token|bearer) (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token !== undefined && sent !== token) return error(401, 'token is required');
    switch (fault) {
      case 'scope':
        return error(403, 'token does not have at least one of required scope(s): [write:issue]');
      case 'edge':
        return { status: 403, body: '<html>error code: 1010</html>' };
      case 'html':
        return { status: 200, body: '<html>Sign in</html>' };
      case 403:
        return error(403, 'user should have a permission to write to this');
      case null:
      case 'cut':
      case 'cut-after':
      case 'silent':
        return null;
      default:
        return error(fault, 'ordered by the test');
    }
  }
}

const error = (status: number, message: string): FakeAnswer => ({
  status,
  body: { message, url: 'http://gitea.invalid/api/swagger' },
});

function parse(text: string): unknown {
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
