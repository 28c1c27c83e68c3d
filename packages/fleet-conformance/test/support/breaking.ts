/** A control plane with one rule broken: a proxy in front of ours that changes what goes in or comes out. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

// biome-ignore lint/suspicious/noExplicitAny: a broken server knows no shapes
export type Body = any;

export interface Request {
  method: string;
  /** With its query. */
  path: string;
  headers: Record<string, string>;
  body: Body;
}

export interface Reply {
  status: number;
  body: Body;
  headers?: Record<string, string>;
}

export type Forward = (changed?: Partial<Request>) => Promise<Reply>;
export type Break = (request: Request, forward: Forward) => Promise<Reply>;

export async function startBroken(
  target: string,
  make: () => Break,
): Promise<{ url: string; close: () => Promise<void> }> {
  const breaks = make();
  const server = createServer(async (incoming, outgoing) => {
    let text = '';
    for await (const chunk of incoming) text += chunk;
    const headers = Object.fromEntries(
      Object.entries(incoming.headers).filter(([name]) => !/^(?:host|connection|content-length)$/.test(name)),
    ) as Record<string, string>;
    let body: Body;
    try {
      body = text ? JSON.parse(text) : undefined;
    } catch {
      body = text;
    }
    const request: Request = { method: incoming.method ?? '', path: incoming.url ?? '', headers, body };
    const forward: Forward = async (changed) => {
      const { method, path, headers, body } = { ...request, ...changed };
      const answer = await fetch(target + path, {
        method,
        headers,
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const said = await answer.text();
      const retry = answer.headers.get('retry-after');
      return {
        status: answer.status,
        body: said ? JSON.parse(said) : undefined,
        ...(retry && { headers: { 'retry-after': retry } }),
      };
    };
    const reply = await breaks(request, forward).catch(() => ({ status: 502, body: {}, headers: {} }));
    outgoing
      .writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
      .end(JSON.stringify(reply.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
