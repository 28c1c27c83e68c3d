/**
 * Mutation gate of the lock and of the incident rows: puts one fault at a time into a copy of the code and demands that a test sees it.
 *
 *   node tools/mutants/run.mjs [--quick] [--seconds N] [--only PATTERN] [--tests FILE,...]
 *
 * First every fault is put in once, tests or no tests: one that cannot be put in any more is stale. --quick then tries
 * those that a test without a database sees, and asks only that test; it ends after --seconds (150 by default, without
 * limit otherwise), and takes the faults in another order each time, so that none is left out for ever. --tests asks
 * these files instead. Ends with 1 when a fault was not seen or is stale. The working tree is never written to.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { client } from './client.mjs';
import { incidents } from './incidents.mjs';
import { kinds } from './kinds.mjs';
import { promise } from './promise.mjs';
import { rolls } from './rolls.mjs';
import { server } from './server.mjs';
import { serverRollouts } from './server-rollouts.mjs';
import { trust } from './trust.mjs';
import { Workspace } from './workspace.mjs';

/** Test files that start no database server. */
const LIGHT = /fleet-core|(claims|transitions|take-over|rules|observe|status|shards)\.test/;
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    only: { type: 'string', default: '' },
    tests: { type: 'string', default: '' },
  },
});
const seconds = Number(values.seconds ?? (values.quick ? 150 : Number.POSITIVE_INFINITY));
if (Number.isNaN(seconds)) throw new Error('--seconds takes a number');

const started = performance.now();
const elapsed = () => (performance.now() - started) / 1000;
const all = [
  ...rolls,
  ...server,
  ...client,
  ...trust,
  ...incidents,
  ...promise,
  ...kinds,
  ...serverRollouts,
].filter(({ name }) => new RegExp(values.only).test(name));
const workspaces = await Promise.all(
  Array.from({ length: values.quick ? Math.min(2, availableParallelism()) : 1 }, () => Workspace.make()),
);
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
])
  process.on(signal, () => {
    for (const workspace of workspaces) workspace.kill();
    process.exit(code);
  });

const testsOf = ({ caughtBy }) => {
  const tests = values.tests ? values.tests.split(',') : caughtBy;
  return values.quick ? tests.slice(0, 1) : tests;
};
const counts = { caught: 0, survived: 0, stale: 0, late: 0 };
const tell = (mutant, verdict, text, took = 0) => {
  counts[verdict] += 1;
  const word = verdict === 'caught' ? 'caught  ' : 'NOT SEEN';
  console.log(`${word} ${took.toFixed(0).padStart(3)} s  ${mutant.name.padEnd(40)}  ${text}`);
};

async function work(workspace, queue) {
  for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
    if (elapsed() > seconds) {
      counts.late += 1;
      continue;
    }
    const begun = elapsed();
    const red = await workspace.firstRed(mutant, testsOf(mutant));
    if (red === null) tell(mutant, 'survived', 'SURVIVED', elapsed() - begun);
    else if (red.broken) tell(mutant, 'survived', `BROKEN: ${red.broken}`, elapsed() - begun);
    else tell(mutant, 'caught', `${red.file}: ${red.test}`, elapsed() - begun);
  }
}

try {
  const fresh = [];
  for (const mutant of all) {
    const problem = await workspaces[0].tryOn(mutant);
    if (problem) tell(mutant, 'stale', `STALE: ${problem}`);
    else fresh.push(mutant);
  }
  const queue = values.quick ? shuffled(fresh.filter(({ caughtBy }) => LIGHT.test(caughtBy[0]))) : fresh;
  const left = fresh.length - queue.length;
  await Promise.all(workspaces.map((workspace) => work(workspace, queue)));
  console.log(
    `${all.length} faults: ${counts.caught} caught, ${counts.survived} survived, ${counts.stale} stale, ` +
      `${left} that need a database not tried, ${counts.late} not tried for lack of time; ${(elapsed() / 60).toFixed(1)} min`,
  );
} finally {
  for (const workspace of workspaces) workspace.kill();
}
process.exit(counts.survived + counts.stale > 0 ? 1 : 0);

function shuffled(list) {
  const keys = new Map(list.map((one) => [one, Math.random()]));
  return list.sort((a, b) => keys.get(a) - keys.get(b));
}
