/** A document whose rows are handed on as they come, against JSON.parse. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonRows } from '../../src/text/json-rows.js';

function read(parts: string[], maxRest = 1_000_000) {
  const rows: unknown[] = [];
  const reader = new JsonRows('results', maxRest, (row) => rows.push(row));
  for (const part of parts) reader.push(part);
  return { rest: reader.end(), rows };
}

/** A text in pieces. */
const cut = (text: string, places: number[]) => {
  const at = [0, ...places.map((place) => place % (text.length + 1)), text.length].sort((a, b) => a - b);
  return at.slice(1).map((end, index) => text.slice(at[index], end));
};

test('any document, cut anywhere, has the rows and the rest that JSON.parse finds', () => {
  const document = fc.record({
    before: fc.jsonValue(),
    results: fc.array(fc.dictionary(fc.string(), fc.jsonValue())),
    'res"ults': fc.jsonValue(),
    after: fc.record({ results: fc.array(fc.dictionary(fc.string(), fc.jsonValue())) }),
  });
  fc.assert(
    fc.property(
      document,
      fc.array(fc.nat(10_000)),
      fc.constantFrom(undefined, 2),
      (value, places, indent) => {
        const { results, ...rest } = JSON.parse(JSON.stringify(value));
        expect(read(cut(JSON.stringify(value, null, indent), places))).toEqual({ rest, rows: results });
      },
    ),
  );
});

test.each([
  ['', undefined],
  ['{"results": [', undefined],
  ['{"results": [{"a": 1}', undefined],
  ['{"results": [{"a": }]}', undefined],
  ['{"results": [{"a": 1}]} {', undefined],
  ['{"results": [{"a": 1}, 0]}', undefined],
  ['{"results": [{"a": 1}, null]}', undefined],
  ['{"results": [{"a": 1}], "results": []}', undefined],
  ['{"results": [{"a": 1}], "results": [{"b": 1}]}', undefined],
  ['[{"results": [{"a": 1}]}]', [{ results: [{ a: 1 }] }]],
  ['<html>', undefined],
  ['{"results": null, "ok": true}', { results: null, ok: true }],
  ['{"ok": true}', { ok: true }],
  ['{"results": []}', {}],
])('%s: %j', (text, rest) => {
  expect(read([text]).rest).toEqual(rest);
});

test.each([
  ['a row', `{"results": [{"a": "${'x'.repeat(200)}`],
  ['what stands before the rows', `{"a": "${'x'.repeat(200)}`],
])('%s without end is not kept', (_name, text) => {
  expect(() => read([text], 100)).toThrow(RangeError);
});
