/** What is read of an answer. */
import { StringDecoder } from 'node:string_decoder';
import type { Outgoing } from './exchange.js';
import { HttpFailure } from './failure.js';

/** What is kept of a body that is handed on as it comes. */
const BEGINNING_BYTES = 64 * 1024;

/** Chunks of a body up to a limit. */
export class Body {
  readonly #chunks: Buffer[] = [];
  #size = 0;

  readonly #decoder = new StringDecoder('utf8');

  constructor(private readonly options: Pick<Outgoing, 'maxBytes' | 'receive'>) {}

  /** @throws HttpFailure `too_large` past the limit. */
  push(chunk: Buffer): void {
    const { maxBytes, receive } = this.options;
    if (!receive || this.#size < BEGINNING_BYTES) this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size > maxBytes) throw new HttpFailure('too_large', `answer is larger than ${maxBytes} bytes`);
    receive?.(this.#decoder.write(chunk));
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}
