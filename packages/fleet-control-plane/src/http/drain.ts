import { type Clock, sleep } from '../clock.js';
import { shuttingDown } from '../problem.js';
import type { App } from './app.js';

/** Longest wait for answers under way when the server stops, in milliseconds. */
const DRAIN_MS = 2000;

/**
 * Lets a server stop in an orderly way: new calls are told so, those under way are answered, then it closes.
 *
 * @returns closes the server.
 */
export function drainable(app: App, stopping: AbortSignal): (clock: Clock) => Promise<void> {
  let open = 0;
  const quiet = new AbortController();
  const settle = () => {
    if (stopping.aborted && open === 0) quiet.abort();
  };
  stopping.addEventListener('abort', settle, { once: true });
  app.addHook('onRequest', async (_request, reply) => {
    if (stopping.aborted) throw shuttingDown();
    open += 1;
    reply.raw.once('close', () => {
      open -= 1;
      settle();
    });
  });
  return async (clock) => {
    await sleep(clock, DRAIN_MS, quiet.signal);
    await app.close();
  };
}
