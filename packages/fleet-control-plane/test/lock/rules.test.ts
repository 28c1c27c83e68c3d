import { describe, expect, it } from 'vitest';
import {
  type Claim,
  CONFIRM_WITHIN_SECONDS,
  effectiveTtl,
  type Mark,
  nextToken,
  restoredToken,
} from '../../src/lock/rules/claim.js';
import { judgeArrival, nextInLine } from '../../src/lock/rules/draft.js';
import { claim as drafted } from '../support/drafts.js';

const claim = (
  name: string,
  place: number,
  order?: [string, number],
  state: 'queued' | 'held' = 'queued',
): Claim =>
  drafted(name, {
    state,
    place,
    orderKey: order?.[0] ?? null,
    orderNumber: order?.[1] ?? null,
    confirmed: true,
  });
const mark = (key: string, number: number): Mark => ({ key, number, holder: { name: `roll ${number}` } });

describe('who may enter the queue', () => {
  const main5 = claim('main5', 3, ['main', 5]);
  const other = claim('other', 1);
  const hotfix = claim('hotfix', 2, ['hotfix', 9]);
  const queue = [other, hotfix, main5];
  type Row = [
    what: string,
    order: [string, number] | null,
    held: Claim | null,
    waiting: Claim[],
    marks: Mark[],
    expected: string,
  ];
  const rows: Row[] = [
    ['no order, empty queue', null, null, [], [], 'enter at the end'],
    ['no order supersedes nobody', null, null, queue, [], 'enter at the end'],
    ['higher number takes the place of the lower', ['main', 6], null, queue, [], 'enter at 3, ends main5'],
    ['equal number is the same run again', ['main', 5], null, queue, [], 'enter at the end'],
    ['lower number than a waiter', ['main', 4], null, queue, [], 'outdated by 5 queued'],
    ['another key is not touched', ['dev', 1], null, queue, [], 'enter at the end'],
    [
      'lower number than the holder',
      ['main', 4],
      claim('h', 0, ['main', 5], 'held'),
      [],
      [],
      'outdated by 5 held',
    ],
    [
      'higher number than the holder waits behind it',
      ['main', 6],
      claim('h', 0, ['main', 5], 'held'),
      [],
      [],
      'enter at the end',
    ],
    [
      'equal number to the holder',
      ['main', 5],
      claim('h', 0, ['main', 5], 'held'),
      [],
      [],
      'enter at the end',
    ],
    ['lower number than one that rolled', ['main', 4], null, [], [mark('main', 5)], 'outdated by 5 rolled'],
    ['equal number to one that rolled', ['main', 5], null, [], [mark('main', 5)], 'enter at the end'],
    ['a roll of another key', ['main', 4], null, [], [mark('dev', 5)], 'enter at the end'],
    ['number 0 is a number', ['main', 0], null, [claim('w', 1, ['main', 1])], [], 'outdated by 1 queued'],
    ['1 supersedes 0', ['main', 1], null, [claim('w', 7, ['main', 0])], [], 'enter at 7, ends w'],
    [
      'the newest of several is named',
      ['main', 1],
      claim('h', 0, ['main', 2], 'held'),
      [claim('w', 1, ['main', 3])],
      [mark('main', 4)],
      'outdated by 4 rolled',
    ],
    [
      'the earliest of several places is inherited',
      ['main', 9],
      null,
      [claim('b', 8, ['main', 3]), claim('a', 4, ['main', 3])],
      [],
      'enter at 4, ends b a',
    ],
  ];
  it.each(rows)('%s', (_what, order, held, waiting, marks, expected) => {
    const verdict = judgeArrival(order && { key: order[0], number: order[1] }, held, waiting, marks);
    const said =
      verdict.kind === 'outdated'
        ? `outdated by ${verdict.by.number} ${verdict.by.state}`
        : `enter at ${verdict.inherits ?? 'the end'}${verdict.supersedes.length > 0 ? `, ends ${verdict.supersedes.map((c) => c.claimId).join(' ')}` : ''}`;
    expect(said).toBe(expected);
  });
});

describe('who is next', () => {
  const a = claim('a', 5, ['main', 3]);
  const b = claim('b', 9);
  const c = claim('c', 2, ['dev', 1]);
  type Row = [what: string, waiting: Claim[], marks: Mark[], grant: string | null, outdated: string[]];
  const rows: Row[] = [
    ['nobody waits', [], [], null, []],
    ['the lowest place, whatever the order of the list', [b, a, c], [], 'c', []],
    ['one that a roll has outdated is passed over', [a, b], [mark('main', 4)], 'b', ['a']],
    ['equal to the roll is not outdated', [a, b], [mark('main', 3)], 'a', []],
    ['all outdated', [a, c], [mark('main', 4), mark('dev', 2)], null, ['c', 'a']],
  ];
  it.each(rows)('%s', (_what, waiting, marks, grant, outdated) => {
    const next = nextInLine(waiting, marks);
    expect([next.grant?.claimId ?? null, next.outdated.map(({ claim: each }) => each.claimId)]).toEqual([
      grant,
      outdated,
    ]);
  });
});

describe('fencing tokens', () => {
  it.each([
    ['first of timeline 1', 0, 1, 2 ** 40 + 1],
    ['next of the same timeline', 2 ** 40 + 1, 1, 2 ** 40 + 2],
    ['first after a failover, above all that the lost server can have granted', 2 ** 40 + 7, 2, 2 ** 41 + 1],
    [
      'a database moved to a server with a lower timeline goes on growing',
      3 * 2 ** 40 + 5,
      1,
      3 * 2 ** 40 + 6,
    ],
    ['timelines beyond the range still grow', 2 ** 53 - 100, 9000, 2 ** 53 - 99],
  ])('%s', (_what, last, timeline, expected) => {
    expect(nextToken(last, timeline)).toBe(expected);
    expect(Number.isSafeInteger(nextToken(last, timeline))).toBe(true);
  });
});

it('lets an unconfirmed grant live for a shorter time only', () => {
  expect(effectiveTtl({ ttlSeconds: 30, confirmed: true })).toBe(30);
  expect(effectiveTtl({ ttlSeconds: 30, confirmed: false })).toBe(CONFIRM_WITHIN_SECONDS);
  expect(effectiveTtl({ ttlSeconds: 5, confirmed: false })).toBe(5);
});

it.each([
  ['of a group that was never granted', 0, 1],
  ['from before the first grant of its timeline', 2 ** 40 + 9, 2],
  ['of a group with grants', 2 ** 40 + 9, 1],
])('a restored backup %s grants nothing that was granted after it', (_what, last, timeline) => {
  let lost = last;
  for (let grants = 0; grants < 1000; grants += 1) lost = nextToken(lost, timeline);
  expect(nextToken(restoredToken(last, timeline), timeline)).toBeGreaterThan(lost);
});
