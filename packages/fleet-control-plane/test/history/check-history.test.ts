/** The checker is only worth something if it sees what is wrong: each history here has one flaw. */
import type { LockEvent } from '@tenant-fleet/fleet-core/contract';
import { describe, expect, it } from 'vitest';
import { checkHistory } from '../fixtures/check-history.js';
import { type Call, type Entry, type History, type Return, type Roll, TTL_MS } from '../fixtures/history.js';

type Draft = Partial<LockEvent> & { kind: string; claim_id: string };

const log = (...drafts: Draft[]): LockEvent[] =>
  drafts.map((draft, index) => ({ seq: index + 1, at: '', ...draft }));
const granted = (claim_id: string, fencing_token: number) => ({ kind: 'granted', claim_id, fencing_token });
const released = (claim_id: string, fencing_token: number) => ({ kind: 'released', claim_id, fencing_token });
const queued = (claim_id: string, place: number) => ({ kind: 'queued', claim_id, detail: { place } });

let calls = 0;
/** A call and, unless `answer` is null, its answer. */
function call(
  [op, claim, at, back]: [Call['op'], string, number, number],
  answer: { status: number; body: Return['body'] } | null,
  token: number | null = null,
): Entry[] {
  const id = `c${++calls}`;
  const made: Call = { kind: 'call', id, at, op, claim, session: `s-${claim}`, token };
  return answer ? [made, { kind: 'return', id, at: back, ...answer }] : [made];
}
const held = (fencing_token: number) => ({ status: 200, body: { state: 'held', fencing_token } });
const waits = { status: 202, body: { state: 'queued' } };
const done = (already: boolean) => ({ status: 200, body: { state: 'released', already } });
const lost = { status: 409, body: { error: 'lease_lost' } };
const use = (claim: string, token: number, from: number, until: number): Entry => ({
  ...{ kind: 'use', claim, token, from, until },
});
const broke = (token: number, from: number, until: number | null): Entry => ({
  ...{ kind: 'break', token, from, until },
});
const roll = (id: number, token: number, claim: string, from: number, to: number | null): Roll => ({
  ...{ id, fencing_token: token, claim_id: claim },
  started_at: new Date(from).toISOString(),
  ended_at: to === null ? null : new Date(to).toISOString(),
});

/** Two holders one after the other, the second out of the queue, each with a roll. */
const good = (): History => ({
  events: log(granted('a', 1), queued('b', 1), released('a', 1), granted('b', 2), released('b', 2)),
  entries: [
    ...call(['claim', 'a', 0, 2], held(1)),
    use('a', 1, 2, 50),
    ...call(['claim', 'b', 3, 4], waits),
    ...call(['claim', 'b', 5, 12], held(2)),
    { kind: 'stop', token: 1, at: 9 },
    ...call(['release', 'a', 9, 11], done(false), 1),
    use('b', 2, 12, 60),
    ...call(['renew', 'b', 13, 14], { status: 200, body: { state: 'held' } }, 2),
    { kind: 'stop', token: 2, at: 20 },
    ...call(['release', 'b', 20, 22], null, 2),
    ...call(['release', 'b', 23, 24], done(true), 2),
  ],
  rolls: [roll(1, 1, 'a', 3, 8), roll(2, 2, 'b', 13, 19)],
});

/** The first holder is broken while it lives, and goes on until its next renewal. */
const broken = (): History => ({
  events: log(
    granted('a', 1),
    queued('b', 1),
    { kind: 'broken', claim_id: 'a', fencing_token: 1 },
    granted('b', 2),
    released('b', 2),
  ),
  entries: [
    ...call(['claim', 'a', 0, 2], held(1)),
    use('a', 1, 2, 50),
    ...call(['claim', 'b', 3, 4], waits),
    ...call(['claim', 'b', 5, 12], held(2)),
    broke(1, 8, 10),
    use('b', 2, 12, 60),
    use('a', 1, 13, 50),
    ...call(['renew', 'a', 15, 17], lost, 1),
    { kind: 'stop', token: 1, at: 17 },
    { kind: 'stop', token: 2, at: 20 },
    ...call(['release', 'b', 20, 22], done(false), 2),
  ],
  rolls: [roll(1, 1, 'a', 3, 12), roll(2, 2, 'b', 13, 19)],
});

it('accepts a good history', () => {
  expect(checkHistory(good())).toEqual([]);
});

it('accepts a broken holder that has not heard of it yet', () => {
  expect(checkHistory(broken())).toEqual([]);
});

