/** The tokens file, without a server. */
import { describe, expect, it } from 'vitest';
import { scopeOf } from '../../src/http/auth/scopes.js';
import { digestOf, makeToken, parseTokens } from '../../src/http/auth/tokens.js';

const SHA = digestOf('a token').toString('hex');
const line = (patch: Record<string, unknown>) =>
  JSON.stringify([{ name: 'ci', sha256: SHA, scopes: ['read'], ...patch }]);

describe('a tokens file', () => {
  it.each([
    ['empty', '', /a list/],
    ['no list', 'name: ci', /a list/],
    ['an empty list', '[]', /at least one/],
    ['neither YAML nor JSON', '- [', /neither YAML nor JSON/],
    ['a plain token', line({ sha256: 'my-secret-token' }), /"0\.sha256".*never the token/],
    [
      'a hash that YAML reads as a number',
      `- {name: ci, scopes: [read], sha256: ${'1'.repeat(64)}}`,
      /quotes/,
    ],
    ['an unknown field', line({ token: 'my-secret-token' }), /token/],
    ['an unknown scope', line({ scopes: ['all'] }), /"0\.scopes\.0"/],
    ['no scope', line({ scopes: [] }), /"0\.scopes"/],
    ['no groups', line({ groups: [] }), /"0\.groups"/],
    ['a glob that is none', line({ groups: ['!(a)'] }), /glob/],
    ['the name of the plain token', line({ name: 'default' }), /has no name/],
    ['a name with a line break', line({ name: 'a\nb' }), /letters/],
    ['a day that is none', line({ expires: '2027-02-31' }), /2027-01-31/],
    ['the same token twice', `[${line({}).slice(1, -1)},${line({ name: 'b' }).slice(1, -1)}]`, /twice/],
  ])('is refused without a word of its content: %s', (_what, text, says) => {
    expect(() => parseTokens(text)).toThrow(says);
    try {
      parseTokens(text);
    } catch (error) {
      expect(String(error)).not.toMatch(/secret/);
    }
  });

  it('is made of the lines that the program prints', () => {
    const made = makeToken({
      name: 'ci',
      scopes: ['roll', 'read'],
      groups: ['stag*'],
      expires: '2027-01-31',
    });
    const other = makeToken({ name: 'ops', scopes: ['operate'] });
    const [ci, ops] = parseTokens(`${made.line}\n${other.line}\n`);
    expect(ci?.digest).toEqual(digestOf(made.token));
    expect([...(ci?.scopes ?? [])]).toEqual(['roll', 'read']);
    expect(['staging', 'production', 'stag/x', ''].map((group) => ci?.mayName(group))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(ci?.expires).toBe(Date.parse('2027-01-31T23:59:59.999Z'));
    expect([ops?.mayName('any'), ops?.expires]).toEqual([true, Number.POSITIVE_INFINITY]);
    expect(made.token).not.toBe(other.token);
    expect(made.token.length).toBeGreaterThan(40);
  });
});

it.each([
  ['GET', '/cp/admin/fleet-locks/:group', 'read'],
  ['HEAD', '/cp/admin/rolls', 'read'],
  ['PUT', '/cp/admin/fleet-locks/:group/claims/:claim_id', 'roll'],
  ['POST', '/cp/admin/fleet-locks/:group/claims/:claim_id/renew', 'roll'],
  ['POST', '/cp/admin/fleet-locks/:group/claims/:claim_id/release', 'roll'],
  ['POST', '/cp/admin/fleet-locks/:group/claims/:claim_id/rollout', 'roll'],
  ['POST', '/cp/admin/tenants/redeploy-fleet', 'roll'],
  ['POST', '/cp/admin/fleet-locks/:group/break', 'operate'],
  ['POST', '/cp/admin/fleet-locks/:group/freeze', 'operate'],
  ['POST', '/cp/admin/fleet-locks/:group/unfreeze', 'operate'],
  ['PUT', '/sim/tenants/:slug', 'operate'],
  ['DELETE', '/anything/new', 'operate'],
])('%s %s needs the scope %s', (method, route, scope) => {
  expect(scopeOf(method, route)).toBe(scope);
});
