import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, type Server as NetServer, createServer as netServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface TestServer {
  url: string;
  port: number;
  /** Connections that were ever opened to it. */
  readonly connections: number;
  readonly requests: IncomingMessage[];
  /** Resolves once the given number of requests has arrived. */
  arrived: (count?: number) => Promise<void>;
  /** Resolves once no connection is open any more. */
  quiet: () => Promise<void>;
}

/** Serves HTTP on loopback until the test ends. */
export async function serve(handler: RequestListener): Promise<TestServer> {
  const requests: IncomingMessage[] = [];
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    requests.push(request);
    for (const wake of waiting) wake();
    handler(request, response);
  });
  const arrived = (count = 1) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (requests.length < count) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return Object.assign(await start(server), { requests, arrived });
}

/** Hands every raw connection to the test until it ends. */
export async function serveRaw(
  onSocket: (socket: Socket) => void,
): Promise<Pick<TestServer, 'url' | 'port' | 'connections' | 'quiet'>> {
  return start(netServer((socket) => onSocket(socket.on('error', () => {}))));
}

async function start(server: NetServer) {
  const open = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections++;
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    get connections() {
      return connections;
    },
    quiet: async () => {
      while (open.size) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

/** Answers with a body as it is. */
export function answer(
  response: ServerResponse,
  status: number,
  body: string | Buffer,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): void {
  response.writeHead(status, headers).end(body);
}

/** A loopback port that nobody listens on. */
export async function closedPort(): Promise<number> {
  const server = netServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
