import * as z from 'zod';
import { slugSchema, targetTagSchema } from './words.js';

export const redeployRequestSchema = z.strictObject({
  target_tag: targetTagSchema,
  confirm: z.literal(true),
  dry_run: z.boolean().optional(),
  canary_slug: slugSchema.optional(),
  soak_seconds: z.number().int().min(0).optional(),
  batch_size: z.number().int().min(1).optional(),
  only_slugs: z.array(slugSchema).min(1).optional(),
  max_stragglers: z.number().int().min(0).optional(),
});
export type RedeployRequest = z.infer<typeof redeployRequestSchema>;

/** `null` and an absent field mean the same everywhere but in `verified_on_target`, where `null` is "no". */
export const redeployRowSchema = z.looseObject({
  slug: z.string().nullish(),
  phase: z.string().nullish(),
  ssm_status: z.string().nullish(),
  ssm_exit_code: z.number().nullish(),
  healthz_ok: z.boolean().nullish(),
  verified_on_target: z.boolean().nullish(),
  running_image: z.string().nullish(),
  error: z.string().nullish(),
});
export type RedeployRow = z.infer<typeof redeployRowSchema>;

export const redeployAnswerSchema = z.looseObject({
  ok: z.boolean(),
  error: z.string().nullish(),
  results: z
    .array(redeployRowSchema)
    .nullish()
    .transform((rows) => rows ?? []),
});
export type RedeployAnswer = z.infer<typeof redeployAnswerSchema>;

/** Idempotency keys of roll requests whose end their sender does not know. */
export const settleRollsSchema = z.object({ keys: z.array(z.string().min(1).max(200)).min(1).max(1000) });

/** `given_up`: it had not arrived, and starts no roll any more, however late it comes. */
export const settledRollsSchema = z.looseObject({
  rolls: z.array(z.looseObject({ key: z.string(), state: z.enum(['given_up', 'open', 'ended']) })),
});
export type SettledRoll = z.infer<typeof settledRollsSchema>['rolls'][number];