it('accepts a broken holder that hears of its grant only after the break', () => {
  const history = broken();
  history.entries.splice(0, 3, ...call(['claim', 'a', 0, 13], held(1)));
  expect(checkHistory(history)).toEqual([]);
});

it('accepts a break that took effect without an answer', () => {
  const history = broken();
  spliceBreak(history, broke(1, 8, null), ...call(['renew', 'a', 9, 11], held(1), 1));
  expect(checkHistory(history)).toEqual([]);
});

it('accepts a claim that arrives after its sender has left', () => {
  const history = good();
  push(history, { kind: 'left', claim_id: 'c' });
  history.entries.push(
    ...call(['release', 'c', 25, 26], { status: 200, body: { state: 'left', already: false } }),
    ...call(['claim', 'c', 27, 28], { status: 410, body: { error: 'claim_over', state: 'left' } }),
  );
  expect(checkHistory(history)).toEqual([]);
});

const bad: [what: string, says: RegExp, spoil: (history: History) => void][] = [
  ['two holders', /while a holds/, (h) => h.events.splice(2, 1) && renumber(h)],
  ['usable leases that overlap', /exclusion/, (h) => h.entries.push(use('b', 2, 8, 60))],
  [
    'a lease used past the next grant',
    /exclusion/,
    (h) => (h.entries = h.entries.filter((entry) => entry.kind !== 'stop')),
  ],
  [
    'an old lease used after a newer one',
    /used after it was given up/,
    (h) => h.entries.push(use('c', 1, 70, 71)),
  ],
  [
    'an old lease that begins after a newer one',
    /^exclusion: 2 was usable 68\.0 ms before 1 was not$/,
    (h) => {
      h.entries[2] = use('a', 1, 70, 80);
      h.entries = h.entries.filter((entry) => entry.kind !== 'stop');
    },
  ],
  [
    'a token twice in the log',
    /token 1 after 1/,
    (h) => Object.assign(h.events[3] ?? {}, { fencing_token: 1 }),
  ],
  ['a token that sinks', /token 0 after 1/, (h) => Object.assign(h.events[3] ?? {}, { fencing_token: 0 })],
  ['a gap in the log', /is number 2/, (h) => Object.assign(h.events[1] ?? {}, { seq: 9 })],
  ['a claim that comes back', /after its end \(released\)/, (h) => push(h, granted('a', 3))],
  ['a grant out of turn', /overtakes place 1/, (h) => (h.events = log(...turned))],
  ['a lock left free', /not handed over|somebody waits/, (h) => h.events.splice(3, 2)],
  ['a wait that ends twice', /after its end/, (h) => push(h, { kind: 'left', claim_id: 'b' })],
  ['the end of a hold that was none', /does not hold/, (h) => push(h, released('z', 9))],
  ['an unknown transition', /is no transition/, (h) => push(h, { kind: 'paused', claim_id: 'q' })],
  [
    'a superseded holder',
    /was granted/,
    (h) => (h.events = log(granted('a', 1), { kind: 'superseded', claim_id: 'a' })),
  ],
  [
    'a grant while frozen',
    /while frozen/,
    (h) => (h.events = log({ kind: 'frozen', claim_id: '' }, granted('a', 1))),
  ],
  ['one token for two claims', /went to/, (h) => h.entries.push(...call(['claim', 'c', 30, 31], held(2)))],
  [
    'two tokens for one claim',
    /got 2 and 3/,
    (h) => h.entries.push(...call(['claim', 'b', 15, 16], held(3))),
  ],
  [
    'a grant that the log does not know',
    /does not know/,
    (h) => h.entries.push(...call(['claim', 'c', 30, 31], held(7))),
  ],
  [
    'a grant after its release',
    /true only until/,
    (h) => h.entries.push(...call(['claim', 'a', 12, 13], held(1))),
  ],
  [
    'a grant seen before the release',
    /true only until/,
    (h) => h.entries.push(...call(['claim', 'b', 7, 8], held(2))),
  ],
  ['a stale wait', /true only until/, (h) => h.entries.push(...call(['claim', 'b', 15, 16], waits))],
  [
    'a renewal of a lost lease',
    /true only until/,
    (h) => h.entries.push(...call(['renew', 'a', 15, 16], held(1), 1)),
  ],
  [
    'a renewal with a foreign token',
    /the log says 2/,
    (h) => h.entries.push(...call(['renew', 'b', 15, 16], held(2), 1)),
  ],
  [
    'a live lease called lost',
    /true only until/,
    (h) => h.entries.push(...call(['renew', 'b', 15, 16], lost, 2)),
  ],
  [
    'two calls that both released',
    /2 calls were told/,
    (h) => h.entries.push(...call(['release', 'a', 9, 12], done(false), 1)),
  ],
  [
    'a release that nobody sent',
    /nobody asked/,
    (h) => (h.entries = h.entries.filter((e) => e.kind !== 'call' || e.op !== 'release')),
  ],
  ['a claim that nobody made', /nobody asked/, (h) => push(h, granted('ghost', 3))],
  ['who came later served first', /arrival|overtakes/, (h) => late(h)],
  [
    'a higher token before a lower one',
    /although 2 was known/,
    (h) => h.entries.push(...call(['claim', 'd', 40, 41], held(1))),
  ],
  ['rolls that overlap', /began before/, (h) => (h.rolls = [roll(1, 1, 'a', 3, 8), roll(2, 2, 'b', 7, 19)])],
  [
    'a roll that never ended',
    /began before/,
    (h) => (h.rolls = [roll(1, 1, 'a', 3, null), roll(2, 2, 'b', 13, 19)]),
  ],
  ['a roll under an older token', /under 1 after 2/, (h) => h.rolls.push(roll(3, 1, 'a', 30, 31))],
  ['a roll under a token of nobody', /not that of its claim/, (h) => h.rolls.push(roll(3, 9, 'b', 30, 31))],
];

