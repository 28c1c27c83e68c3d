import { describe, expect, it } from 'vitest';
import { BOUNDS } from '../../model/bounds.js';
import { broken } from '../../model/breaks.js';
import { COVERED, MUTANTS, meaningOf, nameOf, WITHOUT } from '../../model/mutants.js';
import { Comparison } from '../../model/real.js';
import { search } from '../../model/search.js';

const TIMEOUT_MS = 60_000;

describe('the lock protocol', () => {
  it.each(['branches', 'copies', 'failover', 'restore'] as const)(
    'holds every invariant in every state of the world "%s", and the server does as the model does',
    (name) => {
      const bounds = BOUNDS[name];
      const comparison = new Comparison(bounds);
      const result = search({ bounds, visit: comparison.visit });
      expect(comparison.difference).toBeNull();
      expect(result).toMatchObject({ violation: null, complete: true });
      expect(result.states).toBeGreaterThan(5000);
      expect(comparison.size).toBeGreaterThan(5000);
    },
    TIMEOUT_MS,
  );
});

describe('the comparison with the server', () => {
  it.each(['noFence', 'noDraining', 'newestFirst', 'supersedeByArrival', 'releaseForgets'] as const)(
    'notices a model with the broken rule %s',
    (name) => {
      const bounds = BOUNDS.branches;
      const comparison = new Comparison(bounds);
      const { visit } = comparison;
      search({ bounds, broken: broken(name), watch: [], limits: { states: 5000 }, visit });
      expect(comparison.difference).not.toBeNull();
    },
    TIMEOUT_MS,
  );
});

describe('a broken rule is noticed', () => {
  it.each(MUTANTS.map((mutant) => [nameOf(mutant), meaningOf(mutant), mutant] as const))(
    '%s: %s',
    (_name, _meaning, { breaks, bounds, caughtBy }) => {
      const result = search({ bounds: BOUNDS[bounds], broken: broken(...breaks), watch: [caughtBy] });
      expect(result.violation).toMatchObject({ invariant: caughtBy });
    },
    TIMEOUT_MS,
  );
});

describe('what the proof rests on is needed', () => {
  it.each(WITHOUT.map((mutant) => [nameOf(mutant), mutant.caughtBy, mutant] as const))(
    'without %s invariant %s fails',
    (_name, _invariant, { breaks, bounds, caughtBy }) => {
      const result = search({ bounds: BOUNDS[bounds], broken: broken(...breaks), watch: [caughtBy] });
      expect(result.violation).toMatchObject({ invariant: caughtBy });
    },
    TIMEOUT_MS,
  );
});

describe('a second line of defence', () => {
  it.each(COVERED.map((mutant) => [nameOf(mutant), mutant] as const))(
    '%s: another rule covers it',
    (_name, { breaks, bounds }) => {
      const result = search({ bounds: BOUNDS[bounds], broken: broken(...breaks) });
      expect(result).toMatchObject({ violation: null, complete: true });
    },
    TIMEOUT_MS,
  );
});
