/** What is read of an answer. */
import { HttpFailure } from './failure.js';

/** Chunks of a body up to a limit. */
export class Body {
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(private readonly maxBytes: number) {}

  /** @throws HttpFailure `too_large` past the limit. */
  push(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.maxBytes)
      throw new HttpFailure('too_large', `answer is larger than ${this.maxBytes} bytes`);
    this.#chunks.push(chunk);
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}
