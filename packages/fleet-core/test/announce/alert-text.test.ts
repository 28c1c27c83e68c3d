/** What alerts say, and what they must not be read as. */
import { describe, expect, test } from 'vitest';
import {
  type AlertState,
  alertBody,
  alertStateOf,
  alertTitle,
  chatFailure,
  failureComment,
  nextState,
} from '../../src/announce/text.js';
import { type FleetEvent, type FleetResult, resultSchema } from '../../src/index.js';
import { renderEvent } from '../../src/render/index.js';

const SHA = 'b'.repeat(40);
const state: AlertState = {
  environment: 'staging',
  since: '2026-01-01T00:00:00.000Z',
  runs: 2,
  last_run: 'https://git.example.com/o/r/actions/runs/7?by_index=1',
};

function failed(rest: Partial<FleetResult> = {}): FleetResult {
  const none = { on_target: 0, stale: 0, unreachable: 0, invalid: 0, unhealthy: 0, excused: 0 };
  return resultSchema.parse({
    schema: 'fleet-result/1',
    outcome: 'failed',
    deployed: false,
    reason: 'nothing came of it',
    environment: 'staging',
    target_tag: 'main-1',
    expected_sha: SHA,
    started_at: '2026-01-01T00:00:00.000Z',
    finished_at: '2026-01-01T00:01:00.000Z',
    lock: null,
    counts: { enumerated: 0, ...none },
    tenants: [],
    calls: [],
    exit_code: 1,
    warnings: [],
    next: ['look'],
    ...rest,
  });
}

describe('the state in an issue', () => {
  test.each(['staging', 'a--b', '--> <b>bold</b> <!--', 'stage "one"\\', 'späte Bühne'])(
    'comes back as it was written, and stays in its comment: %s',
    (environment) => {
      const body = alertBody({ ...state, environment }, failed());
      expect(alertStateOf(body)).toEqual({ ...state, environment });
      const [first = ''] = body.split('\n');
      expect(first.indexOf('-->')).toBe(first.length - 3);
      expect(first.slice(4, -3)).not.toMatch(/--|[<>]/);
    },
  );

  test.each([
    ['nothing', null],
    ['no marker', 'hello'],
    ['a marker further down', `look:\n${alertBody(state, failed())}`],
    ['a marker in a quotation', `> ${alertBody(state, failed())}`],
    ['a marker of nothing', '<!-- fleet-alert {} -->'],
    ['a marker that is broken', '<!-- fleet-alert {"environment":"staging" -->'],
    [
      'a number of runs that is none',
      '<!-- fleet-alert {"environment":"staging","since":"2026-01-01T00:00:00Z","runs":-1,"last_run":null} -->',
    ],
    [
      'a time that is none',
      '<!-- fleet-alert {"environment":"staging","since":"@all","runs":1,"last_run":null} -->',
    ],
  ])('is not in %s', (_name, body) => {
    expect(alertStateOf(body)).toBeNull();
  });

  test('survives a server that ends lines its own way', () => {
    expect(alertStateOf(alertBody(state, failed()).replaceAll('\n', '\r\n'))).toEqual(state);
  });

  test('counts on, and keeps the time of the first failure', () => {
    const now = { environment: 'staging', at: '2026-01-02T00:00:00.000Z', runUrl: null };
    expect(nextState(null, now)).toEqual({ environment: 'staging', since: now.at, runs: 1, last_run: null });
    expect(nextState(state, now)).toEqual({ ...state, runs: 3, last_run: null });
  });
});

describe('the text', () => {
  test('of a result cannot leave its fence', () => {
    const reason = 'a ~~~ b ~~~~ @ann #12 ![x](https://evil.example.com/x.png)';
    for (const text of [alertBody(state, failed({ reason })), failureComment(state, failed({ reason }))]) {
      const parts = text.split(/^~~~.*$/m);
      expect(parts).toHaveLength(3);
      expect(parts[1]).toContain('@ann');
      expect(parts[1]).not.toContain('~~~');
      expect(`${parts[0]}${parts[2]}`).not.toMatch(/@ann|#12|evil/);
    }
  });

  test('is bounded, whatever the result is', () => {
    const next = Array.from({ length: 500 }, () => 'x'.repeat(400));
    expect(alertBody(state, failed({ next })).length).toBeLessThan(14_000);
    expect(alertTitle('e'.repeat(400), failed({ target_tag: 't'.repeat(128) })).length).toBeLessThanOrEqual(
      200,
    );
    expect(chatFailure('staging', failed({ next }), null).split('\n')).toHaveLength(5);
  });

  test('names the verdict', () => {
    expect(alertTitle('staging', failed({ outcome: 'lock_lost', exit_code: 3 }))).toBe(
      'fleet/staging LOCK LOST: main-1 (bbbbbbb) is not proven',
    );
  });
});

test.each<[object, string]>([
  [
    {
      code: 'alert.issue',
      action: 'opened',
      number: 12,
      url: 'https://g/o/r/issues/12',
      runs: 1,
      since: 's',
    },
    'alert: opened issue #12, https://g/o/r/issues/12',
  ],
  [
    {
      code: 'alert.issue',
      action: 'updated',
      number: 12,
      url: 'https://g/o/r/issues/12',
      runs: 3,
      since: 's',
    },
    'alert: updated issue #12, 3 failed runs since s, https://g/o/r/issues/12',
  ],
  [{ code: 'alert.sent', about: 'failure' }, 'alert: webhook told of the failure'],
  [
    { code: 'status.shown', context: 'fleet/staging', state: 'failure', sha: SHA },
    'commit status fleet/staging: failure (bbbbbbb)',
  ],
])('an event in a line: %j', (event, line) => {
  expect(renderEvent({ at: '2026-01-01T00:00:00.000Z', ...event } as FleetEvent)).toBe(line);
});
