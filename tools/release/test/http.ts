/** Servers of a release on loopback: git over HTTP, and an npm registry. Both want a token. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Listening {
  url: string;
  close(): Promise<void>;
}

async function listen(
  handle: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<Listening> {
  const server: Server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Serves the bare repositories below `root` by git's own CGI program, to those who know the token. */
export function serveGit(root: string, token: string): Promise<Listening> {
  const wanted = `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
  return listen((request, response) => {
    if (request.headers.authorization !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    const url = new URL(request.url ?? '/', 'http://host');
    const child = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env.PATH,
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        HTTP_GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
        REMOTE_USER: 'release',
      },
    });
    request.pipe(child.stdin);
    const parts: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => parts.push(part));
    child.on('close', () => {
      const answer = Buffer.concat(parts);
      const end = answer.indexOf('\r\n\r\n');
      const head = answer.subarray(0, end).toString().split('\r\n');
      const headers = head.map((line) => line.split(': ') as [string, string]);
      const status = headers.find(([name]) => name === 'Status')?.[1] ?? '200';
      response.writeHead(
        Number.parseInt(status, 10),
        Object.fromEntries(headers.filter(([name]) => name !== 'Status')),
      );
      response.end(answer.subarray(end + 4));
    });
  });
}

export interface FakeRegistry extends Listening {
  /** Packuments by package name. */
  packages: Map<string, Packument>;
  /** Names of the packages that were sent, in their order, also those that were refused. */
  puts: string[];
  /** The next upload: refused by this status, or stored with its answer lost. */
  next: number | 'lost' | null;
}

interface PublishedManifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  dist: { tarball: string; integrity: string };
}

interface Packument {
  name: string;
  'dist-tags': Record<string, string>;
  versions: Record<string, PublishedManifest>;
  _attachments: Record<string, { data: string }>;
}

/** The part of npm's registry protocol that publishing and installing need; a version is taken once. */
export async function serveRegistry(token: string): Promise<FakeRegistry> {
  const packages = new Map<string, Packument>();
  const registry: FakeRegistry = { packages, puts: [], next: null, url: '', close: async () => {} };
  const server = await listen(async (request, response) => {
    const [, prefix, path = ''] = /^(\/npm\/)(.*)$/.exec(decodeURIComponent(request.url ?? '')) ?? [];
    if (!prefix) return response.writeHead(404).end();
    if (request.headers.authorization !== `Bearer ${token}`)
      return response.writeHead(401).end('{"error":"who?"}');
    const [name = '', file] = path.split('/-/');
    const known = packages.get(name);
    if (request.method === 'GET' && file) {
      const data = known?._attachments[file]?.data;
      return data ? response.end(Buffer.from(data, 'base64')) : response.writeHead(404).end();
    }
    if (request.method === 'GET') {
      response.setHeader('content-type', 'application/json');
      return known ? response.end(JSON.stringify(known)) : response.writeHead(404).end('{}');
    }
    const sent = JSON.parse(await text(request)) as Packument;
    registry.puts.push(name);
    const failure = registry.next;
    registry.next = null;
    if (typeof failure === 'number') return response.writeHead(failure).end(`{"error":"secret: ${token}"}`);
    if (Object.keys(sent.versions).some((version) => known?.versions[version]))
      return response.writeHead(409).end('{}');
    for (const version of Object.values(sent.versions)) {
      const data = Object.values(sent._attachments)[0]?.data ?? '';
      version.dist.integrity = `sha512-${createHash('sha512').update(Buffer.from(data, 'base64')).digest('base64')}`;
      version.dist.tarball = `${registry.url}${name}/-/${Object.keys(sent._attachments)[0]?.split('/').at(-1)}`;
    }
    const attachments = Object.entries(sent._attachments).map(([key, value]) => [
      key.split('/').at(-1) ?? key,
      value,
    ]);
    packages.set(name, {
      ...sent,
      versions: { ...known?.versions, ...sent.versions },
      _attachments: { ...known?._attachments, ...Object.fromEntries(attachments) },
    });
    if (failure === 'lost') return request.socket.destroy();
    return response.writeHead(201).end('{}');
  });
  return Object.assign(registry, { url: `${server.url}/npm/`, close: server.close });
}

async function text(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
