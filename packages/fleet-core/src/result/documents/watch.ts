/** What somebody sees who watches a fleet: the document of `fleet watch`. */
import * as z from 'zod';

export const FINDINGS = [
  /** The control plane could not be asked. */
  'blind',
  /** Tenants left the proven commit. */
  'drift',
  /** Tenants that answer nothing, or no commit. */
  'silent',
  /** Tenants that the last proven rollout left behind, for too long. */
  'quarantine',
  /** The lock is frozen, for too long. */
  'freeze',
  /** A green commit of the branch waits for its rollout, for too long. */
  'behind',
  /** No rollout was started, for too long. */
  'quiet',
] as const;
export type FindingKind = (typeof FINDINGS)[number];

const findingSchema = z.object({
  kind: z.enum(FINDINGS),
  says: z.string(),
  slugs: z.array(z.string()).describe('tenants that it is about'),
  since: z.string().nullable().describe('ISO 8601'),
  next: z.string().nullable().describe('what to type; null: what is said has to be looked into'),
});
export type Finding = z.infer<typeof findingSchema>;

export const watchSchema = z.object({
  schema: z.literal('fleet-watch/1'),
  at: z.string().describe('ISO 8601'),
  environment: z.string().nullable(),
  findings: z.array(findingSchema).describe('empty: all is well, as far as it was looked at'),
  unwatched: z.array(z.string()).describe('what was not looked at, and why'),
  proven_sha: z.string().nullable().describe('the commit that was proven last'),
  warnings: z.array(z.string()),
  exit_code: z
    .union([z.literal(0), z.literal(1), z.literal(5)])
    .describe('1 where something was found, 5 where the control plane could not be used'),
});
export type WatchReport = z.infer<typeof watchSchema>;

export const lastLookSchema = z.object({
  at: z.string().describe('ISO 8601'),
  well: z.boolean(),
  says: z.string(),
});
/** The last look of a watch, as Gitea keeps it on the proven commit. */
export type LastLook = z.infer<typeof lastLookSchema>;
