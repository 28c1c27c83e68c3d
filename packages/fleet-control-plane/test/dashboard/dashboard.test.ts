/** The page and its parts over HTTP: who gets what, and that every text of others is only text. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { makeToken } from '../../src/http/auth/tokens.js';
import { Client, startPlane } from '../support/plane.js';

const reader = makeToken({ name: 'reader', scopes: ['read'], groups: ['staging'] });
const ops = makeToken({ name: 'ops', scopes: ['read', 'roll', 'operate'] });
const evil = `<img src=x onerror=alert(1)>`;

let folder: string;
let plane: ControlPlane;
let claimId: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleet-cp-dashboard-'));
  await writeFile(join(folder, 'tokens.yaml'), `${reader.line}\n${ops.line}\n`);
  plane = await startPlane({
    ...{ token: undefined, tokensFile: join(folder, 'tokens.yaml') },
    fleet: { tenants: ['acme'] },
  });
  const as = { authorization: `Bearer ${ops.token}` };
  const client = new Client(plane.url, 'staging');
  claimId = '0198f3a0-2222-4222-8222-222222222222';
  const session = 'session-of-the-test';
  const claim = `${client.lock}/claims/${claimId}`;
  const body = { session, ttl_seconds: 30, holder: { name: 'ci', actor: `ann ${evil}` } };
  const { body: held } = await client.call('PUT', claim, body, as);
  const rollout = {
    ...{
      target_tag: `tag ${evil}`,
      expected_sha: 'b'.repeat(40),
      tool_version: '1.0.0',
      outcome: 'succeeded',
    },
    ...{ reason: `reason ${evil}`, run_url: `javascript:alert(2)` },
    tenants: [{ slug: `slug ${evil}`, status: 'stale', phase: `phase ${evil}`, observed_sha: `sha ${evil}` }],
    timeline: [{ at_ms: 1, event: 'tenant.rolled', slug: `slug ${evil}` }],
  };
  await client.call('POST', `${claim}/release`, { session, fencing_token: held.fencing_token, rollout }, as);
});
afterAll(async () => {
  await plane.close();
  await rm(folder, { recursive: true });
});

const get = async (path: string, token?: string) => {
  const headers = token ? { authorization: `Bearer ${token}` } : undefined;
  const answer = await fetch(plane.url + path, { headers });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
};
const part = (group: string, more = '') => `/cp/admin/fleet-locks/${group}/dashboard${more}`;

describe('the dashboard', () => {
  it('is a page without data that anybody may load, and that runs nothing but its own script', async () => {
    const { status, headers, text } = await get('/');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    );
    expect(text).not.toMatch(/staging|acme|ann/);
  });

  it.each<[string, string | undefined, string, number]>([
    ['nobody', undefined, 'staging', 401],
    ['a token of another group', reader.token, 'production', 403],
    ['a reader', reader.token, 'staging', 200],
  ])('shows a group to whom it may: %s', async (_, token, group, status) => {
    expect((await get(part(group), token)).status).toBe(status);
    expect((await get(part(group, `/${claimId}`), token)).status).toBe(status);
  });

  it('offers deeds to those who may do them', async () => {
    expect((await get(part('staging'), reader.token)).text).not.toContain('<form');
    expect((await get(part('staging'), ops.token)).text).toContain('data-deed="freeze"');
  });

  it('escapes whatever others wrote', async () => {
    for (const path of [part('staging'), part('staging', `/${claimId}`)]) {
      const { text } = await get(path, reader.token);
      expect(text).not.toMatch(/<img|href="javascript/);
      for (const word of ['tag', 'ann']) expect(text).toContain(`${word} &lt;img`);
    }
  });

  it('answers 404 for a rollout that is not kept', async () => {
    expect((await get(part('staging', '/0198f3a0-2222-4222-8222-222222222223'), reader.token)).status).toBe(
      404,
    );
  });
});
