/** All files of a repository that the linter reads, and what rules ask of them. */

import type { LintFile } from '../syntax/place.js';
import { parseSource, type Source } from '../syntax/source.js';
import { type FleetConfig, readFleetConfig } from './config.js';
import { type Deploy, deploysOf } from './deploys.js';
import { readersOf, SERVERS, type Server } from './servers.js';
import { type Action, type Job, readAction, readWorkflow, type Step, type Workflow } from './workflow.js';

export interface Project {
  sources: Source[];
  /** Workflows that one of the servers reads. */
  workflows: Workflow[];
  /** Workflows that none of them reads. */
  unread: Workflow[];
  /** The servers that the findings are for. */
  servers: readonly Server[];
  /** Those of the servers that read a file. */
  readersOf(path: string): readonly Server[];
  actions: Action[];
  config?: FleetConfig;
  /** Steps of all jobs and actions. */
  steps: Step[];
  /** Deploys of all steps. */
  deploys: Deploy[];
  deploysIn(step: Step): Deploy[];
  /** Whether a job rolls a fleet: by a step, or by the workflow of this repository that it calls. */
  rolls(job: Job): boolean;
  /** Whether a workflow or action rolls a fleet. */
  fileRolls(path: string): boolean;
}

export function readProject(files: readonly LintFile[], servers: readonly Server[] = SERVERS): Project {
  const sources = files.map(parseSource);
  const all = sources.filter(({ kind, link }) => kind === 'workflow' && !link).map(readWorkflow);
  const paths = sources.filter(({ kind }) => kind === 'workflow').map(({ path }) => path);
  const readers = new Map(sources.map(({ path }) => [path, readersOf(path, servers, paths)]));
  const isRead = ({ source }: Workflow) => Boolean(readers.get(source.path)?.length);
  const workflows = all.filter(isRead);
  const unread = all.filter((workflow) => !isRead(workflow));
  const actions = sources.filter(({ kind, link }) => kind === 'action' && !link).map(readAction);
  const config = sources.find(({ kind, problems }) => kind === 'config' && !problems.length);

  const stepsOf = (list: readonly Workflow[]) =>
    list.flatMap(({ jobs }) => jobs.flatMap(({ steps }) => steps));
  const steps = [...stepsOf(workflows), ...actions.flatMap((action) => action.steps)];
  const found = new Map<Step, Deploy[]>();
  for (const step of [...steps, ...stepsOf(unread)]) {
    const deploys = deploysOf(step);
    if (deploys.length) found.set(step, deploys);
  }
  const deploysIn = (step: Step) => found.get(step) ?? [];
  const rolls = (job: Job, depth = 0): boolean => {
    if (job.steps.some((step) => deploysIn(step).some(({ dryRun }) => !dryRun))) return true;
    const called = /^\.\/(.+)$/.exec(job.uses?.text ?? '')?.[1];
    const workflow = called && all.find(({ source }) => source.path === called);
    // Calls nest nine deep at most; a workflow that calls itself ends here too.
    return Boolean(workflow && depth < 9 && workflow.jobs.some((one) => rolls(one, depth + 1)));
  };
  return {
    sources: sources.filter(({ path }) => readers.get(path)?.length),
    workflows,
    unread,
    servers,
    readersOf: (path) => readers.get(path) ?? [],
    actions,
    config: config && readFleetConfig(config),
    steps,
    deploys: steps.flatMap(deploysIn),
    deploysIn,
    rolls: (job) => rolls(job),
    fileRolls: (path) =>
      all.some(({ source, jobs }) => source.path === path && jobs.some((job) => rolls(job))) ||
      actions.some(
        ({ source, steps: own }) => source.path === path && own.some((one) => deploysIn(one).length),
      ),
  };
}
