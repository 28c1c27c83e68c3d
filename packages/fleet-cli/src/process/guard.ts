/** A process of its own that ends a command where this one cannot: killed, stopped or starved past the lease. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The built program of the guard lies beside the built program of the command line. */
const PROGRAM = fileURLToPath(new URL('./guard.mjs', import.meta.url));
/** A guard that died is replaced, after a pause where it dies again and again. */
const RESTART_MS = 250;

/** What the guard must know of a lease; see `Lease` in core. */
export interface Usable {
  /** Milliseconds of use that are left without another renewal. */
  readonly usableForMs: number;
  /** Milliseconds between the end of use and the moment at which the lock may be somebody else's. */
  readonly graceMs: number;
}

export class Guard {
  #process: ChildProcess | null = null;
  #over = false;
  #group = 0;
  #told = 0;
  readonly #beat: NodeJS.Timeout;

  constructor(private readonly lease: Usable) {
    // A renewal comes at a third of the TTL, of which the grace is a tenth or less.
    this.#beat = setInterval(() => this.#tell(), Math.min(500, Math.max(50, lease.graceMs / 2)));
  }

  /** Resolves once the guard watches over the process group. @throws Error where no guard can be started. */
  async watch(group: number): Promise<void> {
    this.#group = group;
    await this.#start();
  }

  /** Everything of the group is gone. */
  end(): void {
    this.#over = true;
    clearInterval(this.#beat);
    this.#process?.kill('SIGKILL');
  }

  #start(): Promise<void> {
    const guard = spawn(process.execPath, [PROGRAM], {
      stdio: ['pipe', 'pipe', 'ignore'],
      // Nothing of this process's environment is its business, and a process's environment can be read by others.
      env: {},
      cwd: '/',
      detached: true,
    });
    this.#process = guard;
    guard.stdin.on('error', () => {});
    return new Promise((resolve, reject) => {
      guard.stdout.once('data', () => {
        resolve();
        guard.once('exit', () => setTimeout(() => this.#over || this.#start().catch(() => {}), RESTART_MS));
      });
      guard.once('error', reject);
      guard.once('exit', () => reject(new Error('the guard of the command ended before it watched')));
      this.#told = 0;
      this.#tell();
    });
  }

  /** Tells until when the lease may be used, in milliseconds of the clock that all processes of this machine share. */
  #tell(): void {
    const until = now() + this.lease.usableForMs;
    if (!this.#group || until <= this.#told + 1) return;
    this.#told = until;
    this.#process?.stdin?.write(`${this.#group} ${until} ${this.lease.graceMs}\n`);
  }
}

const now = () => Number(process.hrtime.bigint()) / 1e6;
