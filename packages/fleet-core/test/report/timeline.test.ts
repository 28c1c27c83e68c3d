import { afterEach, describe, expect, test } from 'vitest';
import type { EventData } from '../../src/index.js';
import { Timeline } from '../../src/report/timeline.js';
import { ManualClock } from '../../src/testing/index.js';
import { FakeFleet, NEW, OLD } from '../helpers/fake-fleet.js';
import { run } from '../helpers/run.js';

const changed = (
  status: 'waiting' | 'on_target' | 'stale' | 'unreachable',
  sha: string | null,
): EventData => ({
  ...{ code: 'tenant.changed', slug: 'acme', status, observed_sha: sha },
  ...{ detail: null, after_ms: 0, on_target: 0, of: 1 },
});
const rolled: EventData = { code: 'wave.started', phase: 'batch-1', slugs: ['acme'], wave: 1, waves: 1 };
const waiting: EventData = {
  ...{ code: 'lock.waiting', group: 'staging', position: 1, queue_length: 1, holder: null, waited_ms: 0 },
};

describe('a timeline', () => {
  test.each<[string, EventData[], string[]]>([
    ['a queue is told once, at its beginning', [waiting, waiting], ['0 lock.waiting']],
    [
      'a tenant that answers the old commit for a while',
      [rolled, changed('waiting', OLD), changed('on_target', NEW)],
      ['0 wave.started batch-1', '0 tenant.rolled acme', '1 tenant.answered acme', '2 tenant.proven acme'],
    ],
    [
      'a proof that takes several answers',
      [changed('waiting', null), changed('waiting', NEW), changed('on_target', NEW)],
      ['1 tenant.flipped acme', '2 tenant.proven acme'],
    ],
    [
      'a tenant that falls back, and is proven all the same: each thing once more and no further',
      ['waiting', 'waiting', 'waiting', 'waiting', 'waiting', 'on_target'].map((status, index) =>
        changed(status as 'waiting', index % 2 ? NEW : OLD),
      ),
      [
        ...['0 tenant.answered acme', '1 tenant.flipped acme', '2 tenant.flapped acme'],
        ...['3 tenant.flipped acme', '5 tenant.proven acme'],
      ],
    ],
    [
      'a tenant that stays behind',
      [changed('waiting', OLD), changed('stale', OLD)],
      ['0 tenant.answered acme', '1 tenant.given_up acme'],
    ],
    [
      'a tenant that never answers',
      [changed('waiting', null), changed('unreachable', null)],
      ['1 tenant.given_up acme'],
    ],
  ])('%s', async (_, events, entries) => {
    const clock = new ManualClock();
    await clock.advance(5);
    const timeline = new Timeline(clock, NEW);
    for (const event of events) {
      timeline.note(event);
      await clock.advance(1);
    }
    const told = timeline.entries.map(({ at_ms, event, slug, phase }) =>
      `${at_ms} ${event} ${slug ?? phase ?? ''}`.trim(),
    );
    expect(told).toEqual(entries);
  });
});

describe('the timeline of a run', () => {
  let fleet: FakeFleet;
  afterEach(() => fleet.stop());

  test('says when each wave began and was proven, and when its tenants were', async () => {
    fleet = await FakeFleet.start(['acme', 'birch']);
    fleet.script.set(1, (_roll, response) => response.end('{"ok":true,"results":[{"slug":"birch"}]}'));
    const { result } = await run({
      ...fleet.options,
      canary: 'acme',
      soakMs: 20_000,
      settleBudgetMs: 30_000,
    });
    const told = result.timeline?.map(({ at_ms, event, slug, phase }) => [at_ms, event, slug ?? phase]);
    expect(told).toEqual([
      [0, 'wave.started', 'canary'],
      [0, 'tenant.rolled', 'acme'],
      [0, 'tenant.proven', 'acme'],
      [0, 'soak.started', 'acme'],
      [20_000, 'soak.passed', 'acme'],
      [20_000, 'wave.proven', 'canary'],
      [20_000, 'wave.started', 'batch-1'],
      [20_000, 'tenant.rolled', 'birch'],
      [20_000, 'tenant.answered', 'birch'],
      [50_000, 'tenant.given_up', 'birch'],
      [50_000, 'wave.unproven', 'batch-1'],
    ]);
    expect(result).toMatchObject({ control_plane: fleet.url, policy: { canary: 'acme', soak_ms: 20_000 } });
    expect(result.tool_version).toMatch(/^\d/);
  });
});
