/** Lines at the foot of a terminal that are drawn anew; whatever else is written goes above them. */
import { createLogUpdate } from 'log-update';
import type { Stream, Terminal } from '../console.js';
import { wrapped } from '../wrap.js';
import type { Line } from './frame.js';

export class Block {
  readonly #terminal: Terminal;
  readonly #stream: Stream;
  readonly #draw: ReturnType<typeof createLogUpdate>;
  #text = '';
  #height = 0;

  constructor(terminal: Terminal, stream: Stream) {
    this.#terminal = terminal;
    this.#stream = stream;
    this.#draw = createLogUpdate(process[stream]);
    terminal.above((write) => {
      this.#draw.clear();
      write();
      this.#draw(this.#text);
    });
  }

  /** The lines must fit the terminal. */
  draw(lines: readonly Line[]): void {
    // A terminal that stands still takes nothing: what is new then comes with a later frame.
    if (process[this.#stream].writableLength > 0) return;
    // A frame of another height leaves lines of the one before it, where both end alike.
    if (lines.length !== this.#height) this.#draw.clear();
    this.#height = lines.length;
    this.#text = lines.map(({ text, tone }) => this.#terminal.styled(this.#stream, text, tone)).join('\n');
    this.#draw(this.#text);
  }

  /** Draws lines of any length, broken between words; what does not fit below is left out. */
  show(lines: readonly Line[]): void {
    const { columns = 80, rows = 24 } = process[this.#stream];
    const broken = lines.flatMap(({ text, tone }) =>
      wrapped(text, columns)
        .split('\n')
        .map((part) => ({ text: part, tone })),
    );
    this.draw(broken.slice(0, Math.max(1, rows - 1)));
  }

  /** The last frame stays where it is, or goes. */
  end(manner: 'stays' | 'goes'): void {
    this.#terminal.above(null);
    if (manner === 'goes') this.#draw.clear();
    this.#draw.done();
  }
}
