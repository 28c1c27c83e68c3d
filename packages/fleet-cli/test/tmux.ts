/** A terminal of a given size, and the shell in it, for what a person sees and types. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { CLI, everyRun, TOKEN } from './cli.js';

const PATIENCE_MS = 25_000;

export class Tmux {
  readonly #folder = mkdtempSync(join(tmpdir(), 'fleet-tmux-'));

  constructor(
    readonly columns: number,
    readonly rows: number,
    env: Record<string, string> = {},
  ) {
    const found = spawnSync('tmux', ['-V']);
    if (found.error) throw new Error('tmux is not installed: run .ci/needs.sh tmux');
    const own = {
      PATH: `${process.env.PATH}`,
      LC_ALL: 'C.UTF-8',
      FLEET_CP_TOKEN: TOKEN,
      ...everyRun,
      ...env,
    };
    // The shell reads its variables from a file: tmux would bring those of this process along.
    const lines = Object.entries(own).map(([name, value]) => `export ${name}='${value}'`);
    writeFileSync(join(this.#folder, 'rc'), ['unset CI GITHUB_ACTIONS', ...lines, "PS1='$ '", ''].join('\n'));
    const size = ['-x', `${columns}`, '-y', `${rows}`];
    this.#tmux(
      '-u',
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      ...size,
      `bash --rcfile ${join(this.#folder, 'rc')}`,
    );
  }

  /** Types a `fleet` command, and what goes on behind it (` &`, ` | cat`). */
  fleet(args: string[], behind = '; echo "exit $?"'): void {
    const words = [process.execPath, CLI, ...args].map((word) => `'${word}'`);
    writeFileSync(join(this.#folder, 'go'), words.join(' '));
    this.type(`clear; bash ${join(this.#folder, 'go')}${behind}`, 'Enter');
  }

  /** @param keys As tmux names them: `s`, `C-c`, `Enter`. */
  type(...keys: string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  /** What stands on the screen, blank lines left out. */
  screen(...more: string[]): string[] {
    const text = this.#tmux('capture-pane', '-p', ...more);
    return text.split('\n').filter((line) => line.trim());
  }

  /** The cursor is to be seen. */
  get hasCursor(): boolean {
    return this.#tmux('display-message', '-p', '#{cursor_flag}').trim() === '1';
  }

  /** Looks until it fits; `seen` gets every screen on the way. */
  async until(pattern: RegExp, seen: (screen: string[]) => void = () => {}): Promise<string[]> {
    for (const end = performance.now() + PATIENCE_MS; ; await setTimeout(40)) {
      const screen = this.screen();
      seen(screen);
      if (pattern.test(screen.join('\n'))) return screen;
      if (performance.now() > end) throw new Error(`no ${pattern} on the screen:\n${screen.join('\n')}`);
    }
  }

  end(): void {
    this.#tmux('kill-server');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #tmux(...args: string[]): string {
    return spawnSync('tmux', ['-S', join(this.#folder, 'socket'), ...args], { encoding: 'utf8' }).stdout;
  }
}
