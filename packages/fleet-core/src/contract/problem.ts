import * as z from 'zod';
import { drainingSchema, frozenSchema, supersederSchema } from './claim.js';

/** Every refusal: `error` is the stable code, `detail` and `next` are for people (RFC 9457 with a code). */
export const problemSchema = z.looseObject({
  error: z.string(),
  status: z.number().int().optional(),
  title: z.string().optional(),
  detail: z.string().optional(),
  next: z.string().optional(),
  reason: z.string().optional(),
  state: z.string().optional(),
  by: supersederSchema.nullish(),
  /** The roll that still runs, with `draining`. */
  roll: z.looseObject({ fencing_token: z.number().nullish() }).nullish(),
  /** The rolls that still run, with `draining`. */
  draining: drainingSchema.nullish(),
  /** The freeze that stands, with `already_frozen`. */
  frozen: frozenSchema.nullish(),
  /** A name that is known, with `unknown_group`. */
  nearest: z.string().nullish(),
});
export type Problem = z.infer<typeof problemSchema>;
