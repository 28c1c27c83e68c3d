/** Triggers that never fire, or that fire for strangers. */
import leven from 'leven';
import { isScalar, isSeq } from 'yaml';
import { FIRED, firedBy, mayReach, startsOf, TRUSTED } from '../repository/events.js';
import { GITEA_AND_FORGEJO, namesOf } from '../repository/servers.js';
import { type Job, valueAt, type Workflow } from '../repository/workflow.js';
import type { Rule } from '../rule.js';
import { conditionOf, holds } from '../syntax/condition.js';
import { entriesOf, itemsOf, textOf } from '../syntax/source.js';

const only = ({ triggers }: Workflow, event: string) => triggers.every((one) => one.event === event);

export const workflowRunTrigger: Rule = {
  id: 'workflow-run-trigger',
  severity: 'error',
  elsewhere: 'warning',
  shape: '`on: workflow_run`',
  why: 'Gitea before 1.25 never fires it, and says nothing; later, without a `workflows:` list, runs start each other up to five deep',
  next: 'put the job into the workflow that builds, with `needs:` of the build job',
  check({ workflows, readersOf }, report) {
    for (const { source, triggers } of workflows) {
      const old = readersOf(source.path).some((one) => one === 'gitea-1.22' || one === 'forgejo');
      for (const { event, node, below } of triggers) {
        if (event !== 'workflow_run') continue;
        if (old) report(source.place(node), 'nothing runs on `workflow_run` before Gitea 1.25');
        else if (!valueAt(below, 'workflows'))
          report(source.place(node), 'without `workflows:` every run starts the next one, up to five deep');
      }
    }
  },
};

export const inertTrigger: Rule = {
  id: 'inert-trigger',
  severity: 'error',
  elsewhere: 'warning',
  shape:
    'an event that the server never fires (on Gitea `deployment`, `check_suite`, `repository_dispatch`, anywhere a typing error)',
  why: 'the workflow never runs on it, in any version of Gitea up to 1.27, and nothing says so',
  next: 'use push, schedule, release, workflow_dispatch or a pull request event',
  check({ workflows, readersOf }, report) {
    for (const { source, triggers } of workflows) {
      const readers = readersOf(source.path);
      for (const { event, node } of triggers) {
        const without = readers.filter((server) => !firedBy(server).includes(event));
        if (!without.length) continue;
        const near = FIRED.find((known) => leven(known, event.toLowerCase()) <= 2);
        const hint = near ? `; did you mean ${near}` : '';
        report(source.place(node), `${namesOf(without)} has no event \`${event}\`${hint}`);
      }
    }
  },
};

export const dispatchOnly: Rule = {
  id: 'dispatch-only',
  severity: 'warning',
  servers: ['gitea-1.22'],
  shape: '`workflow_dispatch` as the only trigger of a workflow that deploys',
  why: 'Gitea 1.22 has no button for it (1.23) and no API (1.24): nobody can start the workflow',
  next: 'keep it for servers from 1.23 on, or add a trigger that the server fires',
  check({ workflows, rolls }, report) {
    for (const workflow of workflows) {
      const [trigger] = workflow.triggers;
      if (trigger && workflow.jobs.some(rolls) && only(workflow, 'workflow_dispatch'))
        report(
          workflow.source.place(trigger.node),
          'only a person can start this, and only from Gitea 1.23 on',
        );
    }
  },
};

export const nestedTrigger: Rule = {
  id: 'nested-trigger',
  severity: 'warning',
  servers: GITEA_AND_FORGEJO,
  shape: '`inputs`, `outputs` or `secrets` below an event; a filter with a number in it',
  why: 'the parser of Gitea 1.22 takes only texts there: it ignores the whole file, all its other triggers too',
  next: 'leave inputs out where a 1.22 server reads the file; put numbers in quotes',
  check({ workflows, readersOf }, report) {
    for (const { source, triggers } of workflows) {
      const entries = triggers.flatMap(({ event, below }) => below.map((entry) => ({ event, ...entry })));
      const nested = entries.find(({ value }) => entriesOf(source, value).length);
      if (nested && readersOf(source.path).includes('gitea-1.22')) {
        const { event, key, keyNode } = nested;
        report(source.place(keyNode), `Gitea 1.22 ignores this whole file for \`${event}.${key}\``);
      }
      for (const { value } of entries) {
        const odd =
          isSeq(value) &&
          itemsOf(source, value).find((item) => isScalar(item) && typeof item.value !== 'string');
        if (odd)
          report(source.place(odd), `\`${textOf(source, odd)}\` is not a text: put it in quotes`, 'error');
      }
    }
  },
};

export const calledDeploy: Rule = {
  id: 'called-deploy',
  severity: 'warning',
  servers: ['gitea-1.27'],
  shape: 'a deploy in a workflow that others call (`on: workflow_call`)',
  why: 'from Gitea 1.27 on its jobs are of the event `workflow_call`, whatever started the run: fleet deploys only where the payload tells the event behind it, and refuses otherwise; before that all of it is one job with one log',
  next: 'deploy by a step of the calling workflow; a composite action can hold what several share',
  check({ workflows, rolls }, report) {
    for (const { source, triggers, jobs } of workflows) {
      const call = triggers.find(({ event }) => event === 'workflow_call');
      const job = call && jobs.find(rolls);
      if (job)
        report(
          source.place(call.node),
          `job \`${job.id}\` deploys under the event \`workflow_call\` from Gitea 1.27 on`,
        );
    }
  },
};

export const untrustedTrigger: Rule = {
  id: 'untrusted-trigger',
  severity: 'error',
  shape: 'a deploy that runs on pull requests, comments or other events that strangers can cause',
  why: 'whoever opens a pull request or writes a comment reaches the step with the control plane token; fleet itself refuses such events',
  next: "deploy from push, schedule, release or workflow_dispatch only, or guard the job with `if: github.event_name == 'push'`",
  check({ workflows, rolls, deploysIn }, report) {
    for (const workflow of workflows) {
      const starts = startsOf(workflow).filter(({ trigger }) => {
        return FIRED.includes(trigger.event) && !TRUSTED.includes(trigger.event);
      });
      for (const job of workflow.jobs.filter(rolls)) {
        const events = starts.filter((start) => mayReach(job, start) && stepReached(job, start.context));
        const names = [...new Set(events.map(({ trigger }) => trigger.event))];
        if (names.length)
          report(
            workflow.source.place(job.keyNode),
            `job \`${job.id}\` deploys, and ${names.join(', ')} can start it`,
          );
      }
    }
    function stepReached(job: Job, context: Parameters<typeof holds>[1]): boolean {
      if (job.uses) return true;
      return job.steps.some((step) => {
        if (!deploysIn(step).some(({ dryRun }) => !dryRun)) return false;
        const text = textOf(step.source, valueAt(step.entries, 'if'));
        const condition = text === undefined ? undefined : conditionOf(text);
        return !condition || holds(condition, context) !== false;
      });
    }
  },
};
