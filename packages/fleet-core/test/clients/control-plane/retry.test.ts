import { describe, expect, test } from 'vitest';
import {
  type Exchange,
  hadNoEffect,
  isDraining,
  type Next,
  nextStep,
  RETRY_WAITS_MS,
} from '../../../src/clients/control-plane/retry.js';

describe('what follows an exchange', () => {
  const answered = (status: number, readable = false, error?: string): Exchange => ({
    status,
    readable,
    error,
  });
  const table: [string, Exchange, plan: Next, roll: Next][] = [
    ['200 with rows', answered(200, true), 'read', 'read'],
    ['38: 200 with a web page', answered(200), 'give_up', 'look'],
    ['202: perhaps it rolls', answered(202), 'give_up', 'look'],
    ['204', answered(204), 'give_up', 'look'],
    ['202 with rows', answered(202, true), 'give_up', 'look'],
    ['301', answered(301), 'give_up', 'give_up'],
    ['307', answered(307), 'give_up', 'give_up'],
    ['34: 400', answered(400), 'give_up', 'give_up'],
    ['401', answered(401), 'give_up', 'give_up'],
    ['403', answered(403), 'give_up', 'give_up'],
    ['404', answered(404), 'give_up', 'give_up'],
    ['408', answered(408), 'give_up', 'give_up'],
    ['409 of an older roll that drains', answered(409, false, 'draining'), 'wait', 'wait'],
    ['409 for another reason', answered(409, false, 'conflict'), 'give_up', 'give_up'],
    ['409 without a reason', answered(409), 'give_up', 'give_up'],
    ['412: a newer holder', answered(412, false, 'stale_fence'), 'give_up', 'give_up'],
    ['428: a fence is missing', answered(428, false, 'fence_missing'), 'give_up', 'give_up'],
    ['another status that says it drains', answered(412, false, 'draining'), 'give_up', 'give_up'],
    ['429', answered(429), 'give_up', 'give_up'],
    ['55: 500 with rows', answered(500, true), 'read', 'read'],
    ['500 without rows', answered(500), 'give_up', 'look'],
    ['501', answered(501), 'give_up', 'give_up'],
    ['35: 502', answered(502), 'retry', 'ask_then_retry'],
    ['503', answered(503), 'retry', 'ask_then_retry'],
    ['502 with rows of somebody else', answered(502, true), 'retry', 'ask_then_retry'],
    ['504: it may still be rolling', answered(504), 'retry', 'look_then_retry'],
    ['520', answered(520), 'give_up', 'look'],
    ['524: the edge gave up, the origin rolls', answered(524), 'give_up', 'look'],
    ['36: 525', answered(525), 'give_up', 'look'],
    ['37: a timeout', { failure: 'timeout' }, 'give_up', 'look'],
    ['an answer without end', { failure: 'too_large' }, 'give_up', 'look'],
    ['an abort', { failure: 'aborted' }, 'give_up', 'look'],
  ];
  test.each(table)('%s', (_name, exchange, plan, roll) => {
    for (const reached of [true, false])
      expect([nextStep('plan', exchange, reached), nextStep('roll', exchange, reached)]).toEqual([
        plan,
        roll,
      ]);
  });

  test.each(['plan', 'roll'] as const)(
    'a %s that never left is an outage once the server had answered',
    (call) => {
      expect(nextStep(call, { failure: 'not_sent' }, true)).toBe('retry');
      expect(nextStep(call, { failure: 'not_sent' }, false)).toBe('give_up');
    },
  );

  test('a plan whose connection broke is asked again once the server had answered; a roll never is', () => {
    expect(nextStep('plan', { failure: 'broken' }, true)).toBe('retry');
    expect(nextStep('plan', { failure: 'broken' }, false)).toBe('give_up');
    for (const reached of [true, false])
      expect(nextStep('roll', { failure: 'broken' }, reached)).toBe('look');
  });

  test('a roll goes out again blindly only where nothing was sent', () => {
    for (let status = 100; status < 600; status++)
      for (const readable of [true, false])
        expect(nextStep('roll', { status, readable }, true)).not.toBe('retry');
  });

  test.each<[string, Exchange, boolean]>([
    ['what never left', { failure: 'not_sent' }, true],
    ['a broken connection', { failure: 'broken' }, false],
    ['a timeout', { failure: 'timeout' }, false],
    ['200', answered(200, true), false],
    ['202', answered(202), false],
    ['299', answered(299), false],
    ['300', answered(300), true],
    ['400', answered(400), true],
    ['409 of an older roll', answered(409, false, 'draining'), true],
    ['499', answered(499), true],
    ['500', answered(500), false],
    ['500 with rows', answered(500, true), false],
    ['501: not built', answered(501), true],
    ['502', answered(502), false],
    ['504', answered(504), false],
  ])('%s: had no effect is %s', (_name, exchange, expected) => {
    expect(hadNoEffect(exchange)).toBe(expected);
  });

  test('only a 409 with that code says that an older roll drains', () => {
    expect(isDraining(answered(409, false, 'draining'))).toBe(true);
    expect(isDraining(answered(409, false, 'stale_fence'))).toBe(false);
    expect(isDraining(answered(412, false, 'draining'))).toBe(false);
    expect(isDraining({ failure: 'broken' })).toBe(false);
  });

  test('there are three retries, after 5, 10 and 20 s', () => {
    expect(RETRY_WAITS_MS).toEqual([5_000, 10_000, 20_000]);
  });
});
