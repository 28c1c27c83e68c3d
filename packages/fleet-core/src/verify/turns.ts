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

/**
 * Asks every item at once, and again after as many milliseconds as its answer says, until that says null.
 *
 * @param io.signal Ends it; it rejects with the signal's reason.
 * @param concurrency Questions at the same moment that are younger than a second, at least 1.
 * @param ask Rejects only where all must end. Nothing goes on in the background once this has returned or thrown.
 */
export function askInTurns<T>(
  io: { clock: Clock; signal: AbortSignal },
  items: readonly T[],
  concurrency: number,
  ask: (item: T) => Promise<number | null>,
): Promise<void> {
  const { clock, signal } = io;
  const now = clock.monotonic();
  let places = 0;
  const queue = new TinyQueue<Turn<T>>(
    items.map((item) => ({ item, due: now, place: places++ })),
    (one, other) => one.due - other.due || one.place - other.place,
  );
  let young = 0;
  let all = 0;
  let failure: { reason: unknown } | null = null;
  let cancelTimer = () => {};

  return new Promise((resolve, reject) => {
    const fail = (reason: unknown) => {
      failure ??= { reason };
      pump();
    };
    const stop = () => fail(signal.reason);
    const most = Math.max(concurrency, Math.min(concurrency * OLD_PER_YOUNG, MOST_UNDER_WAY));
    const isFull = () => young >= concurrency || all >= most;

    const pump = () => {
      cancelTimer();
      const time = clock.monotonic();
      while (!failure && !isFull() && (queue.peek()?.due ?? Infinity) <= time) start(queue.pop() as Turn<T>);
      const next = queue.peek();
      if (!all && (failure || !next)) {
        signal.removeEventListener('abort', stop);
        if (failure) reject(failure.reason);
        else resolve();
      } else if (!failure && next && !isFull()) {
        cancelTimer = clock.timer(Math.max(1, next.due - time), pump);
      }
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
        .then(
          (wait) => {
            // A fraction of a millisecond that is left over would move no clock.
            if (wait !== null)
              queue.push({ item, due: clock.monotonic() + Math.max(1, wait), place: places++ });
          },
          (reason) => {
            failure ??= { reason };
          },
        )
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
