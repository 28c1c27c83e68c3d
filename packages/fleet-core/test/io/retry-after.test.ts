import { expect, test } from 'vitest';
import { retryAfterMs } from '../../src/io/retry-after.js';

test.each([
  [undefined, 5_000],
  ['', 5_000],
  ['0', 1_000],
  ['1', 1_000],
  ['2', 2_000],
  [' 7 ', 7_000],
  ['60', 60_000],
  ['61', 60_000],
  ['999999', 60_000],
  ['1000000', 5_000],
  ['-1', 5_000],
  ['1.5', 5_000],
  ['5x', 5_000],
  ['x5', 5_000],
  ['Wed, 21 Oct 2026 07:28:00 GMT', 5_000],
])('%j is %d ms', (header, ms) => {
  expect(retryAfterMs(header, 5_000)).toBe(ms);
});

test('at most what the caller takes', () => {
  expect(retryAfterMs('120', 2_000, 30_000)).toBe(30_000);
});
