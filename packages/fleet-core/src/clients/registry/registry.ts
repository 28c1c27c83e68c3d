/** Client of the small part of the OCI distribution API that tells which commit a tag holds. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { isLoopback } from '../../io/address.js';
import { type Http, HttpFailure, type HttpResponse } from '../../io/http.js';
import { parseJson } from '../../text/json.js';
import { parseChallenges } from './challenge.js';

export interface RegistryOptions {
  /** Origin of the registry: `https`, or `http` on loopback. */
  url: string;
  /** Repository without its host: `team/server`. */
  repository: string;
  /** Sent to the registry, and to the token server that it names, when one of them asks. */
  credentials: { user: string; password: string } | null;
  http: Http;
  signal: AbortSignal;
}

/** What a tag names. */
export interface Image {
  /** Digest of the manifest or index behind the tag: the one that can be pulled. */
  digest: string;
  /** Text of the label `org.opencontainers.image.revision`, not sanitised; null where it is absent or empty. */
  revision: string | null;
}

/** A definite answer, or why there is none. */
export type Lookup =
  | { kind: 'found'; image: Image }
  /** 404 of a registry: no such tag, or no such repository yet. */
  | { kind: 'absent' }
  /** The registry wants credentials, or does not accept those that it got. */
  | { kind: 'unauthorized'; why: string }
  | { kind: 'unreadable'; why: string };

export const REVISION_LABEL = 'org.opencontainers.image.revision';

const TIMEOUT_MS = 15_000;
/** What the specification makes registries take; far more than any image needs. */
const MAX_BYTES = 4 * 1024 * 1024;
const TOKEN_MAX_BYTES = 64 * 1024;

const MANIFEST_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const ACCEPT_MANIFEST = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  ...MANIFEST_TYPES,
].join(', ');
const REDIRECTS = [301, 302, 303, 307, 308];

const digestSchema = z.string().regex(/^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/);
const descriptorSchema = z.looseObject({
  digest: digestSchema,
  mediaType: z.string().nullish(),
  platform: z.looseObject({ os: z.string().nullish(), architecture: z.string().nullish() }).nullish(),
  annotations: z.looseObject({ 'vnd.docker.reference.type': z.string().nullish() }).nullish(),
});
type Descriptor = z.infer<typeof descriptorSchema>;
/** A document that is both can be read as either, so it counts as neither. */
const manifestSchema = z.union([
  z.looseObject({
    manifests: z.array(descriptorSchema),
    config: z.undefined().optional(),
    layers: z.undefined().optional(),
  }),
  z.looseObject({ config: z.looseObject({ digest: digestSchema }), manifests: z.undefined().optional() }),
]);
const configSchema = z.looseObject({
  config: z
    .looseObject({ Labels: z.looseObject({ [REVISION_LABEL]: z.string().nullish() }).nullish() })
    .nullish(),
});
const tokenSchema = z.union([
  z.looseObject({ token: z.string().min(1) }).transform(({ token }) => token),
  z.looseObject({ access_token: z.string().min(1) }).transform((answer) => answer.access_token),
]);
/** How a registry words an error; the pages of proxies, and servers that are no registry, have another shape. */
const errorSchema = z.looseObject({ errors: z.array(z.looseObject({ code: z.string() })).min(1) });

/** Carries the answer out of the steps of a look-up. */
class NoImage extends Error {
  constructor(readonly lookup: Exclude<Lookup, { kind: 'found' }>) {
    super(lookup.kind);
  }
}

/** One repository of a registry. Keeps what it signed in with, so one instance serves a whole wait. */
export class Registry {
  #authorization: string | null = null;

  constructor(private readonly options: RegistryOptions) {}

  /** The image behind a tag; of an index that for linux/amd64, or else its first. Retries nothing. */
  async resolve(tag: string): Promise<Lookup> {
    try {
      const answer = await this.#get(`manifests/${tag}`, ACCEPT_MANIFEST);
      if (answer.status === 404 && read(errorSchema, answer.body)) return { kind: 'absent' };
      let manifest = manifestOf(answer);
      const digest = digestOf(answer.body, 'sha256');
      const claimed = answer.headers['docker-content-digest'];
      if (claimed?.startsWith('sha256:') && claimed !== digest) throw unreadable('the manifest is damaged');
      if (manifest.manifests) {
        const platform = pick(manifest.manifests);
        if (!platform) throw unreadable('the index behind the tag lists no image');
        const child = await this.#get(`manifests/${platform.digest}`, ACCEPT_MANIFEST);
        manifest = manifestOf(child, platform.digest);
      }
      if (!manifest.config) throw unreadable('the tag names an index of indexes');
      const config = await this.#config(manifest.config.digest);
      return {
        kind: 'found',
        image: { digest, revision: config.config?.Labels?.[REVISION_LABEL]?.trim() || null },
      };
    } catch (error) {
      if (error instanceof NoImage) return error.lookup;
      if (!(error instanceof HttpFailure)) throw error;
      if (error.kind === 'aborted') throw this.options.signal.reason;
      return { kind: 'unreadable', why: error.message };
    }
  }

