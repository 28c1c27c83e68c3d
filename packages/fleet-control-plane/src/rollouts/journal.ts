import type { Reader } from '../db/database.js';
import { appendEvents, type Turn } from './store.js';

/** Longest time between an event and its row, in milliseconds. */
const GATHER_MS = 50;
const RETRY_MS = 1000;

/** Keeps the events of one turn, in order and together, while the rollout goes on. */
export class EventJournal {
  private waiting: object[] = [];
  private writing: Promise<void> | undefined;
  private closed = false;

  constructor(
    private readonly db: Reader,
    private readonly turn: Turn,
    /** Another process has begun its turn. */
    private readonly onOver: () => void,
  ) {}

  add(event: object): void {
    if (this.closed) return;
    this.waiting.push(event);
    this.writing ??= this.write().finally(() => {
      this.writing = undefined;
    });
  }

  private async write(): Promise<void> {
    await pause(GATHER_MS);
    while (this.waiting.length && !this.closed) {
      const batch = this.waiting;
      this.waiting = [];
      try {
        if (await appendEvents(this.db, this.turn, batch)) continue;
        this.close();
        this.onOver();
      } catch {
        // The database is away: the lease will tell for how long the rollout may go on without it.
        this.waiting = [...batch, ...this.waiting];
        await pause(RETRY_MS);
      }
    }
  }

  /** Resolves when all that was added is kept. */
  async flush(): Promise<void> {
    while (this.writing) await this.writing;
  }

  close(): void {
    this.closed = true;
    this.waiting = [];
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
