import type { FastifyReply } from 'fastify';

/** Aborts when the client hangs up before it was answered, or when `stopping` aborts. */
export function until(reply: FastifyReply, stopping: AbortSignal): AbortSignal {
  const gone = new AbortController();
  const abort = () => gone.abort();
  stopping.addEventListener('abort', abort, { once: true });
  if (stopping.aborted) abort();
  reply.raw.once('close', () => {
    stopping.removeEventListener('abort', abort);
    abort();
  });
  return gone.signal;
}
