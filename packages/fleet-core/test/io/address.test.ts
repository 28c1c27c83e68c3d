import { describe, expect, test } from 'vitest';
import { hostOf, isLoopback, isWebAddress, tenantUrlProblem, urlProblem } from '../../src/io/address.js';

describe('a base URL is fine', () => {
  test.each([
    'https://cp.example.com',
    'https://cp.example.com:8443/base/',
    'HTTPS://CP.Example.com',
    'https://10.0.0.7',
    'https://[2001:db8::1]:8443',
    'http://localhost:3000',
    'http://cp.localhost',
    'http://127.0.0.1:8080/x',
    'http://127.8.9.10',
    'http://[::1]:8080',
  ])('%s', (url) => {
    expect(urlProblem(url, false)).toBeNull();
  });
});

describe('a base URL is refused', () => {
  test.each([
    ['http to another host', 'http://cp.example.com', /^http:\/\/ to cp\.example\.com could be read/],
    ['http to a host that only begins like loopback', 'http://127.0.0.1.example.com', /could be read/],
    ['http to a host that only ends like localhost', 'http://notlocalhost', /could be read/],
    ['http to every interface', 'http://0.0.0.0', /could be read/],
    ['a user name and a password', 'https://user:hunter2@cp.example.com', /user name or password/],
    ['a user name alone', 'https://user@cp.example.com', /user name or password/],
    ['an empty user name', 'https://@cp.example.com', /user name or password/],
    ['credentials without a scheme', 'user:hunter2@cp.example.com', /user name or password/],
    ['credentials under another scheme', 'ftp://user:hunter2@cp.example.com', /user name or password/],
    ['a query', 'https://cp.example.com/?a=hunter2', /query or a fragment/],
    ['an empty query, which would swallow the path', 'https://cp.example.com/?', /query or a fragment/],
    ['a fragment', 'https://cp.example.com/#a', /query or a fragment/],
    ['an empty fragment', 'https://cp.example.com#', /query or a fragment/],
    ['another scheme', 'ftp://cp.example.com', /is not an http/],
    ['a scheme that only ends like it', 'xhttps://cp.example.com', /is not an http/],
    ['no scheme', 'cp.example.com', /is not an http/],
    ['one slash', 'https:/cp.example.com', /is not an http/],
    ['no host', 'https://', /is not an http/],
    ['17: a host that is an expression', 'https://{host}/', /is not an http/],
    ['a line break', 'https://cp.example\n.com', /is not an http/],
    ['a space', 'https://cp.example.com /', /is not an http/],
    ['backslashes', 'https:\\\\cp.example.com', /is not an http/],
    ['nothing', '', /is not an http/],
  ])('%s', (_name, url, problem) => {
    const [what, next = ''] = urlProblem(url, false) ?? [''];
    expect(what).toMatch(problem);
    expect(`${what}${next}`).not.toMatch(/hunter2|\n/);
  });

  test('a value with an @ somewhere is never quoted: a token may stand before it', () => {
    expect(urlProblem('hunter2@cp', false)?.join()).not.toContain('hunter2');
  });

  test('a long value is quoted in part', () => {
    expect(urlProblem('x'.repeat(5_000), false)?.[0].length).toBeLessThan(200);
  });
});

test('http for Gitea is allowed where the user said so, and nothing else is', () => {
  expect(urlProblem('http://gitea.internal:3000', true)).toBeNull();
  expect(urlProblem('http://user:pw@gitea.internal', true)).not.toBeNull();
  expect(urlProblem('ftp://gitea.internal', true)).not.toBeNull();
});

describe('a tenant URL is fine with {slug} in host or path', () => {
  test.each([
    'https://{slug}.staging.example.com',
    'https://t-{slug}.example.com:8443/',
    'https://example.com/tenants/{slug}',
    'https://example.com/tenants/{slug}/app',
    'http://127.0.0.1:8080/t/{slug}',
    'http://{slug}.localhost:8080',
  ])('%s', (template) => {
    expect(tenantUrlProblem(template)).toBeNull();
  });
});

describe('a tenant URL is refused', () => {
  test.each([
    ['no {slug}', 'https://acme.example.com', /exactly once/],
    ['{slug} twice', 'https://{slug}.example.com/{slug}', /exactly once/],
    ['{slug} in capitals', 'https://{SLUG}.example.com', /exactly once/],
    ['another placeholder', 'https://{slug}.{zone}.example.com', /is not an http/],
    ['106: {slug} as a user name', 'https://{slug}@example.com', /user name or password/],
    ['{slug} as a password', 'https://x:{slug}@example.com', /user name or password/],
    ['{slug} as a port', 'https://example.com:{slug}', /is not an http/],
    ['{slug} in the query', 'https://example.com/?t={slug}', /query or a fragment/],
    ['{slug} in the fragment', 'https://example.com/#{slug}', /query or a fragment/],
    [
      '{slug} in a folder that is left again: one address for all',
      'https://example.com/{slug}/..',
      /host or path/,
    ],
    ['{slug} as a scheme', '{slug}://example.com', /is not an http/],
    ['an empty query behind', 'https://{slug}.example.com/?', /query or a fragment/],
    ['http to tenants elsewhere', 'http://{slug}.example.com', /could be read and forged/],
    ['the path that is appended anyway', 'https://{slug}.example.com/buildinfo', /ends in \/buildinfo/],
  ])('%s', (_name, template, problem) => {
    expect(tenantUrlProblem(template)?.[0]).toMatch(problem);
  });
});

test('a host is compared in small letters and without its port', () => {
  expect(hostOf('https://CP.Example.com:8443/x')).toBe('cp.example.com');
});

test.each([
  ['localhost', true],
  ['LOCALHOST', true],
  ['a.localhost', true],
  ['127.0.0.1', true],
  ['[::1]', true],
  ['localhost.example.com', false],
  ['128.0.0.1', false],
  ['1127.0.0.1', false],
  ['127.0.0.1.nip.io', false],
  ['::2', false],
])('%s is loopback: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

test.each([
  ['https://ci.example.com/run/7', true],
  ['HTTP://ci.example.com', true],
  [`https://x/${'a'.repeat(1_990)}`, true],
  [`https://x/${'a'.repeat(1_991)}`, false],
  ['javascript://https://x', false],
  ['https://', false],
  ['//ci.example.com', false],
  ['', false],
  [null, false],
  [undefined, false],
])('%j becomes a link: %j', (url, link) => {
  expect(isWebAddress(url)).toBe(link);
});
