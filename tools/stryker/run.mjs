/**
 * Mutation testing by StrykerJS: changes the code in every way that it knows, one change at a time, and counts those
 * that no test sees.
 *
 *   node tools/stryker/run.mjs [--concurrency N] [--mutate FILE[:LINES],...] [PART...]
 *
 * Prints each change that no test saw, and of each part the score: of the changes that compile, the share that tests
 * saw. `--mutate` takes these files of the one part that is named, `src/a.ts:10-20` for lines. Ends with 1 where a part
 * is below its floor. Works on a copy; the report of each part is tools/stryker/reports/PART.html.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { PARTS } from './parts.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values, positionals: named } = parseArgs({
  options: { concurrency: { type: 'string', default: '2' }, mutate: { type: 'string' } },
  allowPositionals: true,
});
const unknown = named.find((name) => !PARTS.some((part) => part.name === name));
if (unknown) throw new Error(`no part is called ${unknown}: ${PARTS.map(({ name }) => name).join(', ')}`);
if (values.mutate && named.length !== 1) throw new Error('--mutate goes with the name of one part');

const SEEN = ['Killed', 'Timeout'];
const UNSEEN = ['Survived', 'NoCoverage'];

/** @returns each change and what became of it. */
async function mutantsOf({ name, folder, mutate, tests }) {
  process.chdir(join(here, '../..', folder));
  const include = tests.map((path) => (path.endsWith('.ts') ? path : `${path}/**/!(*.long).test.ts`));
  process.env.STRYKER_TESTS = JSON.stringify(include);
  // A property is asked again for each change.
  process.env.FLEET_TEST_PROPERTY_RUNS ??= '50';
  return new Stryker({
    mutate: values.mutate?.split(',') ?? mutate,
    plugins: [fileURLToPath(import.meta.resolve('@stryker-mutator/vitest-runner'))],
    testRunner: 'vitest',
    vitest: { related: false, configFile: join(here, 'vitest.config.mjs') },
    coverageAnalysis: 'perTest',
    concurrency: Number(values.concurrency),
    ignorePatterns: ['dist', 'api'],
    timeoutMS: 10_000,
    reporters: ['html'],
    htmlReporter: { fileName: join(here, 'reports', `${name.replace(' ', '-')}.html`) },
    logLevel: 'warn',
    cleanTempDir: 'always',
    allowConsoleColors: false,
  }).runMutationTest();
}

const within = ({ start, end }) => `${start.line}:${start.column}-${end.line}:${end.column}`;

let low = 0;
const total = { seen: 0, all: 0 };
for (const part of PARTS.filter(({ name }) => !named.length || named.includes(name))) {
  const mutants = await mutantsOf(part);
  const seen = mutants.filter(({ status }) => SEEN.includes(status)).length;
  const unseen = mutants.filter(({ status }) => UNSEEN.includes(status));
  for (const { fileName, location, mutatorName, replacement, status } of unseen) {
    const to = replacement.replaceAll(/\s+/g, ' ').slice(0, 100);
    console.log(
      `${status === 'Survived' ? 'NOT SEEN ' : 'NO TEST  '} ${fileName.split('/src/').at(-1)}:${within(location)}  ${mutatorName}: ${to}`,
    );
  }
  const all = seen + unseen.length;
  const score = all ? (100 * seen) / all : 0;
  total.seen += seen;
  total.all += all;
  if (!values.mutate && score < part.floor) low += 1;
  console.log(`${part.name.padEnd(12)}  ${score.toFixed(1)} %  (${seen} of ${all}; floor ${part.floor} %)`);
}
console.log(
  `${'all'.padEnd(12)}  ${((100 * total.seen) / total.all).toFixed(1)} %  (${total.seen} of ${total.all})`,
);
process.exitCode = low ? 1 : 0;
