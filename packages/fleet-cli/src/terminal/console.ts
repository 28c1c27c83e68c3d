/** Where text goes: data to stdout, everything for people to stderr, colour only where it is welcome. */
import { styleText } from 'node:util';
import type { Tone } from '@tenant-fleet/fleet-core/render';
import wrapAnsi from 'wrap-ansi';

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

/** Columns of the terminal, or what COLUMNS says; undefined: lines stay whole, for whatever reads them. */
function widthOf(stream: Stream): number | undefined {
  const said = Number(process.env.COLUMNS);
  return process[stream].columns || (Number.isInteger(said) && said > 0 ? said : undefined);
}

/** Words are never broken: one that is too long stands alone. */
const wrapped = (text: string, width: number): string[] =>
  Number.isFinite(width) ? wrapAnsi(text, Math.max(width, 20)).split('\n') : [text];

export class Terminal {
  readonly #colour: boolean;

  constructor(options: { color: boolean }) {
    this.#colour = options.color;
  }

  /** Writes one line. */
  line(stream: Stream, text: string, tone: Tone = 'plain'): void {
    const style = this.#wantsColour(stream) ? STYLES[tone] : null;
    // Whatever was not made harmless before: no text writes to a terminal by itself, only what stands here does.
    const plain = text.replace(CONTROL, ' ');
    this.#write(stream, style ? styleText(style, plain, { validateStream: false }) : plain);
  }

  /** Writes one line that keeps to the width of the terminal; what does not fit goes on below, further in. */
  wrapped(stream: Stream, text: string, tone: Tone = 'plain'): void {
    const [, indent = '', words = ''] = /^( *)(.*)$/s.exec(text) ?? [];
    const width = (widthOf(stream) ?? Number.POSITIVE_INFINITY) - indent.length;
    if (words.length <= width) return this.line(stream, text, tone);
    const [first = '', ...rest] = wrapped(words, width - 2);
    this.line(stream, indent + first, tone);
    for (const line of rest) this.line(stream, `${indent}  ${line}`, tone);
  }

  /** Writes a command that keeps to the width and can be pasted all the same. */
  command(stream: Stream, text: string): void {
    const [first = '', ...rest] = wrapped(
      text.trimStart(),
      (widthOf(stream) ?? Number.POSITIVE_INFINITY) - 6,
    );
    const lines = [`  ${first}`, ...rest.map((line) => `    ${line}`)];
    this.line(stream, lines.join(' \\\n'));
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
