/** How faults name the files of a package and the tests that see them; the first of `caughtBy` is the fastest. */
const placesOf = (packageName, ending) => ({
  at: (file) => `${packageName}/src/${file}${ending}`,
  seen: (...files) => files.map((file) => `${packageName}/test/${file}.test.ts`),
});

export const core = placesOf('fleet-core', '.ts');
export const controlPlane = placesOf('fleet-control-plane', '');

/** A fault of core. `from` occurs exactly once in `file`. */
export const fault = (name, file, from, to, why, ...tests) => ({
  name,
  file: core.at(file),
  from,
  to,
  why,
  caughtBy: core.seen(...tests),
});
