/** What `concurrency:` does not do. */
import { isMap, type Node } from 'yaml';
import { takesLock } from '../repository/deploys.js';
import { valueAt, type Workflow } from '../repository/workflow.js';
import type { Rule } from '../rule.js';
import { type Entry, entryOf, type Source, textOf } from '../syntax/source.js';

interface Group {
  node: Node;
  name: string;
  cancel: Node | undefined;
}

function groupOf(source: Source, entries: readonly Entry[]): Group | undefined {
  const node = valueAt(entries, 'concurrency');
  if (!node) return undefined;
  if (!isMap(node)) return { node, name: textOf(source, node)?.trim() ?? '', cancel: undefined };
  const group = entryOf(source, node, 'group')?.value;
  return {
    node: group ?? node,
    name: textOf(source, group)?.trim() ?? '',
    cancel: entryOf(source, node, 'cancel-in-progress')?.value ?? undefined,
  };
}

const groupsOf = ({ source, entries, jobs }: Workflow) => ({
  run: groupOf(source, entries),
  jobs: jobs.flatMap((job) => {
    const group = groupOf(source, job.entries);
    return group ? [{ job, group }] : [];
  }),
});

export const cancelInProgress: Rule = {
  id: 'cancel-in-progress',
  severity: 'error',
  servers: ['gitea-1.27', 'forgejo', 'github'],
  shape: '`cancel-in-progress` other than false on a workflow or job that deploys',
  why: 'from Gitea 1.26 on the next push kills a roll between two tenants; runners give no signal, so nothing is tidied up',
  next: 'set `cancel-in-progress: false`: the lock queues runs, and an older commit gives way by itself',
  check({ workflows, rolls }, report) {
    for (const workflow of workflows) {
      const { run, jobs } = groupsOf(workflow);
      const cancels = (group: Group | undefined) => {
        const value = textOf(workflow.source, group?.cancel);
        return value !== undefined && value !== 'false';
      };
      if (workflow.jobs.some(rolls) && cancels(run))
        report(workflow.source.place(run?.cancel), 'a newer run kills this one in the middle of its roll');
      for (const { job, group } of jobs) {
        if (rolls(job) && cancels(group))
          report(
            workflow.source.place(group.cancel),
            `a newer run kills job \`${job.id}\` in the middle of its roll`,
          );
      }
    }
  },
};

export const concurrencyAsLock: Rule = {
  id: 'concurrency-as-lock',
  severity: 'error',
  shape: 'a deploy without the lock of fleet that has `concurrency:` instead',
  why: 'Gitea up to 1.25 ignores `concurrency`; later it covers one repository, lets two runs start in a race, and drops queued ones unsaid',
  next: 'deploy with fleet and its lock; leave `concurrency` out, or as an addition',
  check({ workflows, deploysIn }, report) {
    for (const workflow of workflows) {
      const { run, jobs } = groupsOf(workflow);
      for (const job of workflow.jobs) {
        if (!run && !jobs.some((one) => one.job === job)) continue;
        for (const deploy of job.steps.flatMap(deploysIn)) {
          if (!deploy.dryRun && takesLock(deploy) === false)
            report(deploy.place, '`concurrency` is all that keeps this deploy apart from others');
        }
      }
    }
  },
};

export const concurrencyGroupTwice: Rule = {
  id: 'concurrency-group-twice',
  severity: 'error',
  servers: ['gitea-1.27', 'forgejo', 'github'],
  shape: 'one concurrency group for the run and for a job of it',
  why: 'both share one name space: on Gitea 1.26 the job cancels its own run',
  next: 'keep the group of the job and drop that of the workflow',
  check({ workflows }, report) {
    for (const workflow of workflows) {
      const { run, jobs } = groupsOf(workflow);
      for (const { job, group } of jobs) {
        if (run?.name && group.name === run.name)
          report(workflow.source.place(group.node), `job \`${job.id}\` has the group of its own run`);
      }
    }
  },
};

export const runConcurrency: Rule = {
  id: 'run-concurrency',
  severity: 'warning',
  servers: ['gitea-1.27', 'forgejo'],
  shape: '`concurrency` at the top of a workflow of several jobs that deploys',
  why: 'from Gitea 1.26 on a run counts as waiting between two of its jobs, and a newcomer cancels it half-way, with `cancel-in-progress: false` too',
  next: 'put `concurrency` on the deploy job alone, if at all',
  check({ workflows, rolls }, report) {
    for (const workflow of workflows) {
      const { run } = groupsOf(workflow);
      if (run && workflow.jobs.length > 1 && workflow.jobs.some(rolls))
        report(workflow.source.place(run.node), 'a newer run cancels this one between two of its jobs');
    }
  },
};
