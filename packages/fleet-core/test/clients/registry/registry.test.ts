/** What the registry's client makes of every answer. Numbers name rows of docs/incidents.md. */
import { beforeEach, describe, expect, test } from 'vitest';
import {
  DOCKER_MANIFEST,
  FakeRegistry,
  found,
  OCI_INDEX,
  OCI_MANIFEST,
  sha256,
} from '../../helpers/fake-registry.js';
import { answer, closedPort } from '../../helpers/server.js';

const SHA = 'b'.repeat(40);
const TAG = 'staging-bbbbbbb';

let registry: FakeRegistry;
beforeEach(async () => {
  registry = await FakeRegistry.start();
});

const client: FakeRegistry['client'] = (rest) => registry.client(rest);

describe('what a tag holds', () => {
  test.each([OCI_MANIFEST, DOCKER_MANIFEST])(
    '29: of a %s, the manifest digest and the label',
    async (type) => {
      const digest = registry.put(TAG, SHA, type);
      expect(await client().resolve(TAG)).toEqual(found(digest, SHA));
      const { accept } = registry.server.requests[0]?.headers ?? {};
      for (const part of ['oci.image.index', 'oci.image.manifest', 'manifest.list.v2', 'manifest.v2'])
        expect(accept).toContain(part);
    },
  );

  const platform = (os: string, architecture: string) => ({ os, architecture });
  const attestation = (digest: string) => ({
    mediaType: OCI_MANIFEST,
    digest,
    platform: platform('unknown', 'unknown'),
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
  });

  test('of an index, the image for linux/amd64 and the digest of the index', async () => {
    const digest = registry.putIndex(TAG, [
      {
        mediaType: OCI_MANIFEST,
        digest: registry.put(null, 'c'.repeat(40)),
        platform: platform('linux', 'arm64'),
      },
      { mediaType: OCI_MANIFEST, digest: registry.put(null, SHA), platform: platform('linux', 'amd64') },
    ]);
    expect(await client().resolve(TAG)).toEqual(found(digest, SHA));
  });

  test('of an index without it, the first image that is none of the attestations', async () => {
    const digest = registry.putIndex(TAG, [
      attestation(registry.put(null, null)),
      { ...attestation(registry.put(null, null)), platform: platform('linux', 'amd64') },
      { ...attestation(registry.put(null, null)), annotations: undefined },
      { mediaType: OCI_MANIFEST, digest: registry.put(null, SHA), platform: platform('linux', 'arm64') },
    ]);
    expect(await client().resolve(TAG)).toEqual(found(digest, SHA));
  });

  test('an index of attestations, or of indexes, holds no image', async () => {
    registry.putIndex(TAG, [attestation(registry.put(null, SHA))]);
    expect(await client().resolve(TAG)).toMatchObject({ kind: 'unreadable' });
    const inner = registry.putIndex('inner', []);
    registry.putIndex(TAG, [{ mediaType: OCI_INDEX, digest: inner }]);
    expect(await client().resolve(TAG)).toMatchObject({ kind: 'unreadable' });
    registry.putIndex(TAG, [{ mediaType: OCI_MANIFEST, digest: inner }]);
    expect(await client().resolve(TAG)).toMatchObject({ kind: 'unreadable' });
  });

  test.each([
    ['no label', { config: { Labels: {} } }],
    ['an empty label', { config: { Labels: { 'org.opencontainers.image.revision': ' ' } } }],
    ['null labels', { config: { Labels: null } }],
    ['no labels', { config: {} }],
    ['an empty configuration', {}],
  ])('%s is no revision', async (_name, config) => {
    const digest = registry.putConfig(TAG, config);
    expect(await client().resolve(TAG)).toEqual(found(digest, null));
  });

  test('30: absent is what the registry itself says, of the tag or of the repository', async () => {
    expect(await client().resolve(TAG)).toEqual({ kind: 'absent' });
    expect(await client({ repository: 'team/other' }).resolve(TAG)).toEqual({ kind: 'absent' });
  });
});

describe('what is no answer', () => {
  const BOTH = JSON.stringify({ manifests: [], config: { digest: sha256('{}') }, layers: [] });
  test.each([
    ['a web page', 200, '<html>welcome</html>'],
    ['an empty body', 200, ''],
    ['another document', 200, '{"tags":["a"]}'],
    ['a manifest that is an index too', 200, BOTH],
    ['a digest that leads elsewhere', 200, '{"config":{"digest":"../../../token"}}'],
    ['a page that says 404', 404, '<html>not found</html>'],
    ['a document that says 404', 404, '{"error":"not_found"}'],
    ['22: a route that is not there', 404, ''],
    ['too many requests', 429, ''],
    ['an error', 500, ''],
    ['the 403 of an edge', 403, 'error code: 1010'],
    ['401 without a way of signing in', 401, ''],
  ])('%s', async (_name, status, body) => {
    registry.takeover = (_request, response) => {
      answer(response, status, body);
      return true;
    };
    expect(await client().resolve(TAG)).toMatchObject({ kind: 'unreadable', why: expect.any(String) });
  });

  test('a manifest without end is left after 4 MiB', async () => {
    registry.takeover = (_request, response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, ' ')));
      };
      response.on('drain', more);
      more();
      return true;
    };
    expect(await client().resolve(TAG)).toEqual({
      kind: 'unreadable',
      why: `answer is larger than ${4 * 1024 * 1024} bytes`,
    });
  });

  test('a registry that does not listen', async () => {
    const lookup = await client({ url: `http://127.0.0.1:${await closedPort()}` }).resolve(TAG);
    expect(lookup).toEqual({ kind: 'unreadable', why: 'connection refused' });
  });

  test('a configuration that is missing is not an absent tag', async () => {
    registry.put(TAG, SHA);
    registry.blobs.clear();
    expect(await client().resolve(TAG)).toMatchObject({ kind: 'unreadable' });
  });

  test('content that does not fit its digest', async () => {
    registry.put(TAG, SHA);
    for (const [digest, text] of registry.blobs) registry.blobs.set(digest, text.replaceAll('b', 'c'));
    expect(await client().resolve(TAG)).toMatchObject({ why: 'the image configuration is damaged' });

    const child = registry.put(null, SHA);
    registry.putIndex(TAG, [{ mediaType: OCI_MANIFEST, digest: child }]);
    registry.manifests.set(child, { type: OCI_MANIFEST, body: '{"config":{}}' });
    expect(await client().resolve(TAG)).toMatchObject({ why: 'the manifest is damaged' });

    registry.put(TAG, SHA);
    registry.takeover = (request, response) => {
      if (!request.url?.endsWith(TAG)) return false;
      answer(response, 200, registry.manifests.get(TAG)?.body ?? '', {
        'docker-content-digest': sha256('another'),
      });
      return true;
    };
    expect(await client().resolve(TAG)).toMatchObject({ why: 'the manifest is damaged' });
  });

  test('being cancelled is not an answer either', async () => {
    const abort = new AbortController();
    registry.takeover = () => {
      abort.abort(new Error('enough'));
      return true;
    };
    await expect(client({ signal: abort.signal }).resolve(TAG)).rejects.toThrow('enough');
  });
});
