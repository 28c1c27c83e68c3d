/** What the control plane says where it refuses or is unable, made safe to print. */
import { type Problem, problemSchema } from '../../contract.js';
import { redact } from '../../text/sanitize.js';

/** A code is a word for programs. Where prose stands in its place, the document is of somebody else, and kept back. */
const CODE = /^[a-z][a-z0-9_]{1,59}$/;

/** The problem document of an answer; undefined where it is none. */
export function problemOf(json: unknown): Problem | undefined {
  const parsed = problemSchema.safeParse(json);
  return parsed.success ? parsed.data : undefined;
}

/** `HTTP 503, database_unavailable: The control plane cannot reach its database`, as far as that was said. */
export function statusInWords(status: number, problem: Problem | undefined): string {
  if (!problem || !CODE.test(problem.error)) return `HTTP ${status}`;
  const detail = problem.detail && redact(problem.detail).replace(/\.$/, '');
  return `HTTP ${status}, ${problem.error}${detail ? `: ${detail}` : ''}`;
}

/** What the control plane tells people to do next. */
export const nextOf = (problem: Problem | undefined): string | undefined =>
  problem?.next && CODE.test(problem.error) ? redact(problem.next) : undefined;
