import fc from 'fast-check';

/** The few cases beside the other tests are the same each time, the many are new ones; FLEET_TEST_SEED repeats a run. */
const { FLEET_TEST_PROPERTY_RUNS: many, FLEET_TEST_SEED } = process.env;
if (FLEET_TEST_SEED || !many) fc.configureGlobal({ seed: Number(FLEET_TEST_SEED ?? 1) });
