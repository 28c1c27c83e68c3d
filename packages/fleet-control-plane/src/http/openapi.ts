import { problemSchema } from '@tenant-fleet/fleet-core/contract';
import { z } from 'zod';

const WORDS: Record<number, string> = {
  400: 'malformed request',
  401: 'missing or wrong bearer token',
  404: 'unknown group, or no such call here',
  409: 'the state forbids it',
  410: 'the claim has ended',
  412: 'the fence is stale',
  422: 'repeated with another body',
  428: 'the fence is missing',
  429: 'the queue is full',
  503: 'the database is busy or away; repeat after Retry-After seconds',
};

const problem = problemSchema.extend({ type: z.string(), title: z.string(), status: z.number().int() });

/** Documents the refusals of a call. */
export function problems(...codes: number[]) {
  return Object.fromEntries(
    codes.map((code) => [
      code,
      {
        description: WORDS[code] ?? 'refused',
        content: { 'application/problem+json': { schema: problem } },
      },
    ]),
  );
}
