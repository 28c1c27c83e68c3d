import type { FastifyReply } from 'fastify';

/** Makes an abort cheap: without a reason, each would take a stack trace. */
const OVER = new Error('The request is over.');

/**
 * Makes the signal of one request: it aborts when the client hangs up before it was answered, or when `stopping`
 * aborts. One listener serves all: a signal with thousands of them takes long to remove one.
 */
export function requestSignals(stopping: AbortSignal): (reply: FastifyReply) => AbortSignal {
  const open = new Set<AbortController>();
  stopping.addEventListener(
    'abort',
    () => {
      for (const request of open) request.abort(OVER);
    },
    { once: true },
  );
  return (reply) => {
    const request = new AbortController();
    if (stopping.aborted) request.abort(OVER);
    open.add(request);
    reply.raw.once('close', () => {
      open.delete(request);
      request.abort(OVER);
    });
    return request.signal;
  };
}
