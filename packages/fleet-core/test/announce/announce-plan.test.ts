/** Who is told what, by what started a run and how it ended. */
import { expect, test } from 'vitest';
import { announcementsOf, mayAnnounce } from '../../src/announce/plan.js';
import { checkOptions } from '../../src/config/check-options.js';
import type { Command } from '../../src/config/options.js';
import type { FleetOptions } from '../../src/index.js';
import { exitCodeOf, OUTCOMES, type Outcome } from '../../src/result/outcome.js';

const countsOf = (enumerated: number, on_target: number) => ({
  ...{ enumerated, on_target, stale: enumerated - on_target },
  ...{ unreachable: 0, invalid: 0, unhealthy: 0, excused: 0 },
});

const EXPECTED: Record<Outcome, [status: string | null, alert: string | null]> = {
  succeeded: ['success', 'close'],
  succeeded_with_quarantine: ['success', 'close'],
  planned: [null, null],
  superseded: ['warning', null],
  held: ['warning', null],
  failed: ['failure', 'raise'],
  lock_timeout: ['error', 'raise'],
  lock_lost: ['error', 'raise'],
  refused: ['error', 'raise'],
  control_plane_error: ['error', 'raise'],
  interrupted: ['error', 'raise'],
  handed_over: [null, null],
};

test.each(OUTCOMES.flatMap((outcome) => (['ci', 'human'] as const).map((by) => [outcome, by] as const)))(
  '%s, asked for by %s',
  (outcome, askedBy) => {
    const [status, alert] = EXPECTED[outcome];
    const exit_code = exitCodeOf(outcome, { askedBy });
    expect(announcementsOf({ outcome, exit_code, counts: countsOf(5, 3) })).toEqual({
      status,
      alert,
    });
  },
);

test('a freeze over a fleet that is on target takes nothing back', () => {
  const held = { outcome: 'held', exit_code: 0 } as const;
  expect(announcementsOf({ ...held, counts: countsOf(5, 5) })).toEqual({ status: 'success', alert: null });
  const excused = { ...countsOf(5, 4), stale: 0, excused: 1 };
  expect(announcementsOf({ ...held, counts: excused }).status).toBe('success');
  expect(announcementsOf({ ...held, counts: countsOf(0, 0) }).status).toBe('warning');
});

test.each<[boolean, Command, FleetOptions]>([
  [true, 'redeploy', {}],
  [true, 'redeploy', { trigger: { event: 'push' } }],
  [true, 'redeploy', { trigger: { event: 'schedule' } }],
  [true, 'redeploy', { trigger: { event: 'workflow_dispatch' } }],
  [true, 'redeploy', { trigger: { event: 'release' } }],
  [false, 'redeploy', { trigger: { event: 'pull_request' } }],
  [false, 'redeploy', { trigger: { event: 'pull_request_target' } }],
  [false, 'redeploy', { trigger: { event: 'issue_comment' } }],
  [false, 'redeploy', { trigger: { event: '' } }],
  [false, 'redeploy', { dryRun: true }],
  [false, 'plan', {}],
  [false, 'verify', {}],
  [false, 'lock', {}],
])('announces: %s, for %s with %j', (may, command, options) => {
  const config = checkOptions(command, {
    environment: 'staging',
    controlPlane: 'https://cp.example.com',
    controlPlaneToken: 's3cr3t-value',
    tenantUrl: 'https://{slug}.example.com',
    targetTag: 'staging-1',
    expectedSha: 'b'.repeat(40),
    ...options,
  });
  expect(mayAnnounce(config)).toBe(may);
});
