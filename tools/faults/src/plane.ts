/** One control plane: a process that is killed, stopped and started again, on one port. */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Process, start, until } from './processes.js';
import type { Script } from './script.js';

const MAIN = join(
  dirname(fileURLToPath(import.meta.resolve('@tenant-fleet/fleet-control-plane'))),
  'main.js',
);

export const GROUP = 'staging';

export interface PlaneOptions {
  mark: string;
  token: string;
  databaseUrl: string;
  fleetFile: string;
}

/** The fleet as the control plane reads it. */
export function writeFleet(file: string, { fleet, images }: Script): void {
  const [first] = images;
  const described = {
    initial: { image_tag: first?.tag, git_sha: first?.sha },
    images: Object.fromEntries(images.map(({ tag, sha }) => [tag, sha])),
    tenants: fleet,
  };
  writeFileSync(file, JSON.stringify(described));
}

/** A free port below those that systems give to outgoing connections: one of these could take it during a restart. */
async function freePort(): Promise<string> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 18_000);
    const server = createServer();
    const free = await new Promise<boolean>((done) => {
      server.once('error', () => done(false));
      server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
    });
    if (free) return `${port}`;
  }
}

export class Plane {
  readonly outputs: Process['output'][] = [];
  url = '';
  /** What went wrong with it that it had no right to. */
  readonly faults: string[] = [];
  #process: Process | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(
    readonly index: number,
    private readonly options: PlaneOptions,
  ) {}

  async start(): Promise<void> {
    const port = this.url ? new URL(this.url).port : await freePort();
    const { mark, token, databaseUrl, fleetFile } = this.options;
    const args = [
      '--json',
      '--port',
      port,
      '--lock-group',
      GROUP,
      '--database-url',
      databaseUrl,
      '--fleet',
      fleetFile,
      '--parent-pid',
      `${globalThis.process.pid}`,
    ];
    const end = Date.now() + 40_000;
    for (;;) {
      const process = start(MAIN, args, mark, { FLEET_CP_TOKEN: token });
      this.#process = process;
      this.outputs.push(process.output);
      const ready = () => process.output.stdout.includes('\n');
      await until(() => ready() || process.child.exitCode !== null, 30_000);
      if (ready()) {
        this.url ||= JSON.parse(process.output.stdout.split('\n')[0] ?? '').url;
        return;
      }
      process.child.kill('SIGKILL');
      // A supervisor tries again: the database may be away.
      if (Date.now() > end)
        throw new Error(`control plane ${this.index}: ${process.output.stderr.slice(-500)}`);
      await new Promise((done) => setTimeout(done, 300));
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.child.kill(name);
  }

  /** Ends it as a crash or an operator would, and starts it again; one restart after the other. */
  restart(how: 'kill' | 'stop', downMs: number): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      await this[how]();
      await new Promise((done) => setTimeout(done, downMs));
      await this.start();
    });
    return this.#turn;
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#process?.ended;
  }

  /** Stops it in order. */
  async stop(): Promise<void> {
    const process = this.#process;
    if (!process || process.child.exitCode !== null || process.child.signalCode !== null) return;
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    const ended = await Promise.race([process.ended, new Promise((done) => setTimeout(done, 20_000, null))]);
    if (ended === null) {
      this.faults.push(`control plane ${this.index} did not stop within 20 s of a SIGTERM`);
      await this.kill();
    } else if (process.child.exitCode !== 0) {
      this.faults.push(
        `control plane ${this.index} ended with ${process.child.exitCode ?? process.child.signalCode} after a SIGTERM`,
      );
    }
  }
}
