/** The events of Gitea, and what is known of a run that one of them started. */
import { TRUSTED_EVENTS } from '@tenant-fleet/fleet-core/config';
import { type Context, conditionOf, holds, STATUS } from '../syntax/condition.js';
import { callsIn } from '../syntax/expression.js';
import { itemsOf, textOf } from '../syntax/source.js';
import type { Server } from './servers.js';
import type { Job, Trigger, Workflow } from './workflow.js';

/** Events that start workflows, after modules/actions/github.go of Gitea 1.22 to 1.27. */
export const FIRED = [
  'create',
  'delete',
  'fork',
  'gollum',
  'issue_comment',
  'issues',
  'pull_request',
  'pull_request_comment',
  'pull_request_review',
  'pull_request_review_comment',
  'pull_request_target',
  'push',
  'registry_package',
  'release',
  'schedule',
  'workflow_call',
  'workflow_dispatch',
  'workflow_run',
];

const ONLY_GITHUB =
  `branch_protection_rule check_run check_suite deployment deployment_status discussion discussion_comment
  image_version label merge_group milestone page_build public repository_dispatch status watch`.split(/\s+/);

/** Events that start workflows on a server. */
export const firedBy = (server: Server): readonly string[] =>
  server === 'github'
    ? [...FIRED.filter((event) => event !== 'pull_request_comment'), ...ONLY_GITHUB]
    : FIRED;

/** Events that may deploy, as the event gate has it; a called workflow runs under its caller's event. */
export const TRUSTED = [...TRUSTED_EVENTS, 'workflow_call'];

/** One way in which a workflow starts. */
export interface Start {
  trigger: Trigger;
  context: Context;
}

export function startsOf({ source, triggers }: Workflow): Start[] {
  return triggers.flatMap((trigger): Start[] => {
    const { event } = trigger;
    if (event === 'workflow_call') return [{ trigger, context: {} }];
    const base: Context = { 'github.event_name': { value: event } };
    if (event !== 'push')
      return [{ trigger, context: { ...base, 'github.ref': { prefix: refPrefix(event) } } }];
    const list = (key: string) => {
      const filter = trigger.below.find((entry) => entry.key === key);
      return filter && itemsOf(source, filter.value).map((node) => textOf(source, node) ?? '');
    };
    const [branches, tags] = [list('branches'), list('tags')];
    const open = !branches && !tags && !list('tags-ignore');
    const refs = (names: string[] | undefined, prefix: string, type: string): Context[] => {
      const literal = names?.every((name) => /^[\w./-]+$/.test(name)) ? names : undefined;
      if (!literal) return names ? [{ 'github.ref': { prefix }, 'github.ref_type': { value: type } }] : [];
      return literal.map((name) => ({
        'github.ref': { value: `${prefix}${name}` },
        'github.ref_name': { value: name },
        'github.ref_type': { value: type },
      }));
    };
    const contexts = [...refs(branches, 'refs/heads/', 'branch'), ...refs(tags, 'refs/tags/', 'tag')];
    const any: Context[] = open || !contexts.length ? [{ 'github.ref': { prefix: 'refs/' } }] : [];
    return [...contexts, ...any].map((context) => ({ trigger, context: { ...base, ...context } }));
  });
}

function refPrefix(event: string): string {
  if (event === 'release') return 'refs/tags/';
  return /^pull_request(?:_review|_review_comment)?$/.test(event) ? 'refs/pull/' : 'refs/';
}

/** Whether a start may get as far as a job. */
export function mayReach(job: Job, start: Start, seen: readonly Job[] = []): boolean {
  const skipped = job.needs.filter(({ id }) => {
    const needed = job.workflow.jobs.find((one) => one.id === id);
    return needed && needed !== job && !seen.includes(needed) && !mayReach(needed, start, [...seen, job]);
  });
  const results = skipped.map(
    ({ id }) => [`needs.${id.toLowerCase()}.result`, { value: 'skipped' }] as const,
  );
  const condition = job.condition && conditionOf(job.condition.text);
  if (job.condition && !condition) return true;
  if (condition && holds(condition, { ...start.context, ...Object.fromEntries(results) }) === false)
    return false;
  // Without a status function a job is skipped with those that it needs.
  return !skipped.length || callsIn(condition).some((name) => name !== 'success' && STATUS.includes(name));
}
