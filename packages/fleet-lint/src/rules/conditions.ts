// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are expressions of workflows
/** Conditions that mean something else than they say. */
import { startsOf } from '../repository/events.js';
import { GITEA_AND_FORGEJO } from '../repository/servers.js';
import { type Job, upstreamOf, valueAt } from '../repository/workflow.js';
import type { Rule } from '../rule.js';
import { conditionOf, holds, isText, STATUS } from '../syntax/condition.js';
import { callsIn, type Expression, partsOf } from '../syntax/expression.js';
import { type Entry, placeIn, type Source, textOf } from '../syntax/source.js';

const conditionOfJob = (job: Job) => (job.condition ? conditionOf(job.condition.text) : undefined);

/** Whether a condition may hold once a needed job has failed. */
function wantsFailureOf(condition: Expression, need: string): boolean {
  const context = {
    'failure()': { value: true },
    'success()': { value: false },
    'cancelled()': { value: false },
    [`needs.${need.toLowerCase()}.result`]: { value: 'failure' },
  };
  return holds(condition, context) !== false;
}

export const jobIfStatus: Rule = {
  id: 'job-if-status',
  severity: 'warning',
  servers: ['gitea-1.22', 'gitea-1.27', 'forgejo'],
  shape: 'a job with `needs` whose `if` has `failure()`, or `always()` with more',
  why: 'Gitea 1.22 skips such a job once a needed one failed: only a bare `always()` survives; 1.27.0 leaves it blocked',
  next: 'write `if: always()` alone and ask `needs.<job>.result` in the steps, or notify from a step of the deploy job itself',
  check({ workflows }, report) {
    for (const { source, jobs } of workflows) {
      for (const job of jobs) {
        const condition = conditionOfJob(job);
        const calls = callsIn(condition).filter((name) => STATUS.includes(name));
        if (!job.condition || !job.needs.length || !calls.some((name) => name !== 'success')) continue;
        if (condition?.kind === 'call' && (condition.name === 'always' || condition.name === 'cancelled'))
          continue;
        if (!condition || !job.needs.some(({ id }) => wantsFailureOf(condition, id))) continue;
        const place = source.place(job.condition.node);
        report(place, `job \`${job.id}\` is skipped by Gitea 1.22 when one of its needs failed`);
      }
    }
  },
};

export const constantCondition: Rule = {
  id: 'constant-condition',
  severity: 'error',
  elsewhere: 'warning',
  shape: 'an `if` with text beside its braces: `${{ a }} && b`, or the line end that `if: |` keeps',
  why: 'the whole becomes a text, and a text that is not empty is true: the job or step always runs',
  next: 'leave the braces out, or put all of the condition into them; `if: >-` in place of `if: |`',
  check({ workflows, steps }, report) {
    const look = (source: Source, entries: readonly Entry[]) => {
      const node = valueAt(entries, 'if');
      const text = textOf(source, node);
      if (!node || text === undefined || !isText(text) || !conditionOf(text)) return;
      const what = text.trim() === text ? 'the text beside the braces' : 'the white space beside the braces';
      report(placeIn(source, node, 0), `${what} makes this condition true, whatever they hold`);
    };
    for (const { source, jobs } of workflows) for (const { entries } of jobs) look(source, entries);
    for (const { source, entries } of steps) look(source, entries);
  },
};

export const cancelledCondition: Rule = {
  id: 'cancelled-condition',
  severity: 'warning',
  servers: GITEA_AND_FORGEJO,
  shape: '`cancelled()` in a condition',
  why: 'it is never true on runners before 2.0.0, and a cancelled run cancels every job that has not ended, whatever its `if` says',
  next: 'do not depend on it: the lease of a cut-off deploy ends by itself, and the next run goes on',
  check({ workflows, steps }, report) {
    const found = (text: string) =>
      partsOf(conditionOf(text)).some((part, at, all) => {
        return part.kind === 'call' && part.name === 'cancelled' && all[at - 1]?.kind !== 'not';
      });
    for (const { source, jobs } of workflows) {
      for (const { id, condition } of jobs) {
        if (condition && found(condition.text))
          report(source.place(condition.node), `job \`${id}\` waits for \`cancelled()\``);
      }
    }
    for (const { source, entries } of steps) {
      const node = valueAt(entries, 'if');
      const text = textOf(source, node);
      if (node && text !== undefined && found(text))
        report(source.place(node), 'a step waits for `cancelled()`');
    }
  },
};

