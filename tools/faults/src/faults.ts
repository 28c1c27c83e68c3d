/** Seeded chaos: rounds of commands and faults, each judged by the records of the database and the tenants. */
import { account } from './account.js';
import { type History, isRollout, resultOf, type Violation } from './history.js';
import { HELP, type Options, parseOptions } from './options.js';
import { judge } from './oracle/oracle.js';
import { play } from './round.js';
import { falsified, SABOTAGES } from './sabotage.js';
import { decide } from './script.js';
import { Server } from './server.js';

const say = (line: string) => process.stdout.write(`${line}\n`);

class Tally {
  readonly #counts = new Map<string, number>();

  add(kind: string, by = 1): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + by);
  }

  get sum(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  toString(): string {
    const sorted = [...this.#counts].sort(([a], [b]) => a.localeCompare(b));
    return sorted.map(([kind, count]) => `${kind} ${count}`).join(', ') || 'none';
  }
}

interface Totals {
  rounds: number;
  rolls: number;
  outcomes: Tally;
  faults: Tally;
  violations: Violation[];
  /** Sabotages that the oracle was shown, and those that it did not see. */
  shown: Set<string>;
  unseen: string[];
}

async function main(args: string[]): Promise<number> {
  let options: Options | 'help';
  try {
    options = parseOptions(args);
  } catch (error) {
    process.stderr.write(`error: ${(error as Error).message}\nnext: pnpm test:faults --help\n`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const totals: Totals = {
    rounds: 0,
    rolls: 0,
    outcomes: new Tally(),
    faults: new Tally(),
    violations: [],
    shown: new Set(),
    unseen: [],
  };
  const { seed, rounds, seconds, jobs } = options;
  const end = Date.now() + seconds * 1000;
  let next = 0;
  const work = async () => {
    const server = await Server.start();
    try {
      while (next < rounds && Date.now() < end) await playRound(seed + next++, server, options, totals);
    } finally {
      await server.close();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, rounds) }, work));
  return summary(totals);
}

async function playRound(seed: number, server: Server, options: Options, totals: Totals): Promise<void> {
  const started = Date.now();
  const faults = new Tally();
  const hit = (kind: string) => {
    faults.add(kind);
    totals.faults.add(kind);
  };
  const sabotage = options.sabotage === null ? null : (SABOTAGES[options.sabotage] ?? null);
  const played = await play(decide(seed), server, hit, sabotage).catch((error: Error) => error);
  totals.rounds++;
  if (played instanceof Error) {
    totals.violations.push({ rule: 'round', what: played.message });
    say(`seed ${seed}: VIOLATION the round could not be played: ${played.message}`);
    return;
  }
  const history = (sabotage && falsified(sabotage, played)) ?? played;
  const violations = judge(history);
  const outcomes = new Tally();
  for (const run of history.runs.filter(isRollout)) outcomes.add(resultOf(run)?.outcome ?? 'killed');
  for (const run of history.runs.filter(isRollout)) totals.outcomes.add(resultOf(run)?.outcome ?? 'killed');
  totals.rolls += history.rolls.length;
  totals.violations.push(...violations);
  const took = ((Date.now() - started) / 1000).toFixed(1);
  const { fleet } = history.script;
  say(
    `seed ${seed}: ${fleet.length} tenants, ${history.runs.length} commands, ${history.rolls.length} rolls (${outcomes}), ${faults.sum} faults, ${violations.length ? `${violations.length} VIOLATIONS` : 'good'}, ${took} s`,
  );
  if (violations.length) complain(seed, history, violations, options);
  else if (options.verbose) for (const line of account(history)) say(`  ${line}`);
  if (!violations.length) tryEyes(history, totals);
}

/** Shows the oracle falsified copies of a good round: it must see what is wrong with each. */
function tryEyes(history: History, totals: Totals): void {
  for (const [name, sabotage] of Object.entries(SABOTAGES)) {
    const untrue = falsified(sabotage, history);
    if (!untrue) continue;
    totals.shown.add(name);
    if (!judge(untrue).some(({ rule }) => rule === sabotage.rule))
      totals.unseen.push(`${name} (seed ${history.script.seed})`);
  }
}

function complain(seed: number, history: History, violations: Violation[], { sabotage }: Options): void {
  for (const { rule, what } of violations) say(`  VIOLATION ${rule}: ${what}`);
  for (const line of account(history)) say(`    ${line}`);
  say(`  again: pnpm test:faults --seed ${seed}${sabotage === null ? '' : ` --sabotage ${sabotage}`}`);
}

function summary({ rounds, rolls, outcomes, faults, violations, shown, unseen }: Totals): number {
  say(`rounds: ${rounds}; rollouts: ${outcomes.sum} (${outcomes}); rolls: ${rolls}`);
  say(`faults: ${faults.sum} (${faults})`);
  say(
    `the oracle was shown ${shown.size} kinds of falsified records; unseen: ${unseen.join(', ') || 'none'}`,
  );
  say(`violations: ${violations.length}`);
  // Where nothing could be falsified nothing was judged either.
  const blind = unseen.length > 0 || (violations.length === 0 && shown.size === 0);
  return violations.length || blind ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
