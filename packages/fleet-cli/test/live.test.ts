import type { EventData, FleetEvent } from '@tenant-fleet/fleet-core';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { fitted, frameOf, type Screen } from '../src/terminal/live/frame.js';
import { Progress } from '../src/terminal/live/progress.js';

const START = Date.UTC(2026, 0, 1);
const SHA = 'b'.repeat(40);
const names = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `tenant-${from + index}`);

/** A run whose events come at the given seconds. */
function after(...events: [seconds: number, event: EventData][]): Progress {
  const progress = new Progress();
  for (const [seconds, event] of events)
    progress.follow({ at: new Date(START + seconds * 1000).toISOString(), ...event } as FleetEvent);
  return progress;
}

const started: EventData = {
  ...{ code: 'run.started', command: 'redeploy', environment: 'staging', target_tag: 'staging-bbbbbbb' },
  ...{ expected_sha: SHA, control_plane: null, timeout_ms: 1_800_000, policy: null },
};
const planned = (...waves: [string, string[]][]): EventData => ({
  ...{ code: 'plan.ready', tenants: 0, on_target: [], strategy: 'scoped', dry_run: false },
  waves: waves.map(([phase, slugs]) => ({ phase, slugs })),
});
const wave = (phase: string, slugs: string[], place = 1, waves = 2): EventData => ({
  ...{ code: 'wave.started', phase, slugs, wave: place, waves },
});
const changed = (
  slug: string,
  status: 'waiting' | 'on_target' | 'stale',
  detail: string | null = null,
): EventData => ({
  ...{ code: 'tenant.changed', slug, status, observed_sha: null, detail },
  ...{ after_ms: 0, on_target: 0, of: 1 },
});

function screen(progress: Progress, seconds: number, rest: Partial<Screen> = {}): string[] {
  const base = {
    columns: 80,
    rows: 24,
    ascii: false,
    keys: ['s: stop after this wave', 'a: show all'],
    stopping: false,
  };
  return frameOf(progress, { ...base, now: START + seconds * 1000, ...rest }).map(({ text }) => text);
}

const halfWay = () =>
  after(
    [0, started],
    [1, planned(['canary', ['acme']], ['batch-1', ['birch', 'cobalt']])],
    [1, wave('canary', ['acme'])],
    [2, { code: 'verify.started', slugs: ['acme'], settle_budget_ms: 60_000 }],
    [3, changed('acme', 'on_target')],
    [3, { code: 'soak.started', slug: 'acme', soak_ms: 30_000 }],
    [33, { code: 'soak.passed', slug: 'acme', probes: 3 }],
    [33, { code: 'wave.proven', phase: 'canary', slugs: ['acme'], duration_ms: 32_000 }],
    [33, wave('batch-1', ['birch', 'cobalt'], 2)],
    [35, { code: 'verify.started', slugs: ['birch', 'cobalt'], settle_budget_ms: 60_000 }],
    [36, changed('birch', 'waiting', 'still on aaaaaaa')],
    [37, changed('cobalt', 'on_target')],
  );

