/** A rollout is handed over to a server that can run it, and to no other. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LOCKS_PATH, SERVER_ROLLOUTS_PATH } from '../../src/contract.js';
import { FakeFleet, json, NEW } from '../helpers/fake-fleet.js';
import { run } from '../helpers/run.js';

const ID = '6f1c1f0e-2b0a-4d7b-9e55-0c4f3f1a7d10';

let fleet: FakeFleet;
/** What was asked, in order. */
let asked: string[];
/** Answers to the question what the server can do; the last one stays. */
let collection: [number, unknown][];
beforeEach(async () => {
  fleet = await FakeFleet.start(['acme']);
  asked = [];
  collection = [[200, { groups: [], features: ['rollouts', 'server-rollouts'] }]];
  fleet.extra = (request, response) => {
    const path = request.url ?? '';
    asked.push(`${request.method} ${path}`);
    if (path === LOCKS_PATH) {
      const [status, body] = (collection.length > 1 ? collection.shift() : collection[0]) as [
        number,
        unknown,
      ];
      json(response, status, body);
    } else if (path === SERVER_ROLLOUTS_PATH) json(response, 202, taken);
    else json(response, 404, { error: 'not_found' });
    return true;
  };
});
afterEach(() => fleet.stop());
const taken = {
  ...{
    id: ID,
    state: 'queued',
    environment: 'staging',
    lock_group: 'staging',
    target_tag: 'staging-bbbbbbb',
  },
  ...{ expected_sha: NEW, holder: { name: 'test' }, created_at: '2026-01-01T00:00:00Z' },
};

const handOver = () => {
  const { noLock: _, ...options } = fleet.options as typeof fleet.options & { noLock?: true };
  return run({ ...options, environment: 'staging', detach: true });
};

test.each<[string, [number, unknown]]>([
  ['has only the lock', [200, { groups: [], features: ['draining', 'rollouts'] }]],
  ['is older than the question', [200, { groups: [] }]],
  ['knows no lock', [404, { error: 'not_found' }]],
  ['answers 501 to what it does not know', [501, {}]],
])('a server that %s is refused in words, before anything is sent', async (_what, answer) => {
  collection = [answer];
  const { result } = await handOver();
  expect(result).toMatchObject({ outcome: 'control_plane_error', deployed: false });
  expect(result.reason).toContain('runs no rollouts');
  expect(asked).toEqual([`GET ${LOCKS_PATH}`]);
});

test('asked once, also where the hand-over itself has to be tried again', async () => {
  collection = [
    [503, { error: 'not_ready' }],
    [200, { groups: [], features: ['server-rollouts'] }],
  ];
  const serve = fleet.extra;
  fleet.extra = (request, response, body) => {
    if (request.url !== SERVER_ROLLOUTS_PATH || asked.some((one) => one.startsWith('POST')))
      return serve?.(request, response, body) ?? false;
    asked.push(`POST ${request.url}`);
    json(response, 503, { error: 'not_ready' });
    return true;
  };
  const { result } = await handOver();
  expect(result).toMatchObject({ outcome: 'handed_over', deployed: false, rollout: { id: ID } });
  const [get, post] = [`GET ${LOCKS_PATH}`, `POST ${SERVER_ROLLOUTS_PATH}`];
  expect(asked).toEqual([get, get, post, post]);
});

test('a token that may not read leaves the question to the hand-over', async () => {
  collection = [[403, { error: 'forbidden' }]];
  expect((await handOver()).result.outcome).toBe('handed_over');
});
