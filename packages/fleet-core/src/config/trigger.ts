/** What started a run, and whether that may be trusted. */
import { runUrlOf } from './links.js';
import { readBoolean } from './setting.js';

export type Env = Readonly<Record<string, string | undefined>>;

/** What started the run, as CI tells it. All absent: a person at a terminal. */
export interface Trigger {
  /** CI runs this, whether or not it names the event. */
  ci?: boolean;
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
    ci:
      ['CI', 'GITHUB_ACTIONS', 'GITEA_ACTIONS'].some((name) => readBoolean(env[name] ?? '') !== false) ||
      undefined,
    event: env.GITHUB_EVENT_NAME || undefined,
    refType: env.GITHUB_REF_TYPE || undefined,
    actor: env.GITHUB_ACTOR || undefined,
    runId: env.GITHUB_RUN_ID || undefined,
    runAttempt: env.GITHUB_RUN_ATTEMPT || undefined,
    job: env.GITHUB_JOB || undefined,
    runUrl: runUrlOf(webUrl, env.GITHUB_REPOSITORY, env.GITHUB_RUN_NUMBER),
  };
}

/**
 * The event that began the workflow which called this one. Only what the server itself writes counts: `inputs` are
 * texts of a workflow file.
 *
 * @param payload JSON text of the event.
 * @returns undefined where it names none.
 */
export function eventBehind(payload: string): string | undefined {
  const { event_name: name, event, ...rest } = jsonObject(payload);
  for (const named of [name, event]) if (typeof named === 'string' && named) return named;
  if ('pull_request' in rest || 'issue' in rest || 'comment' in rest) return undefined;
  // The payload of a push, handed on as it is.
  const isPush =
    [rest.before, rest.after].every((sha) => typeof sha === 'string') && Array.isArray(rest.commits);
  return isPush ? 'push' : undefined;
}

function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