describe('the screen of a run', () => {
  test('says what is done, for how long and for how long it still may, and draws the waves', () => {
    expect(screen(halfWay(), 45)).toEqual([
      `Rolling staging: staging-bbbbbbb (bbbbbbb)${' '.repeat(25)}0:45 of 30:00`,
      'verifying batch-1, 0:10, 0:50 left',
      '████████████████████░░░░░░░░░░ 2 of 3 on target',
      '✓ canary  ████████████████████ 1/1 proven 0:32',
      '▶ batch-1 ██████████░░░░░░░░░░ 1/2 verifying 0:12',
      '  · birch: still on aaaaaaa',
      's: stop after this wave | a: show all',
    ]);
  });

  test('the same on a narrow screen, in ASCII, without keys', () => {
    expect(screen(halfWay(), 45, { columns: 40, ascii: true, keys: [] })).toEqual([
      'Rolling staging: staging-bbbbbbb...',
      '0:45 of 30:00',
      'verifying batch-1, 0:10, 0:50 left',
      '###############-------- 2 of 3 on target',
      '+ canary  ############## 1/1 proven 0:32',
      '> batch-1 #####------ 1/2 verifying 0:12',
      '  . birch: still on aaaaaaa',
    ]);
  });

  test('who is behind stands above the waves', () => {
    const progress = halfWay();
    progress.follow({
      at: new Date(START + 95_000).toISOString(),
      ...changed('birch', 'stale', 'still on aaaaaaa'),
    } as FleetEvent);
    const lines = screen(progress, 95);
    expect(lines[2]).toBe('████████████████████░░░░░░░░░░ 2 of 3 on target, 1 not');
    expect(lines[3]).toBe('✕ birch: stale, still on aaaaaaa');
    expect(lines[4]).toMatch(/^✓ canary/);
  });

  test.each<[string, EventData[], string]>([
    [
      'the queue',
      [
        {
          code: 'lock.waiting',
          group: 'staging',
          position: 2,
          queue_length: 3,
          holder: { name: 'x', actor: 'ann' },
          waited_ms: 5_000,
        } as EventData,
      ],
      'place 2 of 3 in the queue of staging, held by ann, 0:09',
    ],
    [
      'an older roll',
      [
        {
          code: 'lock.draining',
          group: 'staging',
          fencing_token: 3,
          slugs: [],
          since_ms: 60_000,
          at_most_ms: 600_000,
        },
      ],
      'waiting for an older roll to end, 1:04',
    ],
    [
      'a soak',
      [planned(['canary', ['acme']]), { code: 'soak.started', slug: 'acme', soak_ms: 60_000 }],
      'watching canary acme, 0:04, 0:56 left',
    ],
    [
      'what a heartbeat says',
      [{ code: 'heartbeat', doing: 'planning', elapsed_ms: 30_000, left_ms: 10_000 }],
      'planning, 0:34, 0:06 left',
    ],
    [
      'checks',
      [{ code: 'gate.waiting', gate: 'checks', pending: ['build'], waited_ms: 0 }],
      'waiting for build, 0:04',
    ],
  ])('tells %s', (_, events, words) => {
    const progress = after([0, started], ...events.map((event): [number, EventData] => [1, event]));
    expect(screen(progress, 5)[1]).toBe(words);
  });

  test('asked to stop, it says so in place of the keys; ended, it has neither', () => {
    expect(screen(halfWay(), 45, { stopping: true }).at(-1)).toBe('stops after this wave; Ctrl-C: at once');
    const progress = halfWay();
    progress.follow({ at: new Date(START).toISOString(), code: 'run.finished', result: {} } as never);
    expect(screen(progress, 45, { keys: [] })).toHaveLength(5);
  });

  test('500 tenants: each screen is filled with what matters most, and never over', () => {
    const waves = Array.from({ length: 50 }, (_, index): [string, string[]] => [
      `batch-${index + 1}`,
      names(10, index * 10),
    ]);
    const progress = after([0, started], [1, planned(...waves)]);
    for (const [index, [phase, slugs]] of waves.slice(0, 30).entries()) {
      const at = (event: EventData) =>
        progress.follow({ at: new Date(START + index * 1000).toISOString(), ...event } as FleetEvent);
      at(wave(phase, slugs, index + 1, 50));
      for (const slug of slugs)
        at(changed(slug, index % 10 === 3 ? 'stale' : 'on_target', 'still on a commit from long before'));
      if (index < 29) at({ code: 'wave.proven', phase, slugs, duration_ms: 1 });
    }
    for (const [columns, rows] of [
      [80, 24],
      [40, 24],
      [40, 10],
      [20, 6],
      [200, 60],
    ] as const) {
      const lines = screen(progress, 60, { columns, rows });
      expect(lines.length).toBeLessThan(rows);
      for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    }
    expect(screen(progress, 60)).toEqual(
      expect.arrayContaining([
        '  … and 24 more',
        '✓ 29 waves proven, 290 tenants',
        '· 20 waves to come, 200 tenants',
      ]),
    );
  });
});

test('a line is cut between words, and inside one only where nothing else is left', () => {
  const text = 'acme: стоит on 漢字漢字 since yesterday';
  const words = new Set(text.split(' '));
  for (let columns = 20; columns < 45; columns++) {
    const cut = fitted(text, { columns, ascii: false });
    expect(stringWidth(cut)).toBeLessThanOrEqual(columns);
    for (const word of cut.replace(/…$/, '').split(' ')) expect(words).toContain(word);
  }
  expect(fitted('a'.repeat(50), { columns: 20, ascii: true })).toBe(`${'a'.repeat(17)}...`);
});