const badlyBroken: typeof bad = [
  [
    'an overlap after an end that was no break',
    /^exclusion: 2 was usable 5\.0 ms before 1 was not$/,
    (h) => Object.assign(h.events[2] ?? {}, { kind: 'lost' }),
  ],
  [
    'an overlap after a break that nobody asked for',
    /^exclusion: 2 was usable 5\.0 ms before 1 was not$/,
    (h) => spliceBreak(h),
  ],
  [
    'an overlap after the break of another',
    /^exclusion: 2 was usable 5\.0 ms before 1 was not$/,
    (h) => spliceBreak(h, broke(2, 8, 10)),
  ],
  [
    'an overlap that began before the break was sent',
    /^exclusion: 2 was usable 1\.0 ms before 1 was not$/,
    (h) => spliceBreak(h, broke(1, 13, 14)),
  ],
  [
    'a third lease that overlaps the second',
    /^exclusion: 3 was usable 2\.0 ms before 2 was not$/,
    (h) => {
      push(h, granted('c', 3));
      h.entries.push(...call(['claim', 'c', 17, 21], held(3)), use('c', 3, 18, 70));
    },
  ],
  [
    'a broken holder that goes on when it has heard of it',
    /^exclusion: 1 was used after it was given up$/,
    (h) => h.entries.push(use('a', 1, 19, 50)),
  ],
  [
    'a renewal after the break was answered',
    /^break: renew of 1 was answered as held after it$/,
    (h) => h.entries.push(...call(['renew', 'a', 11, 12], held(1), 1)),
  ],
  [
    'a lease that outlives its break',
    /^break: 1 was usable for a whole lease after it$/,
    (h) => h.entries.push(use('a', 1, 14, 11 + TTL_MS * 0.9)),
  ],
  [
    'rolls that overlap in spite of the break',
    /^roll 2 began before roll 1 was over$/,
    (h) => (h.rolls = [roll(1, 1, 'a', 3, 14), roll(2, 2, 'b', 13, 19)]),
  ],
];

/** Puts others in place of the calls that broke the hold. */
function spliceBreak(history: History, ...instead: Entry[]): void {
  history.entries = [...history.entries.filter(({ kind }) => kind !== 'break'), ...instead];
}

const turned = [granted('a', 1), queued('b', 1), queued('c', 2), released('a', 1), granted('c', 2)];

function push(history: History, draft: Draft): void {
  history.events.push({ seq: history.events.length + 1, at: '', ...draft });
}

function renumber(history: History): void {
  history.events = log(...(history.events as Draft[]));
}

/** `c` was made when `b` had been told to wait, and is in the log before it. */
function late(history: History): void {
  history.events = log(granted('a', 1), queued('c', 1), queued('b', 2));
  history.entries = [
    ...call(['claim', 'a', 0, 2], held(1)),
    ...call(['claim', 'b', 3, 4], waits),
    ...call(['claim', 'c', 5, 6], waits),
  ];
  history.rolls = [];
}

describe('rejects', () => {
  it.each(bad)('%s', (_what, says, spoil) => {
    const history = good();
    spoil(history);
    expect(checkHistory(history).join('\n')).toMatch(says);
  });

  it.each(badlyBroken)('%s', (_what, says, spoil) => {
    const history = broken();
    spoil(history);
    expect(checkHistory(history).join('\n')).toMatch(says);
  });
});
