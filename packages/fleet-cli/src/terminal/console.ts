/** Where text goes: data to stdout, everything for people to stderr, colour only where it is welcome. */
import { styleText } from 'node:util';
import type { Tone } from '@tenant-fleet/fleet-core/render';

export type Stream = 'stdout' | 'stderr';
type Style = Parameters<typeof styleText>[0];

const STYLES: Record<Tone, Style | null> = {
  good: 'green',
  bad: ['red', 'bold'],
  warn: 'yellow',
  quiet: 'gray',
  plain: null,
};

export class Terminal {
  readonly #colour: boolean;

  constructor(options: { color: boolean }) {
    this.#colour = options.color;
  }

  /** Writes one line. */
  line(stream: Stream, text: string, tone: Tone = 'plain'): void {
    const style = this.#wantsColour(stream) ? STYLES[tone] : null;
    process[stream].write(`${style ? styleText(style, text, { validateStream: false }) : text}\n`);
  }

  /** `error:` says what happened, `next:` what to do about it. */
  error(message: string, next?: string): void {
    this.line('stderr', `error: ${message}`, 'bad');
    if (next) this.line('stderr', `next: ${next}`);
  }

  #wantsColour(stream: Stream): boolean {
    const { FORCE_COLOR, NO_COLOR, TERM } = process.env;
    if (!this.#colour) return false;
    if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
    return !NO_COLOR && TERM !== 'dumb' && process[stream].isTTY === true;
  }
}
