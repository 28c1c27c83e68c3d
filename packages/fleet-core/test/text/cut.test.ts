import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cut } from '../../src/text/cut.js';

const MARKS = `a${'\u0301'.repeat(500)}`;

test.each([
  ['short', 5, 'short'],
  ['abcdef', 5, 'abcde'],
  ['ab👍👍', 4, 'ab👍'],
  ['ab👍👍', 3, 'ab'],
  ['ab👍🏽c', 4, 'ab'],
  ['ab👩‍👩‍👧c', 9, 'ab'],
  ['abe\u0301c', 3, 'ab'],
  ['ab🇩🇪🇫🇷', 8, 'ab🇩🇪'],
  [MARKS, 40, ''],
  [MARKS, 64, ''],
  [MARKS, 100, MARKS.slice(0, 100)],
  [`a${'\u{1d165}'.repeat(200)}`, 100, `a${'\u{1d165}'.repeat(49)}`],
  [`${'x'.repeat(99)}e\u0301c`, 100, 'x'.repeat(99)],
  [`${'x'.repeat(99)}👍`, 100, 'x'.repeat(99)],
  ['👍', 1, ''],
  ['x'.repeat(1e6), 3, 'xxx'],
])('%#', (text, max, expected) => {
  expect(cut(text, max)).toBe(expected);
});

test('is a beginning, short enough, and well-formed where the text was', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 300 });
  fc.assert(
    fc.property(text, fc.integer({ min: 0, max: 300 }), (whole, max) => {
      const part = cut(whole, max);
      expect(whole.startsWith(part)).toBe(true);
      expect(part.length).toBeLessThanOrEqual(max);
      expect(part).not.toMatch(/[\ud800-\udbff]$/);
      expect(whole.length <= max).toBe(part.length === whole.length);
    }),
  );
});
