/** Asks many, each again and again, with one timer for all of them. */
import TinyQueue from 'tinyqueue';
import type { Clock } from '../io/clock.js';

/** An answer that takes longer than this makes room for the next question: those who never answer starve nobody. */
const PATIENCE_MS = 1_000;
/** Questions that may be under way in all, as a multiple of those that are young. */
const OLD_PER_YOUNG = 16;
/**
 * More would only slow each other down where it is this machine that is slow: all grow old then, make room for more, and
 * end at their time limit.
 */
const MOST_UNDER_WAY = 400;

interface Turn<T> {
  item: T;
  /** Monotonic milliseconds. */
  due: number;
  /** Keeps the order of those that are due at the same moment. */
  place: number;
}

/** Who is asked next. */
class Line<T> {
  readonly due = this.#inOrder();
  /** Due as well, and not to be handed over again. */
  readonly #own = this.#inOrder();
  readonly #later = this.#inOrder();
  #places = 0;

  constructor(
    items: readonly T[],
    private readonly clock: Clock,
  ) {
    const now = clock.monotonic();
    for (const item of items) this.due.push({ item, due: now, place: this.#places++ });
  }

  #inOrder(): TinyQueue<Turn<T>> {
    return new TinyQueue<Turn<T>>([], (one, other) => one.due - other.due || one.place - other.place);
  }

  get isDue(): boolean {
    return this.due.length + this.#own.length > 0;
  }

  /** Takes in who has become due. @returns Milliseconds until the next one does; null: nobody will. */
  ripen(): number | null {
    const now = this.clock.monotonic();
    for (let next = this.#later.peek(); next; next = this.#later.peek()) {
      if (next.due > now) return next.due - now;
      this.due.push(this.#later.pop() as Turn<T>);
    }
    return null;
  }

  /** One that is due; somebody must be. */
  next(): Turn<T> {
    return (this.#own.pop() ?? this.due.pop()) as Turn<T>;
  }

  /** Some that are due, to be handed over. */
  take(most: number): Turn<T>[] {
    return Array.from({ length: Math.min(most, this.due.length) }, () => this.due.pop() as Turn<T>);
  }

  /** What became of those that were handed over. */
  back(turns: Turn<T>[], waits: (number | null | undefined)[]): void {
    for (const [index, turn] of turns.entries()) {
      const wait = waits[index];
      if (wait === undefined) this.#own.push(turn);
      else this.again(turn.item, wait);
    }
  }

  /** @param wait Milliseconds; null: never again. */
  again(item: T, wait: number | null): void {
    // A fraction of a millisecond that is left over would move no clock.
    if (wait !== null)
      this.#later.push({
        item,
        due: this.clock.monotonic() + Math.max(1, wait),
        place: this.#places++,
      });
  }
}

/** How many that are due at the same moment are asked by somebody else. */
export interface Elsewhere<T> {
  /** Fewer than this are asked here, at least 1. */
  least: number;
  /** So many are handed over together, at least `least`. */
  most: number;
  /** Such parts that are out at the same moment. */
  parts: number;
  /**
   * Asks each once. Rejects only where all must end.
   *
   * @returns For each what `ask` would, and undefined for whom there is no answer: it is asked here then.
   */
  ask(items: T[]): Promise<(number | null | undefined)[]>;
}

/**
 * Asks every item at once, and again after as many milliseconds as its answer says, until that says null.
 *
 * @param io.signal Ends it; it rejects with the signal's reason.
 * @param concurrency Questions at the same moment that are younger than a second, at least 1.
 * @param ask Rejects only where all must end. Nothing goes on in the background once this has returned or thrown.
 * @param elsewhere Who takes what piles up. Default: nobody.
 */
export function askInTurns<T>(
  io: { clock: Clock; signal: AbortSignal },
  items: readonly T[],
  concurrency: number,
  ask: (item: T) => Promise<number | null>,
  elsewhere?: Elsewhere<T>,
): Promise<void> {
  const { clock, signal } = io;
  const line = new Line(items, clock);
  let young = 0;
  let all = 0;
  let out = 0;
  let failure: { reason: unknown } | null = null;
  let cancelTimer = () => {};

  return new Promise((resolve, reject) => {
    const giveUp = (reason: unknown) => {
      failure ??= { reason };
    };
    const stop = () => {
      giveUp(signal.reason);
      pump();
    };
    const most = Math.max(concurrency, Math.min(concurrency * OLD_PER_YOUNG, MOST_UNDER_WAY));
    const isFull = () => young >= concurrency || all >= most;

    const pump = () => {
      cancelTimer();
      const nextIn = line.ripen();
      while (!failure && elsewhere && line.due.length >= elsewhere.least && out < elsewhere.parts)
        handOver(elsewhere);
      while (!failure && !isFull() && line.isDue) start(line.next());
      if (!all && !out && (failure || (nextIn === null && !line.isDue))) {
        signal.removeEventListener('abort', stop);
        if (failure) reject(failure.reason);
        else resolve();
      } else if (!failure && nextIn !== null) {
        cancelTimer = clock.timer(Math.max(1, nextIn), pump);
      }
    };

    const handOver = ({ most, ask }: Elsewhere<T>) => {
      out++;
      const turns = line.take(most);
      ask(turns.map(({ item }) => item))
        .then((waits) => line.back(turns, waits), giveUp)
        .then(() => {
          out--;
          pump();
        });
    };

    const start = ({ item }: Turn<T>) => {
      young++;
      all++;
      let isYoung = true;
      const age = () => {
        if (isYoung) young--;
        isYoung = false;
      };
      const cancelAge = clock.timer(PATIENCE_MS, () => {
        age();
        pump();
      });
      ask(item)
        .then((wait) => line.again(item, wait), giveUp)
        .then(() => {
          cancelAge();
          age();
          all--;
          pump();
        });
    };

    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    else pump();
  });
}
