import { describe, expect, it } from 'vitest';
import { parseOptions } from '../src/options.js';
import { decide } from '../src/script.js';

describe('a seed', () => {
  it('decides the same every time, and another seed something else', () => {
    expect(decide(7)).toEqual(decide(7));
    expect(decide(7)).not.toEqual(decide(8));
  });

  it('brings every kind of command, blow and injury within a few hundred', () => {
    const scripts = Array.from({ length: 300 }, (_, seed) => decide(seed));
    const commands = scripts.flatMap(({ actors }) => actors.flat());
    const kinds = (list: string[]) => [...new Set(list)].sort();
    expect(kinds(commands.map(({ task }) => task.kind))).toEqual(
      ['break', 'freeze', 'lock-run', 'plan', 'redeploy', 'rollback', 'unfreeze', 'verify'].sort(),
    );
    expect(kinds(commands.flatMap(({ blow }) => (blow ? [blow.kind] : [])))).toEqual([
      'int',
      'kill',
      'stop',
      'term',
    ]);
    expect(kinds(scripts.flatMap(({ injuries }) => injuries.map(({ kind }) => kind)))).toHaveLength(6);
    for (const { fleet, actors } of scripts) {
      expect(fleet.length).toBeGreaterThanOrEqual(3);
      expect(fleet.length).toBeLessThanOrEqual(12);
      expect(actors.length).toBeGreaterThanOrEqual(2);
      expect(actors.length).toBeLessThanOrEqual(4);
    }
  });
});

describe('options', () => {
  it('a seed alone is one round; seconds bound any number of them', () => {
    expect(parseOptions(['--seed', '5'])).toMatchObject({ seed: 5, rounds: 1 });
    expect(parseOptions(['--seed', '5', '--seconds', '9'])).toMatchObject({ seconds: 9, rounds: Infinity });
    expect(parseOptions([])).toMatchObject({ seconds: 60, sabotage: null });
  });

  it.each([
    ['--seed', '-1'],
    ['--rounds', '0'],
    ['--sabotage', 'none'],
    ['--sabotage', 'toString'],
    ['--unknown'],
  ])('refuses %s %s', (...args) => {
    expect(() => parseOptions(args)).toThrow(/--|Unknown/);
  });
});
