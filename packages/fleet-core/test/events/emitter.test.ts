import { describe, expect, test, vi } from 'vitest';
import { FleetError, isFleetError, usageError } from '../../src/errors.js';
import { Emitter } from '../../src/events/emitter.js';
import type { FleetEvent } from '../../src/events/events.js';
import { retryAfterMs } from '../../src/io/retry-after.js';
import { sleep } from '../../src/io/sleep.js';
import { ManualClock, RecordingSink } from '../../src/testing/index.js';

describe('the emitter', () => {
  function start(emit?: (event: FleetEvent) => void) {
    const clock = new ManualClock();
    const sink = new RecordingSink();
    return { clock, sink, emitter: new Emitter({ clock, emit: emit ?? sink.emit }) };
  }

  test('stamps events with the time of day and keeps their order', async () => {
    const { clock, sink, emitter } = start();
    emitter.emit({ code: 'lock.recovered', group: 'a' });
    await clock.advance(1_500);
    emitter.emit({ code: 'lock.released', group: 'a' });
    expect(sink.events).toEqual([
      { at: '2026-01-01T00:00:00.000Z', code: 'lock.recovered', group: 'a' },
      { at: '2026-01-01T00:00:01.500Z', code: 'lock.released', group: 'a' },
    ]);
  });

  test('breaks a silence of 30 s, and of each 30 s after it, and nothing shorter', async () => {
    const { clock, sink, emitter } = start();
    emitter.begin('rolling canary');
    await clock.advance(29_999);
    expect(sink.codes).toEqual([]);
    await clock.advance(1);
    expect(sink.events).toEqual([
      {
        at: '2026-01-01T00:00:30.000Z',
        code: 'heartbeat',
        doing: 'rolling canary',
        elapsed_ms: 30_000,
        left_ms: null,
      },
    ]);
    await clock.advance(15_000);
    emitter.emit({ code: 'lock.recovered', group: 'a' });
    await clock.advance(29_999);
    expect(sink.of('heartbeat')).toHaveLength(1);
    await clock.advance(1);
    expect(sink.of('heartbeat').map((event) => event.elapsed_ms)).toEqual([30_000, 75_000]);
  });

  test('counts the phase, and what is left of it where that is known', async () => {
    const { clock, sink, emitter } = start();
    await clock.advance(29_000);
    emitter.begin('waiting for the lock', 50_000);
    await clock.advance(61_000);
    emitter.begin('planning');
    await clock.advance(30_000);
    expect(
      sink.of('heartbeat').map(({ doing, elapsed_ms, left_ms }) => [doing, elapsed_ms, left_ms]),
    ).toEqual([
      ['waiting for the lock', 1_000, 49_000],
      ['waiting for the lock', 31_000, 19_000],
      ['waiting for the lock', 61_000, 0],
      ['planning', 30_000, null],
    ]);
  });

  test('is quiet once it is closed, and leaves no timer', async () => {
    const { clock, sink, emitter } = start();
    emitter.close();
    expect(clock.pending).toBe(0);
    emitter.emit({ code: 'lock.recovered', group: 'a' });
    expect([clock.pending, sink.codes]).toEqual([0, ['lock.recovered']]);
  });

  test('says a warning once, and keeps it for the report', () => {
    const { sink, emitter } = start();
    for (const reason of ['a', 'b', 'a']) emitter.warn(reason);
    expect(sink.of('warning').map((event) => event.reason)).toEqual(['a', 'b']);
    expect(emitter.warnings).toEqual(['a', 'b']);
  });

  test('lives on where its reader throws', async () => {
    const seen: string[] = [];
    const { clock, emitter } = start((event) => {
      seen.push(event.code);
      throw new Error('full disk');
    });
    emitter.warn('a');
    await clock.advance(60_000);
    expect(seen).toEqual(['warning', 'heartbeat', 'heartbeat']);
    expect(emitter.warnings).toEqual(['a']);
  });

  test('lives on where its reader rejects later', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const { clock, emitter } = start(async () => {
      throw new Error('full disk');
    });
    emitter.warn('a');
    await clock.advance(1);
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe('waiting', () => {
  test('ends after its time and leaves nothing behind', async () => {
    const clock = new ManualClock();
    const abort = new AbortController();
    let ended = false;
    const work = sleep(clock, 1_000, abort.signal).then(() => {
      ended = true;
    });
    await clock.advance(999);
    expect(ended).toBe(false);
    await clock.advance(1);
    await work;
    expect(ended).toBe(true);
    abort.abort();
    expect(clock.pending).toBe(0);
  });

  test('ends with the reason of an abort, before and during', async () => {
    const clock = new ManualClock();
    await expect(sleep(clock, 1_000, AbortSignal.abort('before'))).rejects.toBe('before');
    const abort = new AbortController();
    const work = expect(sleep(clock, 1_000, abort.signal)).rejects.toBe('during');
    abort.abort('during');
    await work;
    expect(clock.pending).toBe(0);
  });

  test.each([
    [undefined, 5_000],
    ['', 5_000],
    ['7', 7_000],
    [' 7 ', 7_000],
    ['0', 1_000],
    ['3600', 60_000],
    ['1.5', 5_000],
    ['-1', 5_000],
    ['soon', 5_000],
    ['Wed, 21 Oct 2026 07:28:00 GMT', 5_000],
    ['9'.repeat(30), 5_000],
  ])('Retry-After %j is %d ms', (header, ms) => {
    expect(retryAfterMs(header, 5_000)).toBe(ms);
  });
});

describe('an error', () => {
  test('has a stable code, what to do next, and its cause', () => {
    const cause = new Error('why');
    const error = new FleetError('CP_UNREACHABLE', 'gone', {
      next: 'look',
      slug: 'acme',
      outcome: 'failed',
      cause,
    });
    expect(error).toMatchObject({
      name: 'FleetError',
      code: 'CP_UNREACHABLE',
      message: 'gone',
      next: 'look',
      slug: 'acme',
      outcome: 'failed',
      cause,
    });
    expect(new FleetError('FAILED', 'x')).not.toHaveProperty('cause');
  });

  test('is known across two copies of the package, and nothing else is', () => {
    const other = { [Symbol.for('@tenant-fleet/fleet-error')]: true };
    expect([new FleetError('FAILED', 'x'), other].map(isFleetError)).toEqual([true, true]);
    expect([new Error('x'), null, undefined, 'x', {}].some(isFleetError)).toBe(false);
  });

  test('of usage is one line each, whatever was typed', () => {
    const error = usageError('a\n::error::b', { option: '--x\ny', next: `c\r\n${'d'.repeat(2_000)}` });
    expect([error.code, error.message, error.option]).toEqual(['USAGE', 'a : :error: :b', '--x y']);
    expect(error.next?.length).toBeLessThanOrEqual(500);
  });
});
