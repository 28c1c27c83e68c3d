/**
 * The early end of one exchange. Many thousand questions hang on the one signal of a run, and a listener of its own for
 * each would cost more than all else here: the listeners of a signal are a list whose removed members still point at
 * the later ones, so that the collector takes every exchange for alive until it looks at the whole heap.
 */
export class End {
  #reason: unknown;
  #listener: ((reason: unknown) => void) | undefined;
  /** Its place among those that hang on its signal. */
  place = 0;

  /** Undefined while it has not come. */
  get reason(): unknown {
    return this.#reason;
  }

  /** Ends the exchange; only the first reason counts. */
  come(reason: unknown): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason ?? new Error('ended');
    this.#listener?.(this.#reason);
  }

  /** Told when it comes, at once where it has; the last listener alone. */
  onCome(listener: (reason: unknown) => void): void {
    this.#listener = listener;
    if (this.#reason !== undefined) listener(this.#reason);
  }
}

/** Ends that come with a signal, under one listener of it. */
export class Ends {
  readonly #of = new WeakMap<AbortSignal, End[]>();

  /** @returns Lets go of the signal. */
  follow(signal: AbortSignal, end: End): () => void {
    if (signal.aborted) end.come(signal.reason);
    const open = this.#openOf(signal);
    end.place = open.push(end) - 1;
    return () => {
      const last = open.pop();
      if (!last || last === end) return;
      open[end.place] = last;
      last.place = end.place;
    };
  }

  #openOf(signal: AbortSignal): End[] {
    const known = this.#of.get(signal);
    if (known) return known;
    const open: End[] = [];
    this.#of.set(signal, open);
    signal.addEventListener('abort', () => {
      for (const end of [...open]) end.come(signal.reason);
    });
    return open;
  }
}
