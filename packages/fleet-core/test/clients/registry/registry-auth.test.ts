/** Who gets the registry's credentials, and what is fetched from where. */
import { beforeEach, describe, expect, test } from 'vitest';
import { parseChallenges } from '../../../src/clients/registry/challenge.js';
import type { Http, HttpRequest, HttpResponse } from '../../../src/io/http.js';
import { error, FakeRegistry, found, PASSWORD, USER } from '../../helpers/fake-registry.js';
import { answer, serve } from '../../helpers/server.js';

const SHA = 'b'.repeat(40);
const TAG = 'staging-bbbbbbb';
const CREDENTIALS = { user: USER, password: PASSWORD };

let registry: FakeRegistry;
beforeEach(async () => {
  registry = await FakeRegistry.start();
});

const client: FakeRegistry['client'] = (rest) => registry.client(rest);

describe('signing in', () => {
  test('basic: the credentials go out when the registry asks, and not before', async () => {
    registry.auth = 'basic';
    const digest = registry.put(TAG, SHA);
    expect(await client({ credentials: CREDENTIALS }).resolve(TAG)).toEqual(found(digest, SHA));
    const [first, ...rest] = registry.authorizationsOf('/');
    expect(first).toBeUndefined();
    expect(rest).toHaveLength(2);
    for (const authorization of rest) expect(authorization).toMatch(/^Basic /);
  });

  test('bearer: credentials to the token server, its token to the registry', async () => {
    registry.auth = 'bearer';
    const digest = registry.put(TAG, SHA);
    expect(await client({ credentials: CREDENTIALS }).resolve(TAG)).toEqual(found(digest, SHA));
    expect(registry.authorizationsOf('/token')).toEqual([expect.stringMatching(/^Basic /)]);
    expect(registry.authorizationsOf('/v2/')).toEqual([undefined, 'Bearer token-1', 'Bearer token-1']);
    const asked = new URL(registry.asked.find((path) => path.startsWith('/token')) ?? '', registry.url);
    expect(Object.fromEntries(asked.searchParams)).toEqual({
      service: 'registry.example.com',
      scope: 'repository:team/server:pull',
    });
  });

  test('bearer: a token for everybody needs no credentials', async () => {
    registry.auth = 'bearer';
    registry.anonymousTokens = true;
    const digest = registry.put(TAG, SHA);
    expect(await client().resolve(TAG)).toEqual(found(digest, SHA));
    expect(registry.authorizationsOf('/token')).toEqual([undefined]);
  });

  test('bearer: a token that ran out is replaced', async () => {
    registry.auth = 'bearer';
    registry.put(TAG, SHA);
    const one = client({ credentials: CREDENTIALS });
    await one.resolve(TAG);
    await one.resolve(TAG);
    expect(registry.authorizationsOf('/token')).toHaveLength(1);
    registry.tokens.delete('token-1');
    registry.tokens.add('token-x');
    expect(await one.resolve(TAG)).toMatchObject({ kind: 'found' });
    expect(registry.authorizationsOf('/token')).toHaveLength(2);
  });

  test.each(['basic', 'bearer'] as const)('%s: a wrong password, or none, is said as such', async (auth) => {
    registry.auth = auth;
    registry.put(TAG, SHA);
    const wrong = await client({ credentials: { user: USER, password: 'wrong' } }).resolve(TAG);
    expect(wrong).toMatchObject({ kind: 'unauthorized', why: expect.stringContaining('does not accept') });
    expect(await client().resolve(TAG)).toMatchObject({
      kind: 'unauthorized',
      why: expect.stringContaining('without credentials'),
    });
  });

  test('a token without the right to pull, and a 403 of the registry itself', async () => {
    registry.auth = 'bearer';
    registry.takeover = (request, response) => {
      if (!request.headers.authorization?.startsWith('Bearer')) return false;
      error(response, 401, 'UNAUTHORIZED', { 'www-authenticate': 'Bearer error="insufficient_scope"' });
      return true;
    };
    expect(await client({ credentials: CREDENTIALS }).resolve(TAG)).toMatchObject({ kind: 'unauthorized' });
    registry.takeover = (_request, response) => {
      error(response, 403, 'DENIED');
      return true;
    };
    expect(await client().resolve(TAG)).toMatchObject({ kind: 'unauthorized' });
  });

  test.each([
    ['a page', 200, '<html>'],
    ['no token', 200, '{"expires_in":60}'],
    ['a token that would break the header', 200, '{"token":"a\\r\\nx: y"}'],
    ['an error', 503, ''],
    ['the 403 of an edge', 403, 'error code: 1010'],
    ['a redirect', 307, ''],
  ])('a token server that answers with %s is no verdict on the credentials', async (_name, status, body) => {
    registry.auth = 'bearer';
    registry.takeover = (request, response) => {
      if (!request.url?.startsWith('/token')) return false;
      answer(response, status, body, { location: '/elsewhere' });
      return true;
    };
    expect(await client({ credentials: CREDENTIALS }).resolve(TAG)).toEqual({
      kind: 'unreadable',
      why: expect.stringContaining('token'),
    });
    expect(registry.asked).not.toContain('/elsewhere');
  });

  /** A registry that is not on loopback, without a network: it answers every first request with this challenge. */
  const remote = (challenge: string) => {
    const sent: HttpRequest[] = [];
    const http: Http = async (request): Promise<HttpResponse> => {
      sent.push(request);
      return { status: 401, headers: { 'www-authenticate': challenge }, body: '' };
    };
    return { sent, one: client({ url: 'https://registry.example.com', credentials: CREDENTIALS, http }) };
  };

  test.each([
    'http://auth.example.com/token',
    'http://127.0.0.1:9/token',
    'https://somebody@auth.example.com/token',
    'ftp://auth.example.com/token',
    'https://',
  ])('the credentials never go to a token server at %s', async (realm) => {
    const { sent, one } = remote(`Bearer realm="${realm}",service="s"`);
    expect(await one.resolve(TAG)).toMatchObject({ kind: 'unreadable' });
    expect(sent.map(({ url }) => url)).toEqual([
      `https://registry.example.com/v2/team/server/manifests/${TAG}`,
    ]);
  });

  test('a token server elsewhere is asked over https, with the query that it came with', async () => {
    const { sent, one } = remote('Bearer realm="https://auth.example.com/token?account=a b",scope="*"');
    expect(await one.resolve(TAG)).toMatchObject({ kind: 'unauthorized' });
    expect(sent[1]?.url).toBe('https://auth.example.com/token?account=a+b&scope=*');
    expect(sent[1]?.headers?.authorization).toMatch(/^Basic /);
  });
});

