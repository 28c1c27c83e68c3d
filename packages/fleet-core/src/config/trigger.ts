/** What started a run, and whether that may be trusted. */
import { runUrlOf } from './links.js';

export type Env = Readonly<Record<string, string | undefined>>;

/** What started the run, as CI tells it. All absent: a person at a terminal. */
export interface Trigger {
  /** `push`, `schedule`, `workflow_dispatch`, `release`; any other event is not trusted. */
  event?: string;
  /** `tag` where a tag was pushed, which people do by hand; anything else is a branch. */
  refType?: string;
  actor?: string;
  runId?: string;
  runAttempt?: string;
  job?: string;
  runUrl?: string;
}

/** Events that nobody outside the project can cause. */
export const TRUSTED_EVENTS = ['push', 'schedule', 'workflow_dispatch', 'release'];

/** A pushed tag is somebody's wish, a rollback for example; the push of a branch is what follows from a merge. */
export const askedBy = ({ event, refType }: Trigger): 'ci' | 'human' =>
  event === 'schedule' || (event === 'push' && refType !== 'tag') ? 'ci' : 'human';

/** What CI says of the run that this is part of. @param webUrl Address of the CI server for people. */
export function triggerOf(env: Env, webUrl: string | undefined = env.GITHUB_SERVER_URL): Trigger {
  return {
    event: env.GITHUB_EVENT_NAME || undefined,
    refType: env.GITHUB_REF_TYPE || undefined,
    actor: env.GITHUB_ACTOR || undefined,
    runId: env.GITHUB_RUN_ID || undefined,
    runAttempt: env.GITHUB_RUN_ATTEMPT || undefined,
    job: env.GITHUB_JOB || undefined,
    runUrl: runUrlOf(webUrl, env.GITHUB_REPOSITORY, env.GITHUB_RUN_NUMBER),
  };
}
