import type { Broken } from './breaks.js';
import { checkState, checkStep, type Invariant, type Violation } from './invariants.js';
import { Log } from './log.js';
import { Packer } from './pack.js';
import { Pile, Seen } from './seen.js';
import { allSteps, type Step, take, tell } from './steps.js';
import { type Bounds, copy, firstState, isOpen, type State } from './world.js';

export interface Limits {
  states: number;
  seconds: number;
}

export interface Result {
  states: number;
  steps: number;
  depth: number;
  seconds: number;
  /** Every reachable state was visited; false where a limit or a violation ended the search. */
  complete: boolean;
  violation: (Violation & { trace: string[] }) | null;
}

export interface SearchOptions {
  bounds: Bounds;
  broken?: Broken;
  limits?: Partial<Limits>;
  /** Invariants to look at. Default: all. */
  watch?: readonly Invariant[] | undefined;
  /** Takes part in every step, after the invariants held. */
  visit?: (before: State, step: Step, after: State, log: Log) => void;
  progress?: (result: Result) => void;
}

/** Visits every reachable state, the nearest first, and stops at the first violation. */
export function search(options: SearchOptions): Result {
  return new Search(options).run();
}

class Search {
  private readonly packer: Packer;
  private readonly steps: Step[];
  private readonly seen = new Seen();
  private readonly log = new Log();
  private readonly bytes: Uint8Array;
  private readonly begun = performance.now();
  private found: Violation | null = null;
  private taken = 0;
  private depth = 0;

  constructor(private readonly options: SearchOptions) {
    const { bounds } = options;
    this.packer = new Packer(bounds);
    this.bytes = new Uint8Array(this.packer.size);
    this.steps = allSteps(bounds, firstState(bounds).db.claims.length);
  }

  run(): Result {
    const { bounds, limits, progress } = this.options;
    const most = limits?.states ?? Number.POSITIVE_INFINITY;
    const seconds = limits?.seconds ?? Number.POSITIVE_INFINITY;
    let level = new Pile(this.packer.size);
    this.packer.pack(firstState(bounds), this.bytes);
    this.seen.add(this.bytes, 0);
    level.push(this.bytes);
    let index = 0;
    while (level.length > 0) {
      const next = new Pile(this.packer.size);
      for (let at = 0; at < level.length; at++, index++) {
        const violation = this.expand(this.packer.unpack(level.at(at)), index, next);
        if (violation) return this.result(false, violation);
        if (this.seen.length > most || ((index & 1023) === 0 && this.elapsed() > seconds))
          return this.result(false, null);
      }
      this.depth++;
      level = next;
      progress?.(this.result(false, null));
    }
    return this.result(true, null);
  }

  private expand(before: State, index: number, next: Pile): Result['violation'] {
    const { bounds, broken = {}, visit } = this.options;
    const open = before.db.records.findIndex(isOpen);
    let drained = open < 0;
    let after = copy(before);
    for (const step of this.steps) {
      this.log.clear();
      if (!take(step, bounds, broken, after, this.log)) continue;
      this.taken++;
      checkStep(before, step, after, this.log, bounds, this.report);
      this.packer.pack(after, this.bytes);
      const isNew = this.seen.add(this.bytes, index);
      if (isNew) checkState(after, bounds, broken, this.report);
      if (this.found) return { ...this.found, trace: [...this.trace(index), tell(step)] };
      visit?.(before, step, after, this.log);
      if (!isOpen(after.db.records[open])) drained = true;
      if (isNew) next.push(this.bytes);
      after = copy(before);
    }
    if (!drained) this.report(12, 'nothing can end the roll that drains');
    return this.found && { ...(this.found as Violation), trace: this.trace(index) };
  }

  private readonly report = (invariant: Invariant, what: string): void => {
    const { watch } = this.options;
    if (!watch || watch.includes(invariant)) this.found ??= { invariant, what };
  };

  /** The way to a state, found again from the fingerprints of the states before it. */
  private trace(index: number): string[] {
    const { bounds, broken = {} } = this.options;
    const path: number[] = [];
    for (let at = index; at !== 0; at = this.seen.parent(at)) path.unshift(at);
    let state = firstState(bounds);
    return path.map((target) => {
      for (const step of this.steps) {
        const after = copy(state);
        this.log.clear();
        if (!take(step, bounds, broken, after, this.log)) continue;
        // It keeps the oracle's line, which is part of the state.
        checkStep(state, step, after, this.log, bounds, () => {});
        this.packer.pack(after, this.bytes);
        if (!this.seen.is(target, this.bytes)) continue;
        // Places are ranks once they are packed, so the way goes on from what the search went on from.
        state = this.packer.unpack(this.bytes);
        return tell(step);
      }
      throw new Error('a state has no way to it');
    });
  }

  private elapsed(): number {
    return (performance.now() - this.begun) / 1000;
  }

  private result(complete: boolean, violation: Result['violation']): Result {
    const { length: states } = this.seen;
    return { states, steps: this.taken, depth: this.depth, seconds: this.elapsed(), complete, violation };
  }
}
