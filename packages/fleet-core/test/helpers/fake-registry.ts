import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Registry } from '../../src/clients/registry/registry.js';
import { systemHttp } from '../../src/io/http.js';
import { ManualClock } from '../../src/testing/index.js';
import { answer, serve, type TestServer } from './server.js';

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const USER = 'deployer';
export const PASSWORD = 'pass-w0rd-of-tests';
const BASIC = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;

type Takeover = (request: IncomingMessage, response: ServerResponse) => boolean;

export const sha256 = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

export const found = (digest: string, revision: string | null) => ({
  kind: 'found',
  image: { digest, revision },
});

/** A registry on loopback that holds `team/server`, as far as a client that only reads can tell. */
export class FakeRegistry {
  readonly repository = 'team/server';
  /** Documents by tag and by digest. */
  readonly manifests = new Map<string, { type: string; body: string }>();
  readonly blobs = new Map<string, string>();
  auth: 'none' | 'basic' | 'bearer' = 'none';
  /** With `bearer`: tokens are given to everybody. */
  anonymousTokens = false;
  /** Tokens that count; each one that is given counts until it is taken out. */
  readonly tokens = new Set<string>();
  /** Takes a request into its own hands. */
  takeover: Takeover = () => false;
  server!: TestServer;

  static async start(): Promise<FakeRegistry> {
    const registry = new FakeRegistry();
    registry.server = await serve((request, response) => registry.#serve(request, response));
    return registry;
  }

  get url(): string {
    return this.server.url;
  }

  /** What we read it with; without credentials unless told. */
  client(rest: Partial<ConstructorParameters<typeof Registry>[0]> = {}): Registry {
    return new Registry({
      url: this.url,
      repository: this.repository,
      credentials: null,
      http: systemHttp(new ManualClock()),
      signal: new AbortController().signal,
      ...rest,
    });
  }

  /** As `--image` takes it. */
  get image(): string {
    return `127.0.0.1:${this.server.port}/${this.repository}`;
  }

  /** Paths asked for below the repository, in order. */
  get asked(): string[] {
    return this.server.requests.map(({ url = '' }) => url.replace(`/v2/${this.repository}/`, ''));
  }

  /** The authorization of each request whose path contains the text. */
  authorizationsOf(part: string): (string | undefined)[] {
    return this.server.requests
      .filter(({ url }) => url?.includes(part))
      .map(({ headers }) => headers.authorization);
  }

  /** Stores an image with a label, or with none, and returns the digest of its manifest. */
  put(tag: string | null, revision: string | null, type = OCI_MANIFEST): string {
    const labels = revision === null ? {} : { 'org.opencontainers.image.revision': revision };
    return this.putConfig(tag, { architecture: 'amd64', os: 'linux', config: { Labels: labels } }, type);
  }

  putConfig(tag: string | null, config: object | string, type = OCI_MANIFEST): string {
    const text = typeof config === 'string' ? config : JSON.stringify(config);
    this.blobs.set(sha256(text), text);
    const manifest = {
      schemaVersion: 2,
      mediaType: type,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: sha256(text),
        size: text.length,
      },
      layers: [],
    };
    return this.putManifest(tag, JSON.stringify(manifest), type);
  }

  putIndex(tag: string, manifests: object[]): string {
    const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
    return this.putManifest(tag, JSON.stringify(index), OCI_INDEX);
  }

  putManifest(tag: string | null, body: string, type: string): string {
    const digest = sha256(body);
    this.manifests.set(digest, { type, body });
    if (tag) this.manifests.set(tag, { type, body });
    return digest;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', this.url);
    if (this.takeover(request, response)) return;
    if (url.pathname === '/token') return this.#token(request, response);
    if (!this.#mayRead(request.headers.authorization)) {
      const challenge =
        this.auth === 'basic'
          ? 'Basic realm="registry"'
          : `Bearer realm="${this.url}/token",service="registry.example.com",scope="repository:${this.repository}:pull"`;
      return error(response, 401, 'UNAUTHORIZED', { 'www-authenticate': challenge });
    }
    const [, kind, reference = ''] = /^\/v2\/team\/server\/(manifests|blobs)\/(.+)$/.exec(url.pathname) ?? [];
    if (!kind) return error(response, 404, 'NAME_UNKNOWN');
    if (kind === 'blobs') {
      const blob = this.blobs.get(reference);
      if (blob === undefined) return error(response, 404, 'BLOB_UNKNOWN');
      return answer(response, 200, blob, { 'content-type': 'application/octet-stream' });
    }
    const manifest = this.manifests.get(reference);
    if (!manifest) return error(response, 404, 'MANIFEST_UNKNOWN');
    answer(response, 200, manifest.body, {
      'content-type': manifest.type,
      'docker-content-digest': sha256(manifest.body),
    });
  }

  #mayRead(authorization: string | undefined): boolean {
    if (this.auth === 'none') return true;
    if (this.auth === 'basic') return authorization === BASIC;
    return this.tokens.has(authorization?.replace(/^Bearer /, '') ?? '');
  }

  #token(request: IncomingMessage, response: ServerResponse): void {
    const { authorization } = request.headers;
    if (authorization === undefined ? !this.anonymousTokens : authorization !== BASIC)
      return error(response, 401, 'UNAUTHORIZED');
    const token = `token-${this.tokens.size + 1}`;
    this.tokens.add(token);
    answer(response, 200, JSON.stringify({ token, expires_in: 60 }));
  }
}

/** An error in the words of a registry. */
export function error(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string> = {},
): void {
  const body = JSON.stringify({ errors: [{ code, message: 'of the fake' }] });
  answer(response, status, body, { 'content-type': 'application/json', ...headers });
}
