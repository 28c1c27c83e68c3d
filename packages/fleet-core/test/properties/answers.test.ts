/** Whatever a server answers: read as what it is, or named as what it is not; never thrown through, never believed. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnswerReader } from '../../src/clients/control-plane/answer.js';
import { LockClient } from '../../src/clients/control-plane/lock.js';
import { Gitea } from '../../src/clients/gitea/gitea.js';
import { Registry } from '../../src/clients/registry/registry.js';
import { isFleetError } from '../../src/errors.js';
import type { Http } from '../../src/io/http.js';
import { readFleet } from '../../src/plan/plan.js';
import { parseJson } from '../../src/text/json.js';
import { readBuildinfo } from '../../src/verify/probe.js';
import { always, textOf } from '../helpers/property.js';

const SHA = 'b'.repeat(40);
const DIGEST = `sha256:${'0a'.repeat(32)}`;
const TOKEN = 'token-never-shown';

/** Values that the fields of answers have, and those that they must not have. */
const value = fc.constantFrom<unknown>(
  null,
  true,
  false,
  0,
  1,
  -1,
  1.5,
  2 ** 53,
  Number.MAX_VALUE,
  '',
  'acme',
  'Not A Slug',
  '\n::error::x',
  SHA,
  SHA.toUpperCase(),
  SHA.slice(1),
  'dev',
  'DEV',
  DIGEST,
  'held',
  'queued',
  [],
  {},
);
/** A document of these names, of any depth. */
const documentOf = (...names: string[]) =>
  fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      value,
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...names), tie('tree'), { maxKeys: 6 }),
    ),
  })).tree;
const status = fc.constantFrom(
  200,
  201,
  202,
  204,
  301,
  302,
  400,
  401,
  403,
  404,
  409,
  410,
  412,
  422,
  428,
  429,
  500,
  501,
  502,
  503,
  504,
  520,
);
const header = fc.constantFrom('text/html', 'application/json', 'text/plain', '');
const bodyOf = (...names: string[]) =>
  fc.oneof(
    { weight: 4, arbitrary: documentOf(...names).map((tree) => JSON.stringify(tree) ?? '') },
    {
      weight: 1,
      arbitrary: textOf('{', '}', '"', '<html>', '\ufeff', ' ', ...names.map((name) => `"${name}":`)),
    },
  );
const answerOf = (...names: string[]) =>
  fc.record({ status, body: bodyOf(...names), type: header }).map(({ type, ...answer }) => ({
    ...answer,
    headers: type ? { 'content-type': type } : ({} as Record<string, string>),
  }));
/** Answers one after the other, the last one again and again. */
const serving = (answers: { status: number; body: string; headers: Record<string, string> }[]): Http => {
  let next = 0;
  return async () => answers[Math.min(next++, answers.length - 1)] as Awaited<ReturnType<Http>>;
};
/** What a caller may be told of an answer that is none. */
const harmless = (text: string) => {
  expect(text).not.toMatch(/[\p{Cc}\u2028\u2029]|::error::/u);
  expect(text).not.toContain(TOKEN);
};

test('buildinfo is a commit only where a JSON document with status 200 says all 40 digits', async () => {
  const body = fc.oneof(
    bodyOf('git_sha', 'version'),
    fc.constantFrom(SHA, 'dev', `${SHA}0`, SHA.toUpperCase()).map((sha) => `\ufeff{ "git_sha": "${sha}" }\n`),
  );
  const answers = fc.record({ status, body, type: header, encoding: fc.constantFrom('', 'gzip') });
  const failedOnce = [
    // A byte order mark in front, and JSON that calls itself a page.
    { status: 200, body: `\ufeff{"git_sha":"${SHA}"}`, type: 'application/json', encoding: '' },
    { status: 200, body: `{"git_sha":"${SHA}"}`, type: 'text/html', encoding: '' },
    { status: 200, body: '{"git_sha":"dev"}\r\n', type: '', encoding: '' },
    { status: 200, body: 'null', type: 'application/json', encoding: '' },
  ];
  const check = (answer: (typeof failedOnce)[number]) => {
    const headers = { 'content-type': answer.type, 'content-encoding': answer.encoding };
    const seen = readBuildinfo({ ...answer, headers });
    const json = parseJson(answer.body.replace(/^\ufeff/, '')) as { git_sha?: unknown } | null | undefined;
    const said = json?.git_sha;
    const isProof =
      answer.status === 200 && typeof said === 'string' && /^[0-9a-f]{40}$/i.test(said) && !answer.encoding;
    expect(seen.kind === 'sha').toBe(isProof);
    if (seen.kind === 'sha') expect(seen.sha).toBe(`${said}`.toLowerCase());
    if (seen.kind === 'dev') expect(said).toBe('dev');
    if ('why' in seen) harmless(seen.why);
  };
  await always(answers, check, failedOnce);
});

