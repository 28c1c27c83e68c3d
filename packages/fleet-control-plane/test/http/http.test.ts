import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { openApiDocument } from '../../src/openapi-document.js';
import { type Body, Client, expectProblem, startPlane, TOKEN } from '../support/plane.js';

let plane: ControlPlane;
let client: Client;
beforeAll(async () => {
  plane = await startPlane({ groups: ['staging', 'production'], fleet: { tenants: ['acme'] } });
  client = new Client(plane.url, 'staging');
});
afterAll(() => plane.close());

const ID = '0198f3a0-1111-4111-8111-111111111111';
/** An array of 20,000 arrays, each in the one before; written as text, since `JSON.stringify` gives up on it. */
const DEEP = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
const BODY = { session: 'session-1', ttl_seconds: 30, holder: { name: 'ci' } };

describe('the token', () => {
  it.each([
    ['missing', undefined],
    ['wrong', 'Bearer wrong'],
    ['a prefix of the right one', `Bearer ${TOKEN.slice(0, -1)}`],
    ['of another scheme', `Basic ${TOKEN}`],
    ['empty', 'Bearer '],
  ])('is needed everywhere: %s', async (_what, authorization) => {
    for (const path of ['/cp/admin/fleet-locks/staging', '/cp/admin/rolls', '/sim/tenants', '/nowhere']) {
      const response = await fetch(plane.url + path, {
        headers: authorization === undefined ? {} : { authorization },
      });
      const answer = { status: response.status, body: await response.json(), headers: response.headers };
      expectProblem(answer, 401, 'unauthorized');
    }
  });

  it('is not needed for health and for the document', async () => {
    expect(await (await fetch(`${plane.url}/health`)).json()).toEqual({ status: 'ok' });
    expect((await fetch(`${plane.url}/openapi.json?x=1`)).status).toBe(200);
  });
});