describe('redirects', () => {
  const redirect = (part: string, location: string, status = 307) => {
    registry.takeover = (request, response) => {
      // The registry's own check of credentials comes first.
      if (!request.url?.includes(part) || (registry.auth !== 'none' && !request.headers.authorization))
        return false;
      answer(response, status, '', { location });
      return true;
    };
  };

  test.each([302, 307])(
    'a blob that is kept elsewhere (%i) is fetched without credentials',
    async (status) => {
      registry.auth = 'basic';
      const digest = registry.put(TAG, SHA);
      const [blob = ''] = registry.blobs.values();
      const storage = await serve((_request, response) => answer(response, 200, blob));
      redirect('/blobs/', `${storage.url}/signed?for=60`, status);
      expect(await client({ credentials: CREDENTIALS }).resolve(TAG)).toEqual(found(digest, SHA));
      expect(registry.authorizationsOf('/blobs/')).toEqual([expect.stringMatching(/^Basic /)]);
      expect(storage.requests).toHaveLength(1);
      expect(storage.requests[0]?.headers.authorization).toBeUndefined();
      expect(storage.requests[0]?.url).toBe('/signed?for=60');
    },
  );

  test('a second one is not followed, nor a storage server believed without the digest', async () => {
    registry.put(TAG, SHA);
    const storage = await serve((request, response) => {
      if (request.url === '/forged') answer(response, 200, '{"config":{}}');
      else answer(response, 307, '', { location: `http://${request.headers.host}/on-and-on` });
    });
    redirect('/blobs/', `${storage.url}/first`);
    expect(await client().resolve(TAG)).toMatchObject({ kind: 'unreadable' });
    expect(storage.requests).toHaveLength(1);
    redirect('/blobs/', `${storage.url}/forged`);
    expect(await client().resolve(TAG)).toMatchObject({ why: 'the image configuration is damaged' });
  });

  test.each(['http://storage.example.com/blob', 'file:///etc/hostname', '//', ''])(
    'a blob is not fetched from %j',
    async (location) => {
      registry.put(TAG, SHA);
      redirect('/blobs/', location);
      const lookup = await client().resolve(TAG);
      expect(lookup).toMatchObject({ why: 'the registry redirects to an address that is not https' });
    },
  );

  test('a manifest is not fetched from anywhere else', async () => {
    registry.put(TAG, SHA);
    redirect('/manifests/', `${registry.url}/elsewhere`);
    expect(await client().resolve(TAG)).toMatchObject({ kind: 'unreadable' });
    expect(registry.asked).toHaveLength(1);
  });
});

describe('challenges', () => {
  test.each([
    ['Basic', [{ scheme: 'basic', params: {} }]],
    ['Basic realm="a, b"', [{ scheme: 'basic', params: { realm: 'a, b' } }]],
    [
      'Bearer realm="https://a/t",service="s",scope="repository:x:pull,push"',
      [{ scheme: 'bearer', params: { realm: 'https://a/t', service: 's', scope: 'repository:x:pull,push' } }],
    ],
    [
      'BEARER Realm = https://a/t , Basic realm="say \\"x\\""',
      [
        { scheme: 'bearer', params: { realm: 'https://a/t' } },
        { scheme: 'basic', params: { realm: 'say "x"' } },
      ],
    ],
    ['Bearer realm="never closed', [{ scheme: 'bearer', params: { realm: '' } }]],
    ['realm="of nobody"', []],
    ['', []],
    [' , ;;; ', []],
  ])('%s', (header, expected) => {
    expect(parseChallenges(header)).toEqual(expected);
  });

  test('the worst header costs no time', () => {
    for (const piece of ['a', ' ', 'a ', '"', '\\"', 'a=', 'a="', ','])
      expect(parseChallenges(`Bearer ${piece.repeat(16_384)}`).length).toBeGreaterThan(0);
  }, 1_000);
});
