import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** Aborts when the client hangs up before it was answered, or when the server stops. */
    over: AbortSignal;
  }
}

/** Makes an abort cheap: without a reason, each would take a stack trace. */
const OVER = new Error('The request is over.');

/** Gives each request its signal. One listener serves all: a signal with thousands of them takes long to remove one. */
export function signalRequests(app: FastifyInstance, stopping: AbortSignal): void {
  const open = new Set<AbortController>();
  stopping.addEventListener(
    'abort',
    () => {
      for (const request of open) request.abort(OVER);
    },
    { once: true },
  );
  app.decorateRequest('over');
  app.addHook('onRequest', async (request, reply) => {
    const controller = new AbortController();
    request.over = controller.signal;
    if (stopping.aborted) controller.abort(OVER);
    open.add(controller);
    reply.raw.once('close', () => {
      open.delete(controller);
      controller.abort(OVER);
    });
  });
}
