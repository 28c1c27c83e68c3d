import fc from 'fast-check';

/** Cases of each property: few beside the other tests, many in `pnpm test:long`. */
const { FLEET_TEST_PROPERTY_RUNS: many, FLEET_TEST_SEED } = process.env;
const numRuns = Number(many ?? 100);
/** The few are the same each time, the many are new ones; FLEET_TEST_SEED repeats a run. */
export const seed = FLEET_TEST_SEED ? Number(FLEET_TEST_SEED) : many ? undefined : 1;

/** Holds for all cases, those that failed once first. A failure is shown at its smallest, with its seed. */
export function always<Case>(
  cases: fc.Arbitrary<Case>,
  check: (one: Case) => void | Promise<void>,
  failedOnce: Case[] = [],
): Promise<void> {
  const property = fc.asyncProperty(cases, async (one) => check(one));
  const examples = failedOnce.map((one): [Case] => [one]);
  return fc.assert(property, { numRuns: numRuns + examples.length, seed, examples });
}

/** Any text, and text made of the pieces that a parser looks for. */
export const textOf = (...pieces: string[]): fc.Arbitrary<string> =>
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((all) => all.join('')),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
    {
      weight: 2,
      arbitrary: fc
        .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 3 })), { maxLength: 8 })
        .map((all) => all.join('')),
    },
  );
