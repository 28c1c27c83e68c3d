import { parseArgs } from 'node:util';
import { SABOTAGES } from './sabotage.js';

export interface Options {
  /** Start no new round after so many seconds. */
  seconds: number;
  rounds: number;
  /** Rounds that are played at the same time, each with a PostgreSQL of its own. */
  jobs: number;
  /** The first round's seed; the rounds after it count up from it. */
  seed: number;
  sabotage: string | null;
  /** Prints the account of every round. */
  verbose: boolean;
}

export const HELP = `Runs the built command, two control planes and PostgreSQL under injected faults, and judges each round by what the
database and the tenants recorded.

Usage: pnpm test:faults [--seconds N] [--rounds N] [--seed N] [--jobs N] [--sabotage NAME] [--verbose]

  --seconds N      start no new round after N seconds (default 60)
  --rounds N       at most N rounds; with --seed and without this, one
  --seed N         seed of the first round, 0 to 2147483647; the same seed decides the same (default: random)
  --jobs N         rounds that are played at the same time (default 1)
  --sabotage NAME  break something on purpose: the run must fail. ${Object.keys(SABOTAGES).join(', ')}
  --verbose        print what happened in every round
`;

/** @throws Error with a message for people. */
export function parseOptions(args: string[]): Options | 'help' {
  const whole = { type: 'string' } as const;
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== '--'),
    options: {
      seconds: whole,
      rounds: whole,
      seed: whole,
      jobs: whole,
      sabotage: whole,
      verbose: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return 'help';
  const number = (name: 'seconds' | 'rounds' | 'seed' | 'jobs', min: number, otherwise: number) => {
    const text = values[name];
    if (text === undefined) return otherwise;
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value < 2 ** 31))
      throw new Error(`--${name} must be a whole number from ${min} to ${2 ** 31 - 1}`);
    return value;
  };
  const { sabotage = null } = values;
  if (sabotage !== null && !Object.hasOwn(SABOTAGES, sabotage))
    throw new Error(`--sabotage must be one of ${Object.keys(SABOTAGES).join(', ')}`);
  const bounded = values.seconds !== undefined;
  const rounds = number('rounds', 1, values.seed !== undefined && !bounded ? 1 : Number.POSITIVE_INFINITY);
  return {
    seconds: number(
      'seconds',
      1,
      values.rounds === undefined && values.seed === undefined ? 60 : Number.POSITIVE_INFINITY,
    ),
    rounds,
    seed: number('seed', 0, Math.floor(Math.random() * 1_000_000) * 1000),
    jobs: number('jobs', 1, 1),
    sabotage,
    verbose: values.verbose ?? false,
  };
}
