/** A container registry on loopback: blobs and manifests in memory, and nothing without the right password. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export const USER = 'deployer';
export const PASSWORD = 'registry-password-never-printed';

const digestOf = (body: Buffer) => `sha256:${createHash('sha256').update(body).digest('hex')}`;
const REVISION = 'org.opencontainers.image.revision';

/** @param pushed Told of each tag that is pushed, with the commit that the label of its image names. */
export async function startRegistry(pushed: (tag: string, commit: string) => Promise<void>) {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, { body: Buffer; type: string }>();
  const authorization = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const url = new URL(request.url ?? '', 'http://registry');
    const [, kind, name = ''] = /^\/v2\/acme\/server\/(manifests|blobs)\/(.+)$/.exec(url.pathname) ?? [];
    const end = (status: number, headers = {}, content: Buffer | string = '') =>
      response.writeHead(status, headers).end(content);
    const problem = (status: number, code: string) =>
      end(status, { 'www-authenticate': 'Basic realm="registry"' }, JSON.stringify({ errors: [{ code }] }));
    if (request.headers.authorization !== authorization) return problem(401, 'UNAUTHORIZED');
    if (kind === 'blobs' && request.method === 'POST')
      return end(202, { location: '/v2/acme/server/blobs/uploads/one?state=begun' });
    if (kind === 'blobs' && request.method === 'PUT') {
      const digest = digestOf(body);
      if (url.searchParams.get('digest') !== digest) return problem(400, 'DIGEST_INVALID');
      blobs.set(digest, body);
      return end(201);
    }
    if (kind === 'manifests' && request.method === 'PUT') {
      const config = blobs.get(JSON.parse(body.toString()).config.digest);
      if (!config) return problem(400, 'MANIFEST_BLOB_UNKNOWN');
      const manifest = { body, type: request.headers['content-type'] ?? '' };
      manifests.set(name, manifest).set(digestOf(body), manifest);
      await pushed(name, JSON.parse(config.toString()).config.Labels[REVISION]);
      return end(201);
    }
    const manifest = kind === 'manifests' ? manifests.get(name) : undefined;
    if (manifest) return end(200, { 'content-type': manifest.type }, manifest.body);
    const blob = kind === 'blobs' ? blobs.get(name) : undefined;
    return blob ? end(200, {}, blob) : problem(404, 'MANIFEST_UNKNOWN');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    image: `127.0.0.1:${(server.address() as AddressInfo).port}/acme/server`,
    /** Digest behind a tag. */
    digestOf(tag: string): string | undefined {
      const manifest = manifests.get(tag);
      return manifest && digestOf(manifest.body);
    },
    close: () => server.close(),
  };
}
