/** Stands between every command and the control planes, and does to messages what networks do. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  request as send,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Message } from './history.js';
import { Random } from './random.js';

export type Trouble =
  | 'cut-before'
  | 'cut-after'
  | 'slow-before'
  | 'slow-after'
  | 'hole-before'
  | 'hole-after'
  | 'gateway-before'
  | 'gateway-after'
  | 'twice';

const WEIGHTS: Record<Trouble, number> = {
  'cut-before': 3,
  'cut-after': 4,
  'slow-before': 3,
  'slow-after': 3,
  'hole-before': 1,
  'hole-after': 1,
  'gateway-before': 2,
  'gateway-after': 2,
  twice: 2,
};

interface Order {
  trouble: Trouble | null;
  /** Of what is slow, or until it is delivered once more. */
  ms: number;
  /** Of a gateway that answers by itself. */
  status: number;
}

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

type Headers = IncomingMessage['headers'];

export type Meddle = (
  message: { path: string; headers: Headers },
  onceMore: (headers: Headers) => Promise<unknown>,
) => void;

export interface ProxyOptions {
  seed: number;
  /** Share of messages that something happens to. */
  share: number;
  /** Base URL of a control plane as it runs now. */
  target: (plane: number) => string;
  /** For sabotage: sees every message that is passed on, and may pass it on once more with other headers. */
  meddle?: Meddle;
}

export class CuttingProxy {
  readonly messages: Message[] = [];
  /** Nothing happens to messages any more. */
  calm = false;
  readonly #counts = new Map<string, number>();
  readonly #cut = new Set<number>();
  readonly #open = new Map<ServerResponse, number>();
  readonly #server: Server;

  private constructor(private readonly options: ProxyOptions) {
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(options: ProxyOptions): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(options);
    await new Promise<void>((done) => proxy.#server.listen(0, '127.0.0.1', done));
    return proxy;
  }

  /** Base URL of a control plane for one run. */
  urlOf(run: string, plane: number): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${run}/plane-${plane}`;
  }

  /** Cuts a control plane off. */
  partition(plane: number): void {
    this.#cut.add(plane);
    for (const [response, of] of this.#open) if (of === plane) response.destroy();
  }

  heal(plane: number): void {
    this.#cut.delete(plane);
  }

  async close(): Promise<void> {
    this.calm = true;
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, run, digit, path] = /^\/(run-\d+)\/plane-([01])(\/.*)$/.exec(request.url ?? '') ?? [];
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (run === undefined || path === undefined) return void response.writeHead(404).end();
    const plane = Number(digit);
    const order = this.#orderFor(run);
    const method = request.method ?? '';
    const message: Message = {
      run,
      plane,
      at: Date.now(),
      method,
      path,
      trouble: order.trouble,
      status: null,
    };
    this.messages.push(message);
    this.#open.set(response, plane);
    response.on('close', () => this.#open.delete(response));
    if (this.#cut.has(plane)) {
      message.trouble = 'partition';
      return void response.destroy();
    }
    const pass = async (signal?: AbortSignal): Promise<Answer> => {
      const url = this.options.target(plane) + path;
      const body = Buffer.concat(chunks);
      const { headers } = request;
      this.options.meddle?.({ path, headers }, (changed) => deliver(url, { method, headers: changed, body }));
      return deliver(url, { method, headers, body, signal });
    };
    const answer = await this.#under(order, pass, response);
    if (!answer) return;
    message.status = answer.status;
    const { connection: _c, 'transfer-encoding': _t, 'keep-alive': _k, ...headers } = answer.headers;
    response.writeHead(answer.status, headers).end(answer.body);
  }

  /** @returns What the client gets; null where it gets nothing. */
  async #under(
    { trouble, ms, status }: Order,
    pass: (signal?: AbortSignal) => Promise<Answer>,
    response: ServerResponse,
  ): Promise<Answer | null> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const gateway = { status, headers: {}, body: Buffer.from('<html>bad gateway</html>') };
    switch (trouble) {
      case 'cut-before':
        response.destroy();
        return null;
      case 'hole-before':
        return null;
      case 'gateway-before':
        return gateway;
      case 'slow-before':
        await pause(ms);
        // It is on its way: nobody calls it back because its sender is gone.
        return pass();
      case 'twice':
        pause(ms)
          .then(() => pass())
          .catch(() => {});
        return pass(gone.signal);
      case null:
        return pass(gone.signal);
    }
    const answer = await pass();
    if (trouble === 'gateway-after') return { ...gateway, status: 504 };
    if (trouble === 'hole-after') return null;
    if (trouble === 'cut-after') {
      response.destroy();
      return null;
    }
    await pause(ms);
    return answer;
  }

  #orderFor(run: string): Order {
    const count = (this.#counts.get(run) ?? 0) + 1;
    this.#counts.set(run, count);
    const random = new Random(this.options.seed, 'message', run, count);
    const hit = random.chance(this.options.share);
    return {
      trouble: hit && !this.calm ? random.weighted(WEIGHTS) : null,
      ms: random.int(50, 2500),
      status: random.pick([502, 503, 504]),
    };
  }
}

function deliver(
  url: string,
  { method, headers, body, signal }: { method: string; headers: Headers; body: Buffer; signal?: AbortSignal },
): Promise<Answer> {
  return new Promise((done, fail) => {
    const passed = { ...headers, host: new URL(url).host, connection: 'close' };
    const request = send(url, { method, headers: passed, signal }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', fail);
      answer.on('end', () =>
        done({ status: answer.statusCode ?? 502, headers: answer.headers, body: Buffer.concat(chunks) }),
      );
    });
    request.on('error', fail);
    request.end(body.length ? body : undefined);
  });
}
