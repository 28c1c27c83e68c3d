import { describe, expect, it } from 'vitest';
import { type FleetEvent, type FleetResult, OUTCOMES, resultSchema } from '../../src/index.js';
import { outcomeTone, renderEvent, renderResult, toneOf } from '../../src/render/index.js';
import { nameList } from '../../src/text/words.js';

const AT = '2026-01-02T03:04:05.678Z';
const SHA = 'abcdef1234567890abcdef1234567890abcdef12';
const OLD = '1111111111111111111111111111111111111111';

type Loose<T> = T extends unknown ? Omit<T, 'at'> : never;
const line = (event: Loose<FleetEvent>, verbose = false) =>
  renderEvent({ at: AT, ...event } as FleetEvent, { verbose });

export function tenant(slug: string, rest: Partial<FleetResult['tenants'][number]> = {}) {
  return {
    slug,
    status: 'on_target' as const,
    phase: 'batch-1',
    observed_sha: SHA,
    probes: 3,
    on_target_after_ms: 4100,
    detail: null,
    baseline_sha: OLD,
    ...rest,
  };
}

export function result(rest: Partial<FleetResult> = {}): FleetResult {
  const tenants = rest.tenants ?? [tenant('acme'), tenant('beta')];
  const count = (status: string) => tenants.filter((one) => one.status === status).length;
  return resultSchema.parse({
    schema: 'fleet-result/1',
    outcome: 'succeeded',
    deployed: ['succeeded', 'succeeded_with_quarantine'].includes(rest.outcome ?? 'succeeded'),
    reason: 'every tenant answered with the commit',
    environment: 'staging',
    target_tag: 'main-abcdef1',
    expected_sha: SHA,
    started_at: '2026-01-02T03:00:00.000Z',
    finished_at: '2026-01-02T03:00:42.000Z',
    lock: { group: 'staging', fencing_token: 7, waited_ms: 0 },
    counts: {
      enumerated: tenants.length,
      on_target: count('on_target'),
      stale: count('stale'),
      unreachable: count('unreachable'),
      invalid: count('invalid'),
      unhealthy: count('unhealthy'),
      excused: count('excused'),
    },
    calls: [],
    exit_code: 0,
    warnings: [],
    next: [],
    ...rest,
    tenants,
  });
}

it('13: a verbose run says what it goes by, so that an option that was not wired shows', () => {
  const event: FleetEvent = {
    at: '2026-01-01T00:00:00.000Z',
    code: 'run.started',
    command: 'redeploy',
    environment: 'staging',
    target_tag: 'main-1',
    expected_sha: SHA,
    control_plane: null,
    timeout_ms: 60_000,
    policy: {
      strategy: 'scoped',
      canary: 'acme',
      soak_ms: 60_000,
      batch_size: 3,
      max_stragglers: 1,
      settle_budget_ms: 240_000,
      confirmations: 2,
      ephemeral: ['e2e-*'],
      lock_group: 'staging',
      superseded_by: 'claim',
    },
  };
  expect(renderEvent(event, { verbose: true })).toContain(
    'scoped, canary acme soaking 1m, batches of 3, at most 1 straggler, settle budget 4m, 2 confirmations, ephemeral e2e-*, lock staging, superseded by claim',
  );
  expect(renderEvent(event)).not.toContain('batches');
});

