/** Output that cannot be written (a full disk, a reader that left, a terminal that stands still) ends nothing. */

/** The reader left by choice (`fleet ... | head`) or with its terminal: nobody misses what it would have read. */
const READER_GONE = new Set(['EPIPE', 'EIO', 'ECONNRESET', 'ERR_STREAM_DESTROYED']);

export const isReaderGone = (error: NodeJS.ErrnoException): boolean => READER_GONE.has(`${error.code}`);

/** Lets the process outlive both of its streams. Called once, before the first output. */
export function outliveStreams(): void {
  for (const name of ['stdout', 'stderr'] as const) {
    let told = false;
    process[name].on('error', (error: NodeJS.ErrnoException) => {
      // What is for people goes nowhere else: stdout may be a document that a program reads.
      if (told || name === 'stderr' || isReaderGone(error)) return;
      told = true;
      process.stderr.write(`error: stdout cannot be written (${error.code}): some of it is missing\n`);
    });
    // A write to a terminal blocks the process: one that takes nothing (Ctrl-S, a hung ssh) would stop the renewals.
    if (process[name].isTTY) (process[name] as unknown as Blocking)._handle?.setBlocking?.(false);
  }
}

interface Blocking {
  _handle?: { setBlocking?: (blocking: boolean) => void };
}
