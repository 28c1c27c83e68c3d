import { Draft } from '../rules/draft.js';
import { type Ask, type Knowledge, type Memory, sufficed, upToHorizon } from './memory.js';

/** A transition that may be decided on what is remembered. */
export interface Guess {
  ask: Ask;
  decide: (draft: Draft) => unknown;
}

/** Transitions that were decided one after the other on one draft, to be written as one. */
export interface Guessed {
  draft: Draft;
  knowledge: Knowledge;
  /** What each answered. Those that are missing have to be decided on what is read. */
  values: Map<Guess, unknown>;
}

/** Decides in the given order; undefined when nothing that was decided changes anything. */
export function guessAll(memory: Memory, group: string, now: number, guesses: Guess[]): Guessed | undefined {
  let willing = guesses;
  while (willing.length > 0) {
    const recalled = memory.recall(group, now);
    if (!recalled) return undefined;
    const guessed = { draft: new Draft(recalled.state), knowledge: recalled.knowledge, values: new Map() };
    const misfit = willing.find((guess) => !decides(memory, guessed, guess));
    if (!misfit) return guessed.draft.dirty ? guessed : undefined;
    // It may have left half a decision in the draft.
    willing = willing.filter((guess) => guess !== misfit);
  }
  return undefined;
}

function decides(memory: Memory, guessed: Guessed, guess: Guess): boolean {
  const { draft, values } = guessed;
  const { state } = draft;
  const known = upToHorizon({ state, knowledge: guessed.knowledge });
  state.waiting = known.state.waiting;
  guessed.knowledge = known.knowledge;
  const subject = memory.subjectOf(known, guess.ask);
  if (subject === undefined) return false;
  state.subject = subject;
  try {
    values.set(guess, guess.decide(draft));
  } catch {
    // A refusal has to be founded on what is so.
    return false;
  }
  return sufficed(state);
}
