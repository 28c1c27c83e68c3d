/** The answer to a redeploy call, as it comes. */
import { expect, test } from 'vitest';
import { AnswerReader, MAX_ROWS } from '../../../src/clients/control-plane/answer.js';

test('has the rows, as far as they are read, and the rest', () => {
  const reader = new AnswerReader();
  reader.push('{"ok": false, "results": [{"slug": "acme", "healthz_ok": null, "unknown": 1}');
  reader.push(', {"slug": "birch", "error": "no"}], "error": "one failed", "more": 2}');
  expect(reader.end('')).toMatchObject({
    answer: {
      ...{ ok: false, error: 'one failed', more: 2 },
      results: [
        { slug: 'acme', healthz_ok: null },
        { slug: 'birch', error: 'no' },
      ],
    },
  });
});

test.each([
  ['no rows at all', '{"ok": true}', { ok: true, results: [] }],
  ['null for rows', '{"ok": true, "results": null}', { ok: true, results: [] }],
  ['a row of another shape', '{"ok": true, "results": [{"slug": 7}]}', null],
  ['a row that is no object', '{"ok": true, "results": ["acme"]}', null],
  ['no verdict', '{"results": []}', null],
])('%s', (_name, body, answer) => {
  // A port that brings the whole body.
  expect(new AnswerReader().end(body).answer).toEqual(answer);
});

test('more rows than a fleet may have are too many, and said to be', () => {
  const reader = new AnswerReader();
  const thousand = '{},'.repeat(1_000);
  reader.push('{"ok": true, "results": [');
  for (let at = 0; at < MAX_ROWS; at += 1_000) reader.push(thousand);
  expect(() => reader.push('{}')).toThrow('more than 1,000,000 rows');
});
