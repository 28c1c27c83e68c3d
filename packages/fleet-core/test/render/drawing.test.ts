import { expect, test } from 'vitest';
import type { RolloutEntry } from '../../src/contract.js';
import { renderRollout } from '../../src/render/index.js';

const entry = (rollout: Partial<RolloutEntry['rollout']>): RolloutEntry & { from_sha: string | null } => ({
  ...{ claim_id: 'c'.repeat(36), fencing_token: 7, holder: { name: 'ann' }, state: 'ended', from_sha: null },
  ...{ started_at: '2026-01-02T03:00:00.000Z', ended_at: '2026-01-02T03:00:24.000Z' },
  rollout: { target_tag: 'main-1', tool_version: '1.0.0', outcome: 'failed', ...rollout },
});
const linesOf = (rollout: Partial<RolloutEntry['rollout']>) =>
  renderRollout(entry(rollout)).map(({ text }) => text);
const tenants = [
  { slug: 'acme', status: 'on_target', phase: 'canary' },
  { slug: 'birch-with-a-long-name', status: 'stale', phase: 'batch-1' },
  { slug: 'cedar', status: 'stale' },
];
const timeline = [
  { at_ms: 0, event: 'lock.waiting' },
  { at_ms: 2000, event: 'lock.acquired' },
  { at_ms: 2000, event: 'wave.started', phase: 'canary' },
  { at_ms: 2000, event: 'tenant.rolled', slug: 'acme', phase: 'canary' },
  { at_ms: 5000, event: 'tenant.answered', slug: 'acme' },
  { at_ms: 8000, event: 'tenant.proven', slug: 'acme' },
  { at_ms: 9000, event: 'wave.proven', phase: 'canary' },
  { at_ms: 10_000, event: 'wave.started', phase: 'batch-1' },
  { at_ms: 10_000, event: 'tenant.rolled', slug: 'birch-with-a-long-name', phase: 'batch-1' },
  { at_ms: 23_500, event: 'tenant.given_up', slug: 'birch-with-a-long-name' },
];

test('a rollout on record is drawn in lines of 40 columns', () => {
  const lines = linesOf({ tenants, timeline });
  const at = lines.findIndex((line) => line.startsWith('Timeline, 24s from left to right: '));
  expect(lines.slice(at + 1, at + 6)).toEqual([
    '  queue        ===',
    '  canary         ========',
    '  batch-1                ==============',
    expect.stringMatching(/^ {2}birch-with-\S+ {11}\|\.{12}x$/),
    '  acme           |..---*',
  ]);
  for (const line of lines.slice(at + 1, at + 6)) expect(line.length).toBeLessThanOrEqual(40);
});

test('a record without times is not drawn, and many waves are left out', () => {
  expect(linesOf({ tenants }).join()).not.toContain('Timeline');
  const waves = Array.from({ length: 50 }, (_, at_ms) => ({
    at_ms,
    event: 'wave.started',
    phase: `batch-${at_ms}`,
  }));
  const lines = linesOf({ tenants, timeline: [...timeline, ...waves] });
  expect(lines.filter((line) => line.includes('batch-3'))).toEqual([]);
  expect(lines.some((line) => line.startsWith('  queue '))).toBe(true);
});
