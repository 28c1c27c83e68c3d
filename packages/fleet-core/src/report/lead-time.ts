/** From the commit to its proof on the last tenant: reported with a deploy, never decisive. */
import { Gitea } from '../clients/gitea/gitea.js';
import type { Config } from '../config/config.js';
import type { RunContext, StageContext } from '../context.js';
import { isDeployed, type Outcome } from '../result/outcome.js';
import { isPart, type LeadTime, type Scope, type TimelineEntry } from '../result/result.js';

interface Deploy {
  outcome: Outcome;
  scope: Scope | undefined;
  /** Wall clock at the start of the timeline. */
  startedAt: number;
  timeline: readonly TimelineEntry[];
}

/**
 * Undefined where it is not known, and where it would tell of something else: of a run that rolled nothing, of a part of
 * the fleet, or of a rollback. Never throws: a deploy does not depend on it.
 */
export async function leadTimeOf(
  config: Pick<Config, 'command' | 'gitea' | 'expectedSha' | 'rollback'>,
  { outcome, scope, startedAt, timeline }: Deploy,
  context: Pick<StageContext, 'http' | 'signal'> & Pick<RunContext, 'committedAt'>,
): Promise<LeadTime | undefined> {
  const { command, expectedSha, rollback } = config;
  const rolled = timeline.some(({ event }) => event === 'tenant.rolled');
  const last = timeline.findLast(({ event }) => event === 'tenant.proven');
  if (!isDeployed(outcome) || isPart(scope) || command === 'verify' || rollback) return undefined;
  if (!expectedSha || !rolled || !last) return undefined;
  const committedAt = Date.parse((await committedAtOf(config, expectedSha, context).catch(() => null)) ?? '');
  const ms = startedAt + last.at_ms - committedAt;
  if (!(ms >= 0)) return undefined;
  return {
    committed_at: new Date(committedAt).toISOString(),
    proven_at: new Date(startedAt + last.at_ms).toISOString(),
    ms,
  };
}

async function committedAtOf(
  { gitea }: Pick<Config, 'gitea'>,
  sha: string,
  { http, signal, committedAt }: Parameters<typeof leadTimeOf>[2],
): Promise<string | null> {
  const here = await committedAt?.(sha);
  if (here || !gitea || signal.aborted) return here ?? null;
  const read = await new Gitea({ ...gitea, http, signal }).line(sha);
  return read.kind === 'read' ? (read.value[0]?.at ?? null) : null;
}
