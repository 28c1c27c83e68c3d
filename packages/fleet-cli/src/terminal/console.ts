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
  /** Makes room for what is written, where something is drawn below it. */
  #makeRoom: ((write: () => void) => void) | null = null;

  constructor(options: { color: boolean }) {
    this.#colour = options.color;
  }

  /** Writes one line. */
  line(stream: Stream, text: string, tone: Tone = 'plain'): void {
    // Where no terminal is, lines stay whole, for whatever reads them.
    const { columns } = process[stream];
    const lines = text.split('\n').map((one) => wrapped(one.replace(CONTROL, ' '), columns));
    this.#write(stream, this.styled(stream, lines.join('\n'), tone));
  }

  /** A text as it may be written, in the colour of its tone where that is welcome. */
  styled(stream: Stream, text: string, tone: Tone): string {
    // Whatever was not made harmless before: no text writes to a terminal by itself, only what stands here does.
    const safe = text.replace(CONTROL, ' ');
    const style = this.#wantsColour(stream) ? STYLES[tone] : null;
    return style ? styleText(style, safe, { validateStream: false }) : safe;
  }

  /** Lets `makeRoom` call what writes, from here on; null: nothing is drawn any more. */
  above(makeRoom: ((write: () => void) => void) | null): void {
    this.#makeRoom = makeRoom;
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
    const write = () => void process[stream].write(`${text}\n`);
    if (this.#makeRoom && process[stream].isTTY) this.#makeRoom(write);
    else write();
  }

  #wantsColour(stream: Stream): boolean {
    const { FORCE_COLOR, NO_COLOR, TERM } = process.env;
    if (!this.#colour) return false;
    if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
    return !NO_COLOR && TERM !== 'dumb' && process[stream].isTTY === true;
  }
}
