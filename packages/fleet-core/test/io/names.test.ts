/** Name lookups, against a resolver that is stepped by hand. */
import { expect, test } from 'vitest';
import { End } from '../../src/io/end.js';
import { systemHttp } from '../../src/io/http.js';
import { Names } from '../../src/io/names.js';
import { ManualClock } from '../../src/testing/index.js';
import { answer, serve } from '../helpers/server.js';

const HOME = [{ address: '127.0.0.1', family: 4 }];

/** A resolver that takes a second for each name, however many are asked for at once. */
function slow(clock: ManualClock) {
  const asked: string[] = [];
  let running = 0;
  let most = 0;
  const lookup = (host: string) => {
    asked.push(host);
    most = Math.max(most, ++running);
    return new Promise<typeof HOME>((resolve) => {
      clock.timer(1_000, () => {
        running--;
        resolve(HOME);
      });
    });
  };
  return { asked, lookup, most: () => most };
}

test('are asked for once by all who need them, a few at a time, and kept for some seconds', async () => {
  const clock = new ManualClock();
  const { asked, lookup, most } = slow(clock);
  const names = new Names(clock, lookup);
  const hosts = Array.from({ length: 20 }, (_, index) => `t${index}.example.com`);
  const all = Promise.all([...hosts, ...hosts].map((host) => names.resolve(host)));
  await clock.runUntil(all);
  expect(asked).toHaveLength(20);
  expect(most()).toBe(8);
  await names.resolve('t19.example.com');
  expect(asked).toHaveLength(20);
  await clock.advance(10_000);
  await clock.runUntil(names.resolve('t19.example.com'));
  expect(asked).toHaveLength(21);
});

test('do not count as time of the request that waits for them', async () => {
  const clock = new ManualClock();
  const server = await serve((_request, response) => answer(response, 200, '{}'));
  const { port } = new URL(server.url);
  const { lookup, asked } = slow(clock);
  const http = systemHttp(clock, { lookup });
  const hosts = Array.from({ length: 40 }, (_, index) => `t${index}.example.com`);
  const work = Promise.all(
    hosts.map((host) =>
      http({ method: 'GET', url: `http://${host}:${port}/`, timeoutMs: 1_500, maxBytes: 99 }),
    ),
  );
  let open = true;
  work.finally(() => {
    open = false;
  });
  // Five batches of eight: the last lookup ends after 5 s, and its request has 1.5 s of its own from then on.
  for (let second = 0; open && second < 8; second++) await clock.advance(1_000);
  expect((await work).map(({ status }) => status)).toEqual(hosts.map(() => 200));
  expect(asked).toHaveLength(40);
});

test.each([
  ['ENOTFOUND', 'name lookup failed: no such host'],
  ['EAI_AGAIN', 'name lookup failed: the resolver gives no answer'],
  ['EREFUSED', 'name lookup failed: EREFUSED'],
])('that fail with %s are said to have failed there, and asked for again', async (code, message) => {
  let asked = 0;
  const lookup = async () => {
    if (asked++) return HOME;
    throw Object.assign(new Error('secret words'), { code });
  };
  const names = new Names(new ManualClock(), lookup);
  await expect(names.resolve('a.example.com')).rejects.toMatchObject({ kind: 'not_sent', message });
  await expect(names.resolve('a.example.com')).resolves.toEqual(HOME);
});

test('that never end do, by their own time', async () => {
  const clock = new ManualClock();
  const names = new Names(clock, () => new Promise(() => {}));
  const work = expect(names.resolve('a.example.com')).rejects.toMatchObject({
    message: 'name lookup failed: no answer within 10000 ms',
  });
  await clock.advance(10_000);
  await work;
  expect(clock.pending).toBe(0);
});

test('are done again for an address that nobody answers at', async () => {
  const clock = new ManualClock();
  let asked = 0;
  const lookup = async () => {
    asked++;
    return HOME;
  };
  const http = systemHttp(clock, { lookup });
  const refused = { method: 'GET', url: 'http://a.example.com:1/', timeoutMs: 1_000, maxBytes: 99 } as const;
  for (let turn = 0; turn < 2; turn++)
    await expect(http(refused)).rejects.toMatchObject({ kind: 'not_sent', message: 'connection refused' });
  expect(asked).toBe(2);
});

test('end with whoever waits for them; an address needs none', async () => {
  const names = new Names(new ManualClock(), () => new Promise(() => {}));
  const end = new End();
  const work = expect(names.resolve('a.example.com', end)).rejects.toBe('over');
  end.come('over');
  await work;
  expect(await names.resolve('[::1]')).toEqual([{ address: '::1', family: 6 }]);
  expect(await names.resolve('10.0.0.1')).toEqual([{ address: '10.0.0.1', family: 4 }]);
});
