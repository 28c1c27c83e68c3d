import type { Clock } from '../clock.js';
import type { Database } from '../db/database.js';
import { LockService } from './api/service.js';
import { StatusService } from './api/status.js';
import { Observer } from './liveness/liveness.js';
import { Sweep } from './liveness/sweeper.js';
import { type Committed, LockStore, parseNote } from './store/store.js';
import { WakeHub } from './waiting/long-polls.js';

/** The parts of the lock, wired together. */
export interface Lock {
  service: LockService;
  status: StatusService;
  store: LockStore;
  hub: WakeHub;
  sweep: Sweep;
  /** Takes in a notification of another replica. */
  heard(payload: string): void;
  /** The database connection was lost and is back. */
  reconnected(): void;
}

export function createLock(options: {
  db: Database;
  /** For those who only look. */
  reads: Database;
  renewals: Database;
  clock: Clock;
  /** Names this process in its notifications. */
  origin: string;
  queueLimit: number;
  /** Groups that exist before their first claim. */
  named?: readonly string[];
  alongside?: () => Promise<void>;
  /** Told of every transition that this process committed. */
  onCommitted?: (what: Committed) => void;
}): Lock {
  const { db, reads, renewals, clock, origin, queueLimit, named = [], alongside, onCommitted } = options;
  const hub = new WakeHub(clock);
  const observer = new Observer();
  const store = new LockStore(db, origin, [
    (what) => observer.committed(what, clock.now()),
    (what) => hub.committed(what),
    ...(onCommitted ? [onCommitted] : []),
  ]);
  const sweep = new Sweep({ db, store, hub, observer, clock, ...(alongside && { alongside }) });
  return {
    service: new LockService({ db, renewals, store, hub, observer, clock, queueLimit }),
    status: new StatusService({ db: reads, hub, observer, clock, named: new Set(named) }),
    store,
    hub,
    sweep,
    heard(payload) {
      const note = parseNote(payload);
      // What cannot be read may concern anybody.
      if (!note) hub.wakeAll('');
      // What this process committed itself it has told its own waiters already.
      else if (note.from !== origin) hub.heard(note);
    },
    reconnected() {
      sweep.interrupt();
      hub.wakeAll('');
    },
  };
}