export const cleanupJob: Rule = {
  id: 'cleanup-job',
  severity: 'warning',
  servers: GITEA_AND_FORGEJO,
  shape: 'a job that cleans up, unlocks or restores after a deploy job',
  why: 'cancelling a run cancels every job that has not ended, `if: always()` too: the cleanup never runs when it is needed most',
  next: 'clean up within the deploy job; the lock of fleet ends by itself and needs no job',
  check({ workflows, rolls }, report) {
    for (const { source, jobs } of workflows) {
      for (const job of jobs) {
        const condition = conditionOfJob(job);
        const waits = upstreamOf(job).some((one) => one !== job && rolls(one));
        const always = callsIn(condition).some((name) => ['always', 'failure', 'cancelled'].includes(name));
        const cleans = /clean[-_ ]?up|unlock|release[-_ ]?lock|tear[-_ ]?down|restore/i;
        const name = textOf(source, valueAt(job.entries, 'name')) ?? '';
        if (waits && always && (cleans.test(job.id) || cleans.test(name)))
          report(source.place(job.keyNode), `job \`${job.id}\` does not run when the deploy is cancelled`);
      }
    }
  },
};

export const deadCondition: Rule = {
  id: 'dead-condition',
  severity: 'error',
  elsewhere: 'warning',
  shape: 'an `if` that no trigger of the workflow can meet; `github.ref` compared with a short name',
  why: 'the job or step is skipped in every run, and skipped counts as green',
  next: "compare `github.ref` with `refs/heads/main`, `github.ref_name` with `main`, and name a branch that the trigger's filter lets through",
  check({ workflows }, report) {
    for (const workflow of workflows) {
      const { source, jobs } = workflow;
      const starts = startsOf(workflow);
      const dead = (text: string) => {
        const condition = conditionOf(text);
        if (!condition || !starts.length) return false;
        if (switchedOff(condition)) return false;
        if (mistakenRef(condition)) return true;
        return starts.every(({ context }) => holds(condition, context) === false);
      };
      for (const job of jobs) {
        if (job.condition && dead(job.condition.text))
          report(
            placeIn(source, job.condition.node, 0),
            `job \`${job.id}\` never runs: no trigger meets this condition`,
          );
        for (const step of job.steps) {
          const node = valueAt(step.entries, 'if');
          const text = textOf(source, node);
          if (node && text !== undefined && dead(text))
            report(placeIn(source, node, 0), 'this step never runs: no trigger meets its condition');
        }
      }
    }
  },
};

/** `false` and `false && ...` are off on purpose. */
const switchedOff = (condition: Expression): boolean =>
  condition.kind === 'and' ? condition.of.some(switchedOff) : condition.kind === 'literal';

/** `github.ref == 'main'` and `github.ref_name == 'refs/heads/main'` as a whole condition or a part that must hold. */
function mistakenRef(condition: Expression): boolean {
  if (condition.kind === 'and') return condition.of.some(mistakenRef);
  if (condition.kind === 'or') return condition.of.every(mistakenRef);
  if (condition.kind !== 'compare' || condition.operator !== '==') return false;
  const sides = [condition.left, condition.right];
  const literal = sides.find((side) => side.kind === 'literal');
  const path = sides
    .map((side) => (side.kind === 'reference' ? side.path.join('.').toLowerCase() : ''))
    .join('');
  if (literal?.kind !== 'literal' || typeof literal.value !== 'string') return false;
  if (path === 'github.ref') return !literal.value.startsWith('refs/');
  return path === 'github.ref_name' && literal.value.startsWith('refs/');
}