test('the rows of a plan are slugs, each once, however the answer is cut', async () => {
  const body = bodyOf(
    'ok',
    'results',
    'slug',
    'phase',
    'error',
    'ssm_status',
    'healthz_ok',
    'verified_on_target',
  );
  const rows = fc.array(fc.record({ slug: fc.constantFrom('acme', 'birch', 'acme', '', 'Not A Slug') }), {
    maxLength: 5,
  });
  const plan = rows.map((results) => JSON.stringify({ ok: true, results }));
  await always(fc.record({ body: fc.oneof(body, plan), at: fc.nat() }), ({ body, at }) => {
    const whole = new AnswerReader().end(body);
    const parts = new AnswerReader();
    const place = at % (body.length + 1);
    parts.push(body.slice(0, place));
    parts.push(body.slice(place));
    expect(parts.end(body)).toEqual(whole);
    if (!whole.answer) return;
    try {
      const { slugs } = readFleet(whole.answer.results);
      expect(new Set(slugs).size).toBe(slugs.length);
      for (const slug of slugs) expect(slug).toMatch(/^[a-z0-9-]{1,63}$/);
    } catch (error) {
      if (!isFleetError(error)) throw error;
      expect(['CP_CONTRACT', 'FAILED']).toContain(error.code);
      harmless(error.message);
    }
  });
});

test('a lock is held only where the server says so with a number, and a no is named', async () => {
  const names = [
    'state',
    'fencing_token',
    'ttl_seconds',
    'acquired_at',
    'draining',
    'position',
    'queue_length',
    'holder',
    'name',
    'error',
    'by',
    'number',
    'detail',
    'nearest',
    'events',
    'rollouts',
    'group',
    'version',
    'held',
    'queue',
    'frozen',
    'last_fencing_token',
  ];
  const held = fc.record({
    state: fc.constantFrom('held', 'queued'),
    fencing_token: value,
    ttl_seconds: value,
    acquired_at: value,
  });
  const answer = fc.oneof(
    answerOf(...names),
    held.map((body) => ({ status: 200, headers: {}, body: JSON.stringify(body) })),
  );
  const calls = {
    claim: (lock: LockClient) =>
      lock.claim('c', { session: 's', ttl_seconds: 30, holder: { name: 'x' } }, 0, { timeoutMs: 1 }),
    renew: (lock: LockClient) => lock.renew('c', { session: 's', fencing_token: 1 }, { timeoutMs: 1 }),
    release: (lock: LockClient) => lock.release('c', { session: 's' }, { timeoutMs: 1 }),
    status: (lock: LockClient) => lock.status({ timeoutMs: 1 }),
    events: (lock: LockClient) => lock.events(0, { timeoutMs: 1 }),
    rollouts: (lock: LockClient) => lock.rollouts({ limit: 1 }, { timeoutMs: 1 }),
    features: (lock: LockClient) => lock.features({ timeoutMs: 1 }),
  };
  for (const call of Object.values(calls))
    await always(answer, async (one) => {
      const server = { url: 'https://cp.example.com', token: TOKEN, http: serving([one]) };
      try {
        const said = await call(new LockClient(server, 'staging'));
        if ('reason' in said) harmless(said.reason);
        if (!('kind' in said) || said.kind !== 'held') return;
        expect(one.status).toBe(200);
        expect(parseJson(one.body)).toMatchObject({ state: 'held' });
        if ('fencingToken' in said)
          expect(Number.isSafeInteger(said.fencingToken) && said.fencingToken > 0).toBe(true);
        expect(said.ttlMs).toBeGreaterThan(0);
      } catch (error) {
        if (!isFleetError(error)) throw error;
        expect(['CP_CONTRACT', 'CP_UNAUTHORIZED', 'LOCK_UNKNOWN_ENDPOINT']).toContain(error.code);
        harmless(`${error.message} ${error.next}`);
      }
    });
});

test('what Gitea answers is read, absent, forbidden or unreadable', async () => {
  const names = [
    'data',
    'value',
    'message',
    'commit',
    'id',
    'sha',
    'status',
    'state',
    'context',
    'workflow_runs',
    'permissions',
    'push',
    'parents',
    'total_commits',
  ];
  const answers = fc.array(answerOf(...names), { minLength: 1, maxLength: 3 });
  await always(answers, async (all) => {
    const gitea = new Gitea({
      url: 'https://git.example.com',
      token: TOKEN,
      repository: 'a/b',
      http: serving(all),
      signal: new AbortController().signal,
    });
    const variable = await gitea.variable('HOLD');
    if (variable.kind === 'read') expect(typeof variable.value).toBe('string');
    if (variable.kind === 'unreadable') harmless(variable.why);
    const head = await gitea.branchHead('main');
    if (head.kind === 'read') expect(head.value).toMatch(/^[0-9a-f]{40}$/);
    if (head.kind === 'unreadable') harmless(head.why);
  });
});

test('what a registry answers is an image with its digest, absent, unauthorized or unreadable', async () => {
  const names = [
    'manifests',
    'config',
    'digest',
    'mediaType',
    'platform',
    'os',
    'annotations',
    'layers',
    'errors',
    'code',
    'token',
    'access_token',
    'Labels',
    'org.opencontainers.image.revision',
  ];
  const answers = fc.array(answerOf(...names), { minLength: 1, maxLength: 4 });
  await always(answers, async (all) => {
    const registry = new Registry({
      url: 'https://registry.example.com',
      repository: 'a/b',
      credentials: { user: 'u', password: TOKEN },
      http: serving(all),
      signal: new AbortController().signal,
    });
    const lookup = await registry.resolve('main');
    // Nothing here fits the digest that names it, so no image can be found.
    expect(['absent', 'unauthorized', 'unreadable']).toContain(lookup.kind);
    if ('why' in lookup) harmless(lookup.why);
  });
});
