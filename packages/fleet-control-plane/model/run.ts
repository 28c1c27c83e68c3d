/** Searches a world from the command line: `--help` says how. */
import { parseArgs } from 'node:util';
import { BOUNDS, parseProcesses } from './bounds.js';
import { type Break, broken } from './breaks.js';
import { INVARIANTS } from './invariants.js';
import { COVERED, MUTANTS, type Mutant, meaningOf, nameOf, WITHOUT } from './mutants.js';
import { type Result, search } from './search.js';
import type { Bounds } from './world.js';

const HELP = `usage: model [--world ${Object.keys(BOUNDS).join('|')}] [options]
  --processes LIST  who wants the lock, such as main/1,main/2,=,- (see parseProcesses)
  --rolls N         roll requests of each process
  --freeze, --restart, --failovers N
  --break NAME      breaks a rule; may be repeated
  --seconds N, --states N   where to stop
  --mutants         searches every mutant instead`;

const { values } = parseArgs({
  options: {
    world: { type: 'string', default: 'branches' },
    processes: { type: 'string' },
    rolls: { type: 'string' },
    freeze: { type: 'boolean' },
    restart: { type: 'boolean' },
    failovers: { type: 'string' },
    break: { type: 'string', multiple: true, default: [] },
    seconds: { type: 'string' },
    states: { type: 'string' },
    mutants: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});

function world(): Bounds {
  const named = Object.entries(BOUNDS).find(([name]) => name === values.world)?.[1];
  if (!named) throw new Error(`no world "${values.world}"; there are ${Object.keys(BOUNDS).join(', ')}`);
  return {
    ...named,
    ...(values.processes && { processes: parseProcesses(values.processes) }),
    ...(values.rolls && { rolls: Number(values.rolls) }),
    ...(values.freeze && { freeze: true }),
    ...(values.restart && { restart: true }),
    ...(values.failovers && { failovers: Number(values.failovers) }),
  };
}

const size = ({ states, steps, depth, seconds }: Result) =>
  `${states} states, ${steps} steps, depth ${depth}, ${seconds.toFixed(1)} s`;

function searchWorld(): boolean {
  const result = search({
    bounds: world(),
    broken: broken(...(values.break as Break[])),
    limits: {
      ...(values.seconds && { seconds: Number(values.seconds) }),
      ...(values.states && { states: Number(values.states) }),
    },
    progress: (so) => {
      if (so.seconds > 5) console.log(`  ${size(so)}`);
    },
  });
  const { violation, complete } = result;
  if (violation) {
    console.log(`invariant ${violation.invariant} (${INVARIANTS[violation.invariant]}): ${violation.what}`);
    for (const step of violation.trace) console.log(`  ${step}`);
  } else {
    console.log(
      complete ? 'no violation in any reachable state' : 'no violation so far; not all was visited',
    );
  }
  console.log(`${values.world}: ${size(result)}, ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`);
  return violation === null;
}

function searchMutants(): boolean {
  let caught = 0;
  const tell = (mutant: Pick<Mutant, 'breaks' | 'bounds'> & Partial<Mutant>): boolean => {
    const result = search({
      bounds: BOUNDS[mutant.bounds],
      broken: broken(...mutant.breaks),
      watch: mutant.caughtBy === undefined ? undefined : [mutant.caughtBy],
    });
    const by = result.violation ? `caught by ${result.violation.invariant}` : 'not caught';
    console.log(`${nameOf(mutant)}: ${by} (${mutant.bounds}, ${result.states} states): ${meaningOf(mutant)}`);
    return result.violation !== null;
  };
  for (const mutant of MUTANTS) if (tell(mutant)) caught++;
  console.log(`\n${caught} of ${MUTANTS.length} caught\n\nwithout what the proof rests on:`);
  for (const mutant of WITHOUT) tell(mutant);
  console.log('\ncovered by another rule:');
  for (const mutant of COVERED) tell(mutant);
  return caught === MUTANTS.length;
}

if (values.help) console.log(HELP);
else if (!(values.mutants ? searchMutants() : searchWorld())) process.exitCode = 1;
