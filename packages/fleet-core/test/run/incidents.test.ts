/** docs/incidents.md may only claim a test that there is. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** Looked for where tests are, since whole packages with what they install are slow to walk. */
function testFiles(): string[] {
  const folders = ['packages', 'tools'].flatMap((top) =>
    readdirSync(`${root}${top}`).flatMap((name) => [`${top}/${name}/test`, `${top}/${name}/act`]),
  );
  return folders
    .filter((folder) => existsSync(root + folder))
    .flatMap((folder) =>
      readdirSync(root + folder, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
    )
    .filter((name) => name.endsWith('.test.ts'));
}

/** Numbers at the head of test titles and of table rows: `'35, 37: ...'`. */
function numberedTests(): Set<number> {
  const found = new Set<number>();
  for (const name of testFiles()) {
    const source = readFileSync(`${root}${name}`, 'utf8');
    for (const [, numbers] of source.matchAll(/['"`]((?:\d{1,3}, )*\d{1,3}): /g)) {
      for (const number of (numbers as string).split(', ')) found.add(Number(number));
    }
  }
  return found;
}

const rows = readFileSync(`${root}docs/incidents.md`, 'utf8')
  .split('\n')
  .filter((line) => /^\| \d/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, row = '', , , proof = '']) => ({ row, proof }));

test('every row that claims a test has one that carries its number', () => {
  const tests = numberedTests();
  const missing: string[] = [];
  for (const { row, proof } of rows) {
    const named = /^test(?:: (\d+))?$/.exec(proof);
    if (!named) {
      expect(proof, `row ${row}`).toMatch(/^(?:not ours|open: .+|not ours: .+)$/);
      continue;
    }
    const wanted = named[1] ? [named[1]] : row.split(', ');
    for (const number of wanted) if (!tests.has(Number(number))) missing.push(number);
  }
  expect(missing).toEqual([]);
});

test('every class of failure from 1 to 141 has its row', () => {
  const numbers = rows.flatMap(({ row }) =>
    row.split(', ').flatMap((part) => {
      const [from = 0, to = from] = part.split(' to ').map(Number);
      return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    }),
  );
  expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: 141 }, (_, index) => index + 1));
});
