import { describe, expect, test, vi } from 'vitest';
import { claimIdOf } from '../src/claim-id.js';
import { type Config, checkOptions } from '../src/config.js';
import { claimIdSchema, holderSchema, type WaitedFor } from '../src/contract.js';
import { Emitter } from '../src/emitter.js';
import { FleetError, isFleetError, usageError } from '../src/errors.js';
import type { FleetEvent } from '../src/events.js';
import { cleanHolder, describeHolder, holderOf } from '../src/holder.js';
import { ManualClock, RecordingSink } from '../src/testing/index.js';
import { retryAfterMs, sleep } from '../src/time.js';

const SHA = 'b'.repeat(40);

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
    emitter.doing = 'rolling canary';
    await clock.advance(29_999);
    expect(sink.codes).toEqual([]);
    await clock.advance(1);
    expect(sink.events).toEqual([
      { at: '2026-01-01T00:00:30.000Z', code: 'heartbeat', doing: 'rolling canary', elapsed_ms: 30_000 },
    ]);
    await clock.advance(15_000);
    emitter.emit({ code: 'lock.recovered', group: 'a' });
    await clock.advance(29_999);
    expect(sink.of('heartbeat')).toHaveLength(1);
    await clock.advance(1);
    expect(sink.of('heartbeat').map((event) => event.elapsed_ms)).toEqual([30_000, 75_000]);
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

describe('a claim id', () => {
  const trigger = {
    runId: '7',
    runAttempt: '1',
    job: 'deploy',
    runUrl: 'https://git.example.com/o/r/actions/runs/7',
  };

  test('is a valid UUID of version 5, the same every time', () => {
    const id = claimIdOf(trigger, 'staging');
    expect(claimIdSchema.parse(id)).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(claimIdOf({ ...trigger }, 'staging')).toBe(id);
    expect(id).toBe('8a430dbf-3f96-55dd-9c3c-5919935209af');
  });

  test('differs by whatever makes it another claim', () => {
    const ids = [
      claimIdOf(trigger, 'staging'),
      claimIdOf(trigger, 'production'),
      claimIdOf({ ...trigger, runId: '8' }, 'staging'),
      claimIdOf({ ...trigger, runAttempt: '2' }, 'staging'),
      claimIdOf({ ...trigger, job: 'deploy-2' }, 'staging'),
      claimIdOf({ ...trigger, runUrl: 'https://git.example.com/o/other/actions/runs/7' }, 'staging'),
      claimIdOf({ ...trigger, runId: '7","1' }, 'staging'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('is made by chance outside CI', () => {
    for (const outside of [{}, { ...trigger, runId: undefined }, { ...trigger, job: '' }])
      expect(claimIdOf(outside, 'staging')).toBeUndefined();
  });
});

describe('a holder', () => {
  const config = (rest: Parameters<typeof checkOptions>[1] = {}): Config =>
    checkOptions('redeploy', {
      environment: 'staging',
      controlPlane: 'https://cp.example.com',
      controlPlaneToken: 's3cr3t-value',
      tenantUrl: 'https://{slug}.example.com',
      targetTag: 'staging-1',
      expectedSha: SHA,
      giteaUrl: 'https://git.example.com',
      giteaToken: 's3cr3t-gitea',
      repository: 'o/r',
      branch: 'main',
      ...rest,
    });

  test('says who, for what, from where', () => {
    const runUrl = 'https://git.example.com/o/r/actions/runs/7';
    expect(holderOf(config({ trigger: { actor: 'anna', runUrl } }), 'runner-1')).toEqual({
      name: 'fleet redeploy staging',
      actor: 'anna',
      run_url: runUrl,
      repository: 'o/r',
      branch: 'main',
      sha: SHA,
      host: 'runner-1',
    });
  });

  test.each<[string, Parameters<typeof checkOptions>[1], string]>([
    [
      'everything too long',
      {
        environment: 'e'.repeat(400),
        lockGroup: 'x',
        branch: 'b'.repeat(900),
        repository: `o/${'r'.repeat(900)}`,
        trigger: { actor: 'a'.repeat(900), runUrl: `https://git.example.com/${'r'.repeat(3_000)}` },
      },
      'h'.repeat(900),
    ],
    ['an address that is no web page', { trigger: { runUrl: 'javascript:alert(1)' } }, 'h'],
    ['an address that is none', { trigger: { runUrl: 'o/r/actions/runs/7' } }, 'h'],
    [
      'nothing known',
      { environment: undefined, lockGroup: 'x', branch: undefined, giteaUrl: undefined, trigger: {} },
      '',
    ],
    ['empty texts', { trigger: { actor: '', runUrl: '' } }, ''],
  ])('is one that the lock server takes: %s', (_name, rest, host) => {
    const holder = holderOf(config(rest), host);
    expect(holderSchema.safeParse(holder).error).toBeUndefined();
    expect(JSON.stringify(holder)).not.toContain('s3cr3t');
  });

  test('of somebody else is made safe to print', () => {
    const hostile: WaitedFor = {
      name: 'x\n::error::y',
      actor: '\u001b[31mroot',
      run_url: 'javascript:alert(1)',
      repository: 'r'.repeat(900),
      branch: null,
      step: '##[group]',
      held_for_seconds: 5,
      alive: true,
    };
    const clean = cleanHolder(hostile);
    expect(clean).toMatchObject({
      name: 'x : :error: :y',
      actor: '[31mroot',
      step: '# #[group]',
      alive: true,
    });
    expect([clean.run_url, clean.branch, clean.repository?.length]).toEqual([undefined, undefined, 160]);
    expect(cleanHolder({ name: 'x', run_url: 'https://git.example.com/7' }).run_url).toBe(
      'https://git.example.com/7',
    );
  });

  test.each<[WaitedFor, string]>([
    [{ name: 'fleet' }, 'fleet'],
    [
      {
        name: 'fleet',
        actor: 'anna',
        held_for_seconds: 250,
        step: 'rolling canary',
        alive: true,
        run_url: 'https://x/7',
        host: 'h',
      },
      'fleet (anna), for 4m 10s, doing: rolling canary, https://x/7',
    ],
    [
      { name: 'fleet', held_for_seconds: 0, alive: false, host: 'runner-1' },
      'fleet, for 0ms, not renewing any more, on runner-1',
    ],
  ])('%j in words', (holder, words) => {
    expect(describeHolder(holder)).toBe(words);
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
      hint: 'look',
      slug: 'acme',
      outcome: 'failed',
      cause,
    });
    expect(error).toMatchObject({
      name: 'FleetError',
      code: 'CP_UNREACHABLE',
      message: 'gone',
      hint: 'look',
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
    const error = usageError('a\n::error::b', { option: '--x\ny', hint: `c\r\n${'d'.repeat(2_000)}` });
    expect([error.code, error.message, error.option]).toEqual(['USAGE', 'a : :error: :b', '--x y']);
    expect(error.hint?.length).toBeLessThanOrEqual(500);
  });
});
