/** A run on one screen, drawn anew as it goes on; two keys. */
import type { FleetEvent } from '@tenant-fleet/fleet-core';
import { renderEvent, toneOf } from '@tenant-fleet/fleet-core/render';
import type { Terminal } from '../console.js';
import { Block } from './block.js';
import { isAscii } from './can-draw.js';
import { frameOf } from './frame.js';
import { hearKeys } from './keys.js';
import { Progress } from './progress.js';

/** Faster than this nobody reads. */
const FRAME_MS = 100;
const TICK_MS = 1_000;

export class LiveView {
  readonly #terminal: Terminal;
  readonly #stopAfterWave: AbortController | null;
  readonly #progress = new Progress();
  readonly #lines: FleetEvent[] = [];
  readonly #stopKeys: () => void;
  readonly #ticks: NodeJS.Timeout;
  #block: Block | null;
  #pending: NodeJS.Timeout | null = null;
  #showsAll = false;
  #ended = false;

  /** @param stopAfterWave Aborted where the person asks for that; null: there are no waves. */
  constructor(terminal: Terminal, stopAfterWave: AbortController | null) {
    this.#terminal = terminal;
    this.#stopAfterWave = stopAfterWave;
    this.#block = new Block(terminal, 'stderr');
    this.#stopKeys = hearKeys(
      (key) => this.#press(key),
      () => this.#suspend(),
    );
    this.#ticks = setInterval(() => this.#draw(), TICK_MS);
    process.stderr.on('resize', this.#draw);
    this.#draw();
  }

  follow(event: FleetEvent): void {
    this.#progress.follow(event);
    const tone = toneOf(event);
    const isNews = (tone === 'bad' || tone === 'warn') && event.code !== 'tenant.changed';
    if (this.#showsAll || isNews || !this.#block) this.#tell(event);
    else this.#lines.push(event);
    this.#pending ??= setTimeout(this.#draw, FRAME_MS);
  }

  /** Gives the terminal back; the last frame stays above what is written next. */
  end(): void {
    this.#ended = true;
    this.#draw();
    this.#close('stays');
  }

  #draw = () => {
    if (this.#pending) clearTimeout(this.#pending);
    this.#pending = null;
    const { columns = 80, rows = 24 } = process.stderr;
    const keys = process.stdin.isTTY && !this.#ended ? this.#keys() : [];
    const stopping = !this.#ended && (this.#stopAfterWave?.signal.aborted ?? false);
    const screen = { columns, rows, now: Date.now(), ascii: isAscii(), keys, stopping };
    this.#block?.draw(frameOf(this.#progress, screen));
  };

  #keys(): string[] {
    const all = this.#showsAll ? 'a: show less' : 'a: show all';
    return this.#stopAfterWave ? ['s: stop after this wave', all] : [all];
  }

  #press(key: string): void {
    if (key === 's') this.#stopAfterWave?.abort();
    if (key === 'a') {
      this.#showsAll = !this.#showsAll;
      for (const event of this.#lines.splice(0)) this.#tell(event);
    }
    this.#draw();
  }

  #tell(event: FleetEvent): void {
    const text = renderEvent(event);
    if (text !== null) this.#terminal.line('stderr', text, toneOf(event));
  }

  /** The shell takes the terminal; after it there are only lines, since the run may go on in the background. */
  #suspend(): void {
    this.#close('goes');
    process.kill(0, 'SIGTSTP');
  }

  #close(manner: 'stays' | 'goes'): void {
    clearInterval(this.#ticks);
    if (this.#pending) clearTimeout(this.#pending);
    process.stderr.off('resize', this.#draw);
    this.#stopKeys();
    this.#block?.end(manner);
    this.#block = null;
  }
}
