import * as z from 'zod';
import { label } from './label.js';

/** A tenant's slug: one DNS label (RFC 1123). Never put a string into a URL or a log that has not passed this. */
export const slugSchema = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'not a DNS label');

/** Name of a lock group: one lock per fleet. */
export const lockGroupSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'must match ^[a-z0-9][a-z0-9._-]{0,62}$');

/** A full commit id: 40 hex digits, letter case aside. */
export const shaSchema = z
  .string()
  .regex(/^[0-9a-fA-F]{40}$/, 'must be a full 40-hex commit id')
  .transform((sha) => sha.toLowerCase());

/** A container image tag, by the grammar of the OCI distribution specification. */
export const tagSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/,
    'must be an image tag: letters, digits, "_", "." and "-", at most 128',
  );

/** What is rolled to: a tag, or a tag with the digest that it must have, `main-4f2c1a9@sha256:...`. */
export const targetTagSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(?:@sha256:[0-9a-f]{64})?$/,
    'must be an image tag: letters, digits, "_", "." and "-", at most 128; with or without "@sha256:" and 64 hex digits',
  );

/** Integers below 2^53 survive JSON in every language. */
export const fencingTokenSchema = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);

export const claimIdSchema = z.uuid();
export const sessionSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{8,128}$/, 'must be 8 to 128 letters, digits, "_" or "-"');

/** What a person needs to see of whoever holds or waits for the lock. */
export const holderSchema = z.object({
  name: label(200),
  actor: label(200).optional(),
  run_url: z
    .url({ protocol: /^https?$/ })
    .max(2000)
    .optional(),
  repository: label(200).optional(),
  branch: label(255).optional(),
  sha: label(64).optional(),
  host: label(255).optional(),
});
export type Holder = z.infer<typeof holderSchema>;

/** A holder as others see it; loose, since it comes back from a server that may know more fields. */
export const holderViewSchema = z.looseObject({
  name: z.string(),
  actor: z.string().nullish(),
  run_url: z.string().nullish(),
  repository: z.string().nullish(),
  branch: z.string().nullish(),
  sha: z.string().nullish(),
  host: z.string().nullish(),
  /** Name of the token that claimed, as the server knows it; missing for a token without a name. */
  token_name: z.string().nullish(),
});
export type HolderView = z.infer<typeof holderViewSchema>;

export const REDEPLOY_PATH = '/cp/admin/tenants/redeploy-fleet';
/** Beside {@link REDEPLOY_PATH}, with the same headers. */
export const SETTLE_ROLLS_PATH = '/cp/admin/rolls/settle';
export const LOCKS_PATH = '/cp/admin/fleet-locks';
export const FENCE_HEADER = 'fleet-fence';
export const LOCK_GROUP_HEADER = 'fleet-lock-group';
/** The claim that the token of `FENCE_HEADER` was granted to: a restored backup may repeat a number, never a claim. */
export const CLAIM_HEADER = 'fleet-claim';
/** What asks, for the log of the server: `fleet/1.2.3 redeploy https://ci.example/run/7`. */
export const CLIENT_HEADER = 'fleet-client';
export const IDEMPOTENCY_HEADER = 'idempotency-key';

/** Orders the waiters of one key, for example the id of the CI run of `owner/repo@branch`: the higher number wins. */
export const orderSchema = z.object({
  key: label(400),
  number: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
});
export type Order = z.infer<typeof orderSchema>;
