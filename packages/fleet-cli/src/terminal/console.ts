/** Where text goes: data to stdout, everything for people to stderr, colour only where it is welcome. */
import { styleText } from 'node:util';
import type { Tone } from '@tenant-fleet/fleet-core/render';
import { wrapped } from './wrap.js';

export type Stream = 'stdout' | 'stderr';
type Style = Parameters<typeof styleText>[0];

const STYLES: Record<Tone, Style | null> = {
  good: 'green',
  bad: ['red', 'bold'],
  warn: 'yellow',
  quiet: 'gray',
  plain: null,
};

/** Control characters but for line ends and tabs. */
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** The same characters, as JSON may write them in a string. */
const escaped = (text: string): string =>
  [...text].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

export class Terminal {
  readonly #colour: boolean;

  constructor(options: { color: boolean }) {
    this.#colour = options.color;
  }

  /** Writes one line. */
  line(stream: Stream, text: string, tone: Tone = 'plain'): void {
    const style = this.#wantsColour(stream) ? STYLES[tone] : null;
    // Whatever was not made harmless before: no text writes to a terminal by itself, only what stands here does.
    const safe = text.replace(CONTROL, ' ');
    // Where no terminal is, lines stay whole, for whatever reads them.
    const { columns } = process[stream];
    const lines = safe.split('\n').map((one) => wrapped(one, columns));
    const plain = lines.join('\n');
    this.#write(stream, style ? styleText(style, plain, { validateStream: false }) : plain);
  }

  /** Whether a document was written in this process. */
  static documented = false;

  /** Writes one document: JSON that neither a terminal nor the log of a CI server takes for anything else. */
  document(value: unknown, space = 2): void {
    Terminal.documented = true;
    this.#write(
      'stdout',
      JSON.stringify(value, null, space).replace(/##(?=\[)|:(?=:)|[\u007f-\u009f\u2028\u2029]/g, escaped),
    );
  }

  /** `error:` says what happened, `next:` what to do about it. */
  error(message: string, next?: string): void {
    this.line('stderr', `error: ${message}`, 'bad');
    if (next) this.line('stderr', `next: ${next}`);
  }

  #write(stream: Stream, text: string): void {
    process[stream].write(`${text}\n`);
  }

  #wantsColour(stream: Stream): boolean {
    const { FORCE_COLOR, NO_COLOR, TERM } = process.env;
    if (!this.#colour) return false;
    if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
    return !NO_COLOR && TERM !== 'dumb' && process[stream].isTTY === true;
  }
}
