import type { Bounds, ProcessBound } from './world.js';

const MAIN = 0;
const OTHER = 1;

const run = (claim: number, key: number, number: number): ProcessBound => ({ claim, key, number });
const plain = { rolls: 1, freeze: false, restart: false, failovers: 0, restores: 0 };

/** Worlds to search, by name. */
export const BOUNDS = {
  /** Two runs of one branch and one of another. */
  branches: {
    ...plain,
    processes: [run(0, MAIN, 1), run(1, MAIN, 2), run(2, OTHER, 1)],
    freeze: true,
  },
  /** Two copies of one job, and a newer run; several rolls in one hold; control planes that restart. */
  copies: {
    ...plain,
    processes: [run(0, MAIN, 1), run(0, MAIN, 1), run(1, MAIN, 2)],
    rolls: 2,
    restart: true,
  },
  /** A run repeated under its own number, which a newer run then supersedes twice. */
  repeats: {
    ...plain,
    processes: [run(0, -1, 0), run(1, MAIN, 1), run(2, OTHER, 1), run(3, MAIN, 1), run(4, MAIN, 2)],
    rolls: 0,
  },
  /** A standby that may lack any number of the last commits is promoted. */
  failover: {
    ...plain,
    processes: [run(0, MAIN, 1), run(1, MAIN, 2)],
    freeze: true,
    restart: true,
    failovers: 1,
  },
  /** A backup is restored, from any moment before. */
  restore: {
    ...plain,
    processes: [run(0, MAIN, 1), run(1, MAIN, 2)],
    freeze: true,
    restart: true,
    restores: 1,
  },
  /** Everything at once but a backup, which may be of any moment: for a run by hand. */
  everything: {
    ...plain,
    processes: [run(0, MAIN, 1), run(1, MAIN, 2), run(2, OTHER, 1)],
    freeze: true,
    restart: true,
    failovers: 1,
  },
  /** As many who want the lock as can be searched, for a run by hand. */
  crowd: {
    ...plain,
    processes: [run(0, MAIN, 1), run(1, MAIN, 2), run(2, OTHER, 1), run(3, MAIN, 3)],
    freeze: true,
    restart: true,
  },
} as const satisfies Record<string, Bounds>;

/**
 * Reads a world from words like `main/1,main/2,=,-`: key and number of an order, `=` for another process with the
 * claim id of the one before, `-` for a claim without an order.
 */
export function parseProcesses(words: string): ProcessBound[] {
  const keys: string[] = [];
  const processes: ProcessBound[] = [];
  let claims = 0;
  for (const word of words.split(',')) {
    const last = processes.at(-1);
    const order = /^([a-z]+)\/(\d+)$/.exec(word);
    if (word === '=' && last) processes.push(last);
    else if (word === '-') processes.push(run(claims++, -1, 0));
    else if (order) {
      const [, key = '', number] = order;
      if (!keys.includes(key)) keys.push(key);
      processes.push(run(claims++, keys.indexOf(key), Number(number)));
    } else throw new Error(`"${word}" is none of key/number, "-" and "="`);
  }
  return processes;
}