describe('an event line', () => {
  const cases: [string, Loose<FleetEvent>, string | RegExp | null][] = [
    [
      'names fleet, tag, commit, control plane and limit at the start',
      {
        code: 'run.started',
        command: 'redeploy',
        environment: 'staging',
        target_tag: 'main-1',
        expected_sha: SHA,
        control_plane: 'https://cp.example.com',
        timeout_ms: 1_800_000,
        policy: null,
      },
      'rolling staging to main-1 (abcdef1), control plane https://cp.example.com, limit 30m',
    ],
    [
      'says that a plan changes nothing',
      {
        code: 'run.started',
        command: 'plan',
        environment: null,
        target_tag: 'main-1',
        expected_sha: null,
        control_plane: null,
        timeout_ms: 60_000,
        policy: null,
      },
      'planning a roll of the fleet to main-1; nothing is changed, limit 1m',
    ],
    [
      'tells a gate that a dry run does not obey',
      { code: 'gate.stopped', gate: 'kill-switch', outcome: 'held', reason: 'armed', obeyed: false },
      'gate kill-switch: held, armed (a real roll would stop here)',
    ],
    [
      'tells who holds the lock, since when, doing what, and that it is dead',
      {
        code: 'lock.waiting',
        group: 'staging',
        position: 2,
        queue_length: 3,
        waited_ms: 61_000,
        holder: { name: 'fleet redeploy', actor: 'ann', held_for_seconds: 90, step: 'batch-2', alive: false },
      },
      /place 2 of 3, 1m 1s so far; held by fleet redeploy \(ann\) for 1m 30s, doing: batch-2, .*not renew/,
    ],
    [
      'counts the phase, and says what is left of it',
      { code: 'heartbeat', doing: 'verifying batch-1 (1 of 2)', elapsed_ms: 30_000, left_ms: 210_000 },
      /^still verifying batch-1 \(1 of 2\), 30s so far, at most 3m 30s left$/,
    ],
    [
      'says no more than it knows of a phase',
      { code: 'heartbeat', doing: 'planning', elapsed_ms: 30_000, left_ms: null },
      /^still planning, 30s so far$/,
    ],
    [
      'says how to ask just once',
      { code: 'verify.looked', on_target: 1, of: 3, open: ['birch', 'cedar'], settle_budget_ms: 240_000 },
      /^first look: 1 of 3 on target, not birch, cedar; asking on for at most 4m \(--settle-budget 0s asks once\)$/,
    ],
    [
      'lists the plan',
      {
        code: 'plan.ready',
        tenants: 4,
        on_target: ['a'],
        waves: [
          { phase: 'canary', slugs: ['b'] },
          { phase: 'batch-1', slugs: ['c', 'd'] },
        ],
        strategy: 'scoped',
        dry_run: false,
      },
      'plan: 4 tenants, 1 on target already; will roll (scoped): canary b; batch-1 c, d',
    ],
    [
      'counts tenants that arrive, padded so that the names stand under each other',
      {
        code: 'tenant.changed',
        slug: 'acme',
        status: 'on_target',
        observed_sha: SHA,
        detail: null,
        after_ms: 4100,
        on_target: 3,
        of: 12,
      },
      '[03/12] acme: on target after 4.1s',
    ],
    [
      'says once what a stale tenant answers',
      {
        code: 'tenant.changed',
        slug: 'acme',
        status: 'stale',
        observed_sha: OLD,
        detail: 'still on 1111111',
        after_ms: 240_000,
        on_target: 0,
        of: 1,
      },
      '[0/1] acme: stale, still on 1111111 after 4m',
    ],
    [
      'keeps an answer that is well to itself',
      { code: 'wave.answered', phase: 'batch-1', http_status: 200, ok: true, duration_ms: 10 },
      null,
    ],
    [
      'tells an answer that is not well',
      { code: 'wave.answered', phase: 'batch-1', http_status: 500, ok: false, duration_ms: 1000 },
      'batch-1: control plane answered 500 after 1s, not ok',
    ],
    [
      'keeps details of the control plane for verbose',
      { code: 'call.detail', phase: 'canary', slug: 'a', text: 'boom' },
      null,
    ],
  ];
  it.each(cases)('%s', (_name, event, expected) => {
    const text = line(event);
    if (expected instanceof RegExp) expect(text).toMatch(expected);
    else expect(text).toBe(expected);
  });

  it('has the time and the details when verbose', () => {
    expect(line({ code: 'call.detail', phase: 'canary', slug: 'a', text: 'boom' }, true)).toBe(
      '03:04:05 canary a: boom',
    );
  });

  it('is silent about the end: the closing block says it', () => {
    expect(line({ code: 'run.finished', result: result() })).toBeNull();
  });

  it('has a tone: what went wrong stands out', () => {
    expect(toneOf({ at: AT, code: 'lock.lost', group: 'g', reason: 'r' })).toBe('bad');
    expect(toneOf({ at: AT, code: 'warning', reason: 'r' })).toBe('warn');
  });
});