describe('bad input', () => {
  const claim = (patch: Record<string, unknown>, id = ID, query = '') =>
    client.call('PUT', `/cp/admin/fleet-locks/staging/claims/${id}${query}`, { ...BODY, ...patch });
  it.each<[string, () => ReturnType<Client['call']>, number, string, RegExp]>([
    ['a claim id that is no UUID', () => claim({}, 'mine'), 400, 'bad_request', /claim_id/],
    ['a TTL of nothing', () => claim({ ttl_seconds: 0 }), 400, 'bad_request', /ttl_seconds/],
    ['a TTL of a day', () => claim({ ttl_seconds: 86_400 }), 400, 'bad_request', /ttl_seconds/],
    ['a TTL that is text', () => claim({ ttl_seconds: '30' }), 400, 'bad_request', /ttl_seconds/],
    ['a holder without a name', () => claim({ holder: {} }), 400, 'bad_request', /holder.name/],
    [
      'a run URL of another scheme',
      () => claim({ holder: { name: 'x', run_url: 'javascript:alert(1)' } }),
      400,
      'bad_request',
      /run_url/,
    ],
    [
      'an order that is not a whole number',
      () => claim({ order: { key: 'k', number: 1.5 } }),
      400,
      'bad_request',
      /order.number/,
    ],
    [
      'an order that JSON cannot carry',
      () => claim({ order: { key: 'k', number: 2 ** 53 } }),
      400,
      'bad_request',
      /order.number/,
    ],
    ['a session that is too short', () => claim({ session: 'x' }), 400, 'bad_request', /session/],
    ['too long a wait', () => claim({}, ID, '?wait_seconds=26'), 400, 'bad_request', /wait_seconds/],
    [
      'a wait that is no number',
      () => claim({}, ID, '?wait_seconds=soon'),
      400,
      'bad_request',
      /wait_seconds/,
    ],
    [
      'no body',
      () => client.call('PUT', `/cp/admin/fleet-locks/staging/claims/${ID}`),
      400,
      'bad_request',
      /body/,
    ],
    [
      'broken JSON',
      () => client.call('PUT', `/cp/admin/fleet-locks/staging/claims/${ID}`, '{"session":'),
      400,
      'bad_request',
      /JSON/,
    ],
    [
      'JSON that is nested too deeply',
      () =>
        client.call(
          'PUT',
          `/cp/admin/fleet-locks/staging/claims/${ID}`,
          `${'{"a":'.repeat(33)}0${'}'.repeat(33)}`,
        ),
      400,
      'bad_request',
      /32 levels/,
    ],
    [
      'JSON that is nested so deeply that no stack would do',
      () => client.call('PUT', `/cp/admin/fleet-locks/staging/claims/${ID}`, DEEP),
      400,
      'bad_request',
      /32 levels/,
    ],
    [
      'a body that is no object',
      () => client.call('PUT', `/cp/admin/fleet-locks/staging/claims/${ID}`, '[]'),
      400,
      'bad_request',
      /body/,
    ],
    [
      'a body that is too large',
      () => claim({ holder: { name: 'x'.repeat(70_000) } }),
      413,
      'body_too_large',
      /65536/,
    ],
    [
      'a body of another type',
      () =>
        client.call('PUT', `/cp/admin/fleet-locks/staging/claims/${ID}`, 'a=1', {
          'content-type': 'application/x-www-form-urlencoded',
        }),
      415,
      'wrong_content_type',
      /JSON/,
    ],
    [
      'a malformed group',
      () => client.call('GET', '/cp/admin/fleet-locks/Not%20A%20Group'),
      400,
      'bad_request',
      /group/,
    ],
    [
      'an unknown group',
      () => client.call('GET', '/cp/admin/fleet-locks/elsewhere'),
      404,
      'unknown_group',
      /elsewhere/,
    ],
    [
      'an unknown call',
      () => client.call('GET', '/cp/admin/fleet-locks/staging/nothing'),
      404,
      'not_found',
      /nothing/,
    ],
    ['a path that is no path', () => client.call('GET', '/cp/admin/%zz'), 400, 'bad_request', /./],
    [
      'a fencing token of 0',
      () => client.post('break', { fencing_token: 0, reason: 'r', actor: 'a' }),
      400,
      'bad_request',
      /fencing_token/,
    ],
    [
      'a break without a reason',
      () => client.post('break', { fencing_token: 1, actor: 'a' }),
      400,
      'bad_request',
      /reason/,
    ],
    [
      'a freeze until "tomorrow"',
      () => client.post('freeze', { reason: 'r', actor: 'a', until: 'tomorrow' }),
      400,
      'bad_request',
      /until/,
    ],
    [
      'a result that is neither',
      () => client.post(`claims/${ID}/release`, { session: 'session-1', result: 'maybe' }),
      400,
      'bad_request',
      /result/,
    ],
    [
      'events after -1',
      () => client.call('GET', '/cp/admin/fleet-locks/staging/events?after=-1'),
      400,
      'bad_request',
      /after/,
    ],
    ['a zero byte in a name', () => claim({ holder: { name: 'a\u0000b' } }), 400, 'bad_request', /./],
    [
      'half a surrogate pair in a name',
      () => claim({ holder: { name: 'a\ud800b' } }),
      400,
      'bad_request',
      /./,
    ],
    [
      'a zero byte in a step',
      () => client.post(`claims/${ID}/renew`, { session: 'session-1', fencing_token: 1, step: '\u0000' }),
      400,
      'bad_request',
      /./,
    ],
    [
      'an idempotency key that is too long',
      () =>
        client.redeploy(
          { target_tag: 'x' },
          { 'fleet-lock-group': 'staging', 'fleet-fence': '1', 'idempotency-key': 'x'.repeat(300) },
        ),
      400,
      'bad_request',
      /idempotency-key/,
    ],
  ])('is a problem that says what is wrong: %s', async (_what, call, status, code, says) => {
    const problem = expectProblem(await call(), status, code);
    expect(`${problem.detail}`).toMatch(says);
    expect(JSON.stringify(problem)).not.toMatch(/SELECT|node_modules|at \w+ \(/);
  });

  it('is not what brackets in a text are', async () => {
    const other = new Client(plane.url, 'production');
    const name = `"\\${'[{'.repeat(50)}`;
    expect((await other.holding('ci', { holder: { name } })).token).toBeGreaterThan(0);
  });

  it('keeps its form when the request is no HTTP', async () => {
    const { port } = new URL(plane.url);
    const status = await new Promise<number | undefined>((resolve) => {
      const request = httpRequest({
        port,
        method: 'GET',
        path: '/health',
        headers: { 'x-long': 'x'.repeat(20_000) },
      });
      request.on('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', () => resolve(undefined));
      request.end();
    });
    expect(status).toBe(431);
    expect((await fetch(`${plane.url}/health`)).status).toBe(200);
  });
});

describe('the OpenAPI document', () => {
  it('is served, and printed without a database', async () => {
    const served = (await client.call('GET', '/openapi.json')).body;
    expect(served).toEqual(JSON.parse(JSON.stringify(await openApiDocument())));
  });

  it('describes every call, its parameters and its refusals', async () => {
    const document = (await client.call('GET', '/openapi.json')).body;
    expect(document.openapi).toMatch(/^3\.1/);
    const lock = '/cp/admin/fleet-locks/{group}';
    const calls = Object.entries<Body>(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(calls).toEqual(
      expect.arrayContaining([
        'POST /cp/admin/tenants/redeploy-fleet',
        'GET /cp/admin/rolls',
        `PUT ${lock}/claims/{claim_id}`,
        `POST ${lock}/claims/{claim_id}/renew`,
        `POST ${lock}/claims/{claim_id}/release`,
        `GET ${lock}`,
        `GET ${lock}/events`,
        `POST ${lock}/break`,
        `POST ${lock}/freeze`,
        `POST ${lock}/unfreeze`,
        'PUT /sim/tenants/{slug}',
        'GET /{slug}/buildinfo',
      ]),
    );
    const claim = document.paths[`${lock}/claims/{claim_id}`].put;
    expect(Object.keys(claim.responses)).toEqual(
      expect.arrayContaining(['200', '202', '400', '401', '403', '409', '410', '422', '429', '503']),
    );
    expect(claim.parameters.map((each: { name: string }) => each.name)).toEqual(
      expect.arrayContaining(['group', 'claim_id', 'wait_seconds']),
    );
    const { $ref } = claim.requestBody.content['application/json'].schema;
    const body = document.components.schemas[$ref.replace('#/components/schemas/', '')];
    expect(body.required).toEqual(['session', 'ttl_seconds', 'holder']);
    expect(claim.responses['409'].content).toHaveProperty(['application/problem+json']);
    const redeploy = document.paths['/cp/admin/tenants/redeploy-fleet'].post;
    expect(redeploy.parameters.map((each: { name: string }) => each.name)).toEqual(
      expect.arrayContaining(['fleet-fence', 'fleet-lock-group', 'idempotency-key']),
    );
    // Every reference inside the document leads somewhere.
    for (const [, path] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const target = path?.split('/').reduce((node: Body, key) => node?.[key], document);
      expect(target, path).toBeDefined();
    }
  });
});
