/**
 * What the promise stands on, part by part: the files that faults go into, the tests that have to see them, and the score
 * that a part may not fall below; 0 where none has been measured yet.
 */
const core = (name, floor, mutate, tests) => ({ name, floor, folder: 'packages/fleet-core', mutate, tests });

export const PARTS = [
  core(
    'verdict',
    98,
    ['src/report/verdict.ts', 'src/report/ending.ts', 'src/report/rolled.ts'],
    ['test/report/verdict.test.ts'],
  ),
  core('ledger', 97, ['src/verify/ledger.ts'], ['test/verify/ledger.test.ts']),
  core(
    'plan',
    93,
    ['src/plan/decide.ts', 'src/plan/history.ts', 'src/plan/plan.ts', 'src/plan/scope.ts'],
    ['test/plan'],
  ),
  core(
    'retry',
    97,
    ['src/clients/control-plane/retry.ts', 'src/io/retry-after.ts'],
    ['test/clients/control-plane', 'test/io/retry-after.test.ts'],
  ),
  core(
    'lease',
    91,
    ['src/lock/lease.ts', 'src/lock/lock.ts', 'src/lock/draining.ts'],
    ['test/lock', 'test/rollout/record.test.ts', 'test/rollout/taken-over.test.ts'],
  ),
  core(
    'redaction',
    97,
    ['src/text/sanitize.ts', 'src/text/cut.ts'],
    ['test/text/sanitize.test.ts', 'test/text/cut.test.ts', 'test/properties/redact.test.ts'],
  ),
  core(
    'secrets',
    93,
    [
      'src/config/trust.ts',
      'src/config/trigger.ts',
      'src/config/hide.ts',
      'src/config/secrets.ts',
      'src/io/address.ts',
    ],
    [
      'test/config/{trust,secrets,load,resolve,in-force,config}.test.ts',
      'test/io/address.test.ts',
      'test/properties/parsers.test.ts',
      'test/run/untrusted.test.ts',
      'test/lock/inspect.test.ts',
    ],
  ),
  {
    name: 'secret rules',
    floor: 85,
    folder: 'packages/fleet-lint',
    mutate: ['src/rules/secrets.ts', 'src/rules/masking.ts'],
    tests: ['test/secrets.test.ts', 'test/failures.test.ts'],
  },
];
