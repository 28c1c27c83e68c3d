import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadWrap, wrapped } from '../src/terminal/wrap.js';
import { atTerminal, fleet, hasPty } from './cli.js';

beforeAll(() => loadWrap([{ isTTY: true }]));

describe('a line for people', () => {
  const straggler = `  juniper: stale, still on b81d0e7, rolled in batch-3, asked 7 times`;
  it.each([60, 40, 24])('keeps its words, and goes on further in, at %i columns', (columns) => {
    const lines = wrapped(straggler, columns).split('\n');
    expect(lines.map((line) => line.trim()).join(' ')).toBe(straggler.trim());
    for (const [index, line] of lines.entries()) {
      expect(line).toMatch(index ? /^ {4}\S/ : /^ {2}\S/);
      expect(line.length).toBeLessThanOrEqual(columns);
    }
  });

  it.each([
    ['a word that is longer than the terminal', `see https://git.example.com/${'a'.repeat(60)} now`, 3],
    ['a terminal that tells no width', 'word '.repeat(40).trim(), 1, 0],
    ['a line that fits', 'DEPLOYED', 1],
    ['wide characters', '漢字 '.repeat(10).trim(), 2],
  ])('%s', (_name, text, lines, columns = 40) => {
    const shown = wrapped(text, columns);
    expect(shown.split('\n')).toHaveLength(lines);
    expect(shown.replace(/\s+/g, ' ')).toBe(text.replace(/\s+/g, ' '));
  });
});

it('a command is the same to a shell that it is pasted into', () => {
  const command = `  fleet lock unfreeze --lock-group staging --reason 'it'\\''s over  now' --only 'a*' --expected-sha ${'b'.repeat(40)}`;
  const shown = wrapped(command, 40);
  expect(shown.split('\n').length).toBeGreaterThan(2);
  const argsOf = (text: string) =>
    execFileSync('sh', ['-c', `fleet() { printf '%s\\n' "$@"; }; ${text.trim()}`], { encoding: 'utf8' });
  expect(argsOf(shown)).toBe(argsOf(command));
});

describe.skipIf(!hasPty)('a terminal', () => {
  it.each([80, 40])('of %i columns has no line that is longer; a log has them whole', async (columns) => {
    const env = { FLEET_CP_TOKEN: '' };
    const lines = (await atTerminal(columns, ['redeploy'], { env })).trimEnd().split('\n');
    const log = (await fleet(['redeploy'], { env })).stderr.trimEnd().split('\n');
    expect(log).toHaveLength(2);
    expect(lines.length).toBeGreaterThan(2);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    expect(lines.map((line) => line.trim()).join(' ')).toBe(log.join(' '));
  });
});
