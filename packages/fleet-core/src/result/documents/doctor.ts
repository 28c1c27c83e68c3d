/** What stands in the way of a deploy from here: the document of `fleet doctor`. */
import * as z from 'zod';

/** `skipped`: nothing is configured that needs it, or what it builds on is not there. */
const STATES = ['ok', 'warning', 'problem', 'skipped'] as const;
export type CheckState = (typeof STATES)[number];

const checkSchema = z.object({
  name: z.string().describe('what was looked at: stable, for programs'),
  state: z.enum(STATES),
  says: z.string(),
  next: z.string().nullable().describe('what mends it; null: nothing has to be done'),
});
export type DoctorCheck = z.infer<typeof checkSchema>;

export const doctorSchema = z.object({
  schema: z.literal('fleet-doctor/1'),
  at: z.string().describe('ISO 8601'),
  environment: z.string().nullable(),
  checks: z.array(checkSchema).describe('in the order in which they build on each other'),
  exit_code: z
    .union([z.literal(0), z.literal(1)])
    .describe('1 where there is a problem; warnings alone are 0'),
});
export type DoctorReport = z.infer<typeof doctorSchema>;