  async #config(digest: string): Promise<z.infer<typeof configSchema>> {
    let answer = await this.#get(`blobs/${digest}`, '*/*');
    if (REDIRECTS.includes(answer.status)) {
      const target = this.#onward(answer.headers.location ?? '');
      if (!target) throw unreadable('the registry redirects to an address that is not https');
      // A storage server is somebody else: it gets a signed address, and no credentials.
      answer = await this.#send(target.href, { accept: '*/*' });
    }
    expectOk(answer, 'the image configuration');
    if (!matches(answer.body, digest)) throw unreadable('the image configuration is damaged');
    const config = read(configSchema, answer.body);
    if (!config) throw unreadable('the image configuration has another shape');
    return config;
  }

  /** Asks the registry, and signs in once where it wants that. */
  async #get(path: string, accept: string): Promise<HttpResponse> {
    const { url, repository } = this.options;
    const ask = () =>
      this.#send(`${url}/v2/${repository}/${path}`, {
        accept,
        ...(this.#authorization === null ? {} : { authorization: this.#authorization }),
      });
    let answer = await ask();
    if (answer.status === 401) {
      this.#authorization = await this.#signIn(answer.headers['www-authenticate'] ?? '');
      answer = await ask();
    }
    if (isDenied(answer)) throw this.#denied();
    return answer;
  }

  async #signIn(header: string): Promise<string> {
    const challenges = parseChallenges(header);
    const bearer = challenges.find(({ scheme, params }) => scheme === 'bearer' && params.realm);
    if (bearer) return `Bearer ${await this.#token(bearer.params)}`;
    if (!challenges.some(({ scheme }) => scheme === 'basic'))
      throw unreadable('HTTP 401 that offers no way of signing in that is known here');
    const basic = this.#basic();
    if (!basic) throw this.#denied();
    return basic;
  }

  async #token(params: Record<string, string>): Promise<string> {
    const realm = this.#onward(params.realm ?? '');
    if (!realm) throw unreadable('the registry names a token server that is not https');
    if (params.service) realm.searchParams.set('service', params.service);
    realm.searchParams.set('scope', params.scope || `repository:${this.options.repository}:pull`);
    const basic = this.#basic();
    const headers = { accept: 'application/json', ...(basic && { authorization: basic }) };
    const answer = await this.#send(realm.href, headers, TOKEN_MAX_BYTES);
    if (answer.status === 401 || isDenied(answer)) throw this.#denied();
    expectOk(answer, 'the token');
    const token = read(tokenSchema, answer.body);
    if (!token || !/^[\x21-\x7e]+$/.test(token)) throw unreadable('the token server gives no token');
    return token;
  }

  #basic(): string | null {
    const { credentials } = this.options;
    return (
      credentials && `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')}`
    );
  }

  #denied(): NoImage {
    const why = this.options.credentials
      ? 'the registry does not accept the credentials for this repository'
      : 'the registry does not show this repository without credentials';
    return new NoImage({ kind: 'unauthorized', why });
  }

  /** Where the registry may send us: https, or loopback where the registry is there too. */
  #onward(location: string): URL | null {
    const { url } = this.options;
    if (!location || !URL.canParse(location, url)) return null;
    const target = new URL(location, url);
    const near = isLoopback(target.hostname) && isLoopback(new URL(url).hostname);
    const safe = target.protocol === 'https:' || (target.protocol === 'http:' && near);
    return safe && !target.username && !target.password ? target : null;
  }

  #send(url: string, headers: Record<string, string>, maxBytes = MAX_BYTES): Promise<HttpResponse> {
    const { http, signal } = this.options;
    return http({ method: 'GET', url, headers, timeoutMs: TIMEOUT_MS, maxBytes, signal });
  }
}

function manifestOf(answer: HttpResponse, digest?: string): z.infer<typeof manifestSchema> {
  expectOk(answer, 'the manifest');
  if (digest && !matches(answer.body, digest)) throw unreadable('the manifest is damaged');
  const manifest = read(manifestSchema, answer.body);
  if (!manifest) throw unreadable('what the registry answers is no image manifest');
  return manifest;
}

/** Attestations stand in an index beside the images, as manifests of their own for a platform "unknown". */
function pick(manifests: Descriptor[]): Descriptor | undefined {
  const images = manifests.filter(
    ({ mediaType, platform, annotations }) =>
      (!mediaType || MANIFEST_TYPES.includes(mediaType)) &&
      !(platform?.os === 'unknown' && platform.architecture === 'unknown') &&
      annotations?.['vnd.docker.reference.type'] !== 'attestation-manifest',
  );
  return (
    images.find(({ platform }) => platform?.os === 'linux' && platform.architecture === 'amd64') ?? images[0]
  );
}

/** 401 after signing in, or a 403 of the registry itself: that of a proxy says nothing about rights. */
const isDenied = ({ status, body }: HttpResponse) =>
  status === 401 || (status === 403 && read(errorSchema, body) !== null);

function expectOk({ status }: HttpResponse, what: string): void {
  if (status === 200) return;
  const redirect = REDIRECTS.includes(status) ? ', a redirect, which is not followed here' : '';
  throw unreadable(`HTTP ${status} for ${what}${redirect}`);
}

const unreadable = (why: string) => new NoImage({ kind: 'unreadable', why });

const digestOf = (body: string, algorithm: string) =>
  `${algorithm}:${createHash(algorithm).update(body).digest('hex')}`;

const matches = (body: string, digest: string) => digestOf(body, digest.split(':')[0] as string) === digest;

function read<Schema extends z.ZodType>(schema: Schema, body: string): z.output<Schema> | null {
  return schema.safeParse(parseJson(body)).data ?? null;
}
