import { DatabaseError } from 'pg';
import { busy, Problem } from '../problem.js';

/** Disk full, at the database or here. */
const FULL = new Set(['53100', 'ENOSPC', 'EDQUOT']);
/** SQLSTATEs that say "too busy now": lock_timeout, statement_timeout, deadlock, serialization, too many connections. */
const BUSY = new Set(['55P03', '57014', '40P01', '40001', '53300']);
/** Class 08 = connection, 57P = shutting down or starting, 25006 = a standby, 25P03/25P04 = idle or long transaction. */
const GONE = /^(?:08|57P|25006|25P0[34])/;
/** Class 53 = out of memory or of another of its resources. */
const EXHAUSTED = /^53/;
const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
]);
const DRIVER =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Cannot use a pool after|Query read timeout)/;

/** The 503 that a database error means to a client, or undefined when the error is a defect of ours. */
export function databaseProblem(error: unknown): Problem | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (error instanceof DatabaseError && BUSY.has(code)) {
    return busy();
  }
  if (FULL.has(code)) {
    return unable(
      'database_full',
      'The disk of the database is full; nothing was changed.',
      'Free space on it, then send the same request again.',
    );
  }
  if (EXHAUSTED.test(code)) {
    return unable(
      'database_exhausted',
      'The database is out of memory or of another resource; nothing was changed.',
      'Look at its log, give it more, then send the same request again.',
    );
  }
  if (NETWORK.has(code) || GONE.test(code) || DRIVER.test(error.message)) {
    return unable(
      'database_unavailable',
      'The control plane cannot reach its database at the moment.',
      'Send the same request again; every call is safe to repeat.',
    );
  }
  return undefined;
}

const unable = (code: string, detail: string, next: string) =>
  new Problem(503, code, detail, next, { retryAfterSeconds: 1 });
