import { shaSchema, slugSchema, tagSchema } from '@tenant-fleet/fleet-core/contract';
import * as z from 'zod';

/** How a simulated tenant takes a roll, and what it answers. */
export const BEHAVIOURS = {
  ok: 'takes the image and reports it',
  stuck: 'the roll says Success, the tenant stays on the old image',
  failed: 'the roll fails, the tenant stays on the old image',
  unhealthy: 'runs the new image, but its health check fails',
  vanishes: 'the roll says Success, then the tenant is gone',
  'wrong-sha': 'reports a commit that nobody asked for',
  dev: 'reports "dev"',
  flapping: 'after a roll answers with the new and the old commit in turn, for ever',
  'never-answers': 'accepts the connection and never responds',
  refuses: 'resets the connection',
  html: 'answers 200 with a web page',
  'not-found': 'answers 404 with a web page',
  huge: 'answers with several megabytes',
  redirect: 'answers with a redirect',
} as const;

export type BehaviourName = keyof typeof BEHAVIOURS;

const milliseconds = z.number().int().min(0).max(3_600_000);

export const behaviourSchema = z.strictObject({
  behaviour: z.enum(Object.keys(BEHAVIOURS) as [BehaviourName, ...BehaviourName[]]).optional(),
  /** Milliseconds one roll of this tenant takes. Default 1000. */
  roll_ms: milliseconds.optional(),
  /** Milliseconds after the swap in which the old commit still answers. Default 0. */
  drain_ms: milliseconds.optional(),
  /** What the drain window answers: the old commit, or old and new in turn. Default `old`. */
  drain_mode: z.enum(['old', 'alternate']).optional(),
});
export type Behaviour = z.infer<typeof behaviourSchema>;

const runningSchema = z.strictObject({
  image_tag: tagSchema,
  git_sha: z.union([shaSchema, z.literal('dev')]),
});

export const tenantPutSchema = behaviourSchema.extend({
  /** What the tenant runs from now on, without a roll. */
  running: runningSchema.optional(),
});

export const imagesSchema = z.record(tagSchema, shaSchema);

/** The file that describes a fleet (`--fleet`), as YAML or JSON. */
export const fleetFileSchema = z.strictObject({
  /** What new tenants run at first. */
  initial: runningSchema.optional(),
  /** Tag to commit. */
  images: imagesSchema.optional(),
  /** For tenants that do not say otherwise. */
  defaults: behaviourSchema.optional(),
  tenants: z.array(z.union([slugSchema, behaviourSchema.extend({ slug: slugSchema })])).min(1),
});
export type FleetFile = z.infer<typeof fleetFileSchema>;

export type Running = {
  tag: string;
  sha: string;
  previousSha: string | null;
  /** Milliseconds since 1970; null before the first roll. */
  swappedAt: number | null;
  gone: boolean;
  /** How often a roll has put it on another image. */
  rolls?: number;
};

export interface Tenant {
  slug: string;
  position: number;
  behaviour: Behaviour;
  running: Running;
}

/** What one request to a tenant gets. */
export type TenantAnswer =
  | { kind: 'sha'; sha: string }
  | { kind: 'hang' | 'reset' | 'html' | 'not-found' | 'huge' | 'redirect' };

/** @param asked how many requests this tenant had before this one. */
export function answerOf(tenant: Tenant, wall: number, asked: number): TenantAnswer {
  const { running, behaviour } = tenant;
  const name = behaviour.behaviour ?? 'ok';
  if (running.gone || name === 'refuses') return { kind: 'reset' };
  if (name === 'never-answers') return { kind: 'hang' };
  if (name === 'html' || name === 'not-found' || name === 'huge' || name === 'redirect')
    return { kind: name };
  if (name === 'dev') return { kind: 'sha', sha: 'dev' };
  if (name === 'wrong-sha') return { kind: 'sha', sha: wrongShaOf(running.sha) };
  const old = running.previousSha;
  const odd = asked % 2 === 1;
  if (old !== null && name === 'flapping') return { kind: 'sha', sha: odd ? old : running.sha };
  const draining = running.swappedAt !== null && wall - running.swappedAt < (behaviour.drain_ms ?? 0);
  if (old !== null && draining && (behaviour.drain_mode !== 'alternate' || !odd))
    return { kind: 'sha', sha: old };
  return { kind: 'sha', sha: running.sha };
}

/** A commit that is surely another one. */
const wrongShaOf = (sha: string) =>
  [...(sha === 'dev' ? '0'.repeat(40) : sha)].reverse().join('').replace(/^./, 'f');
