/** All files of a repository that the linter reads, and what rules ask of them. */

import type { LintFile } from '../syntax/place.js';
import { parseSource, type Source } from '../syntax/source.js';
import { type FleetConfig, readFleetConfig } from './config.js';
import { type Deploy, deploysOf } from './deploys.js';
import { type Action, type Job, readAction, readWorkflow, type Step, type Workflow } from './workflow.js';

export interface Project {
  sources: Source[];
  workflows: Workflow[];
  /** Workflows in the folder that the server does not look into, since the other one exists. */
  shadowed: Workflow[];
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

/** Whether a path is a workflow's, for one server or another. */
export const isWorkflowPath = (path: string): boolean =>
  /^\.(?:forgejo|gitea|github)\/workflows\//.test(path);

export function readProject(files: readonly LintFile[]): Project {
  const sources = files.map(parseSource);
  const all = sources.filter(({ kind, link }) => kind === 'workflow' && !link).map(readWorkflow);
  const hides = all.some(({ source }) => source.path.startsWith('.gitea/workflows/'));
  const isShadowed = ({ source }: Workflow) => hides && source.path.startsWith('.github/workflows/');
  const workflows = all.filter((workflow) => !isShadowed(workflow));
  const shadowed = all.filter(isShadowed);
  const actions = sources.filter(({ kind, link }) => kind === 'action' && !link).map(readAction);
  const config = sources.find(({ kind, problems }) => kind === 'config' && !problems.length);

  const stepsOf = (list: readonly Workflow[]) =>
    list.flatMap(({ jobs }) => jobs.flatMap(({ steps }) => steps));
  const steps = [...stepsOf(workflows), ...actions.flatMap((action) => action.steps)];
  const found = new Map<Step, Deploy[]>();
  for (const step of [...steps, ...stepsOf(shadowed)]) {
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
    sources: sources.filter(({ path }) => !shadowed.some(({ source }) => source.path === path)),
    workflows,
    shadowed,
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
