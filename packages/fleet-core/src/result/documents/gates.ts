/** How the gates alone ended: the document of `fleet gates`. */
import * as z from 'zod';

export const gatesSchema = z.object({
  schema: z.literal('fleet-gates/1'),
  outcome: z.enum(['passed', 'refused', 'held', 'superseded', 'interrupted']),
  reason: z.string(),
  environment: z.string().nullable(),
  target_tag: z.string().nullable(),
  expected_sha: z.string().nullable(),
  started_at: z.string().describe('ISO 8601'),
  finished_at: z.string().describe('ISO 8601'),
  gates: z
    .array(z.object({ gate: z.string(), passed: z.boolean(), detail: z.string() }))
    .describe('in the order in which they were asked; those behind one that stops are not asked'),
  warnings: z.array(z.string()),
  next: z.array(z.string()).describe('what to do next, for people'),
  exit_code: z
    .number()
    .int()
    .describe('0 where every gate is passed, 4 where one is not; 130, 143, 129 where a signal ended it'),
});
export type GatesResult = z.infer<typeof gatesSchema>;