describe('the closing block', () => {
  it.each([...OUTCOMES])('starts with the verdict of %s and its target', (outcome) => {
    const [verdict] = renderResult(result({ outcome, exit_code: 0 }));
    expect(verdict).toMatch(/^[A-Z ]+: /);
    expect(verdict).toContain('staging');
    expect(verdict).toContain('main-abcdef1 (abcdef1)');
    // Only an outcome that proves the fleet may say so.
    const deployed = outcome === 'succeeded' || outcome === 'succeeded_with_quarantine';
    expect(/^DEPLOYED/.test(verdict ?? '')).toBe(deployed);
    expect(outcomeTone(outcome) === 'good').toBe(outcome === 'succeeded' || outcome === 'planned');
  });

  it('names every tenant that is not on target, with its answer and why, and what to do', () => {
    const lines = renderResult(
      result({
        outcome: 'failed',
        exit_code: 1,
        reason: '2 tenants are not proven',
        tenants: [
          tenant('acme'),
          tenant('temp', { status: 'excused', observed_sha: null, on_target_after_ms: null }),
          tenant('beta', { status: 'stale', observed_sha: OLD, detail: 'settle budget used up', probes: 40 }),
        ],
        warnings: ['renewal was late'],
        next: ['fleet verify'],
      }),
    );
    expect(lines).toEqual([
      'FAILED: staging is not proven to run main-abcdef1 (abcdef1).',
      'Reason: 2 tenants are not proven',
      '3 tenants: 1 on target, 1 stale, 1 excused (took 42s)',
      '  beta: stale, answers 1111111, settle budget used up, rolled in batch-1, asked 40 times',
      '  temp: excused, no commit seen, rolled in batch-1, asked 3 times',
      'Warning: renewal was late',
      'Next: fleet verify',
    ]);
  });

  it('does not count excused tenants as quarantined', () => {
    const [verdict] = renderResult(
      result({
        outcome: 'succeeded_with_quarantine',
        tenants: [
          tenant('a'),
          tenant('b'),
          tenant('c', { status: 'stale' }),
          tenant('d', { status: 'excused' }),
        ],
      }),
    );
    expect(verdict).toContain('but for 1 tenant within');
  });

  it('shows a plan by phases with what runs now', () => {
    const lines = renderResult(
      result({
        outcome: 'planned',
        lock: null,
        tenants: [
          tenant('a', { phase: 'canary', status: 'stale', observed_sha: OLD }),
          tenant('b', { status: 'unreachable', observed_sha: null }),
          tenant('c', { phase: null }),
        ],
      }),
    );
    expect(lines[0]).toBe('PLANNED: nothing was rolled; staging would be rolled to main-abcdef1 (abcdef1).');
    expect(lines).toContain('  canary: a (now 1111111)');
    expect(lines).toContain('  batch-1: b (now unreachable)');
  });

  it('calls nobody stale in a plan that expects no commit', () => {
    const tenants = [
      tenant('a', { status: 'stale', observed_sha: OLD }),
      tenant('b', { status: 'unreachable' }),
    ];
    const lines = renderResult(result({ outcome: 'planned', expected_sha: null, tenants })).join('\n');
    expect(lines).toContain(
      '2 tenants: 1 answer, 1 unreachable; not compared, as no commit is expected (--expected-sha)',
    );
    expect(lines).not.toMatch(/stale|on target/);
  });

  it('says of a plan without waves that there is nothing to roll', () => {
    const tenants = [tenant('a', { phase: null }), tenant('b', { phase: null, status: 'excused' })];
    expect(renderResult(result({ outcome: 'planned', tenants }))[0]).toMatch(
      /^PLANNED: nothing to roll; staging runs/,
    );
  });

  it('says how far the commit is behind its branch, and nothing where it is the head', () => {
    const branch = (behind_by: number | null) =>
      renderResult(result({ branch: { name: 'main', head: OLD, behind_by } }));
    expect(branch(2)).toContain('The commit is 2 commits behind the head of main (1111111).');
    for (const unknown of [0, null]) expect(branch(unknown).join()).not.toContain('behind');
  });

  it('bounds a long list', () => {
    const tenants = Array.from({ length: 50 }, (_, n) => tenant(`t${n}`, { status: 'stale' }));
    const lines = renderResult(result({ outcome: 'failed', exit_code: 1, tenants }));
    expect(lines).toHaveLength(3 + 20 + 1);
    expect(lines.at(-1)).toBe('  and 30 more');
    expect(nameList(['a', 'b', 'c'], 2)).toBe('a, b and 1 more');
  });

  it('takes control characters and workflow commands out of a document from outside', () => {
    const text = renderResult(result({ reason: 'x\u001b[31m\n::error::boom', next: ['a\u202eb'] })).join(
      '\n',
    );
    expect(text).not.toMatch(/\u001b|::error|\u202e/);
  });
});
