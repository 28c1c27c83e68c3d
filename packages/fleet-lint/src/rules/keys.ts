/** Keys that do less than they say. */

import { parseDuration, readBoolean, type SettingName, settingOf } from '@tenant-fleet/fleet-core/config';
import { isMap, isScalar, type Node } from 'yaml';
import { type Deploy, isComposite, settingOfDeploy } from '../repository/deploys.js';
import { GITEA_AND_FORGEJO } from '../repository/servers.js';
import { valueAt, variableOf } from '../repository/workflow.js';
import type { Rule } from '../rule.js';
import { textOf } from '../syntax/source.js';

export const ignoredEnvironment: Rule = {
  id: 'ignored-environment',
  severity: 'warning',
  servers: GITEA_AND_FORGEJO,
  shape: '`environment:` on a job',
  why: 'Gitea ignores it in every version up to 1.27: no approval, no secrets of its own; every job gets all secrets of the repository',
  next: 'leave it out, and name the environment of fleet in the step; `fleet lock freeze` or a kill switch hold deploys back',
  check({ workflows, readersOf }, report) {
    for (const { source, jobs } of workflows) {
      // Where GitHub may be meant, it asks.
      if (readersOf(source.path).includes('github')) continue;
      for (const { id, entries } of jobs) {
        const entry = entries.find(({ key }) => key === 'environment');
        if (entry) report(source.place(entry.keyNode), `job \`${id}\`: nothing asks for an approval here`);
      }
    }
  },
};

export const jobTimeout: Rule = {
  id: 'job-timeout',
  severity: 'warning',
  shape:
    '`timeout-minutes` of a deploy job that is no longer than what the deploy may take, or its only limit',
  why: 'runners before 2.0.0 ignore it; later ones kill the job in the middle of its roll, without a signal',
  next: 'limit the deploy itself (timeout of fleet, `--max-time` of curl, `timeout-minutes` of the step) well below it',
  check({ workflows, deploysIn }, report) {
    for (const { source, jobs } of workflows) {
      for (const { id, entries, steps } of jobs) {
        const node = valueAt(entries, 'timeout-minutes');
        const minutes = Number(textOf(source, node));
        if (!node || !(minutes > 0)) continue;
        for (const deploy of steps.flatMap(deploysIn)) {
          const problem = deploy.dryRun ? undefined : outlives(deploy, minutes);
          if (problem) report(source.place(node), `job \`${id}\`: ${problem}`);
        }
      }
    }
  },
};

function outlives(deploy: Deploy, minutes: number): string | undefined {
  const { step, kind, command } = deploy;
  if (kind === 'call') {
    const own =
      valueAt(step.entries, 'timeout-minutes') ||
      /\s(?:-m|--max-time)[=\s]|\btimeout\s/.test(command?.text ?? '');
    return own ? undefined : 'this is the only limit of the call, and old runners ignore it';
  }
  const given = settingOfDeploy(deploy, 'timeout');
  if (given === null) return undefined;
  const text = given ?? settingOf('timeout').default ?? '';
  try {
    const allowed = parseDuration(text, 'timeout') / 60_000;
    return allowed >= minutes
      ? `the deploy may take ${text}, and is cut off after ${minutes} minutes`
      : undefined;
  } catch {
    // Refused by the run.
    return undefined;
  }
}

const JOB_TOKEN = /(?:github|gitea)\.token|secrets\.(?:GITHUB|GITEA)_TOKEN/i;

/** Settings that write to the server, and the scopes of which one is needed. */
const WRITES: [setting: SettingName, scopes: string[]][] = [
  ['commit-status', ['contents', 'code']],
  ['alert-issue', ['issues']],
];

export const missingPermission: Rule = {
  id: 'missing-permission',
  severity: 'error',
  servers: ['gitea-1.27', 'forgejo'],
  shape: '`permissions:` without `contents: write` (commit-status) or `issues: write` (alert-issue)',
  why: 'from Gitea 1.26 on a scope that is not listed is none: a failed deploy opens no issue, and no status is set (`statuses` is no scope there)',
  next: 'list every scope that the deploy writes to',
  check({ workflows, deploysIn }, report) {
    for (const workflow of workflows) {
      const { source } = workflow;
      for (const job of workflow.jobs) {
        const node = valueAt(job.entries, 'permissions') ?? valueAt(workflow.entries, 'permissions');
        if (!node) continue;
        for (const deploy of job.steps.flatMap(deploysIn)) {
          const { step } = deploy;
          const token = textOf(source, valueAt(step.with, 'gitea-token')) ?? variableOf(step, 'GITEA_TOKEN');
          // Another token has rights of its own.
          if (deploy.kind === 'call' || (token !== undefined && !JOB_TOKEN.test(token))) continue;
          for (const [setting, scopes] of WRITES) {
            // The composite tells people unless it is told not to.
            const preset = step.uses && isComposite(step.uses.text) ? 'true' : undefined;
            const given = settingOfDeploy(deploy, setting);
            // Null: only the run knows.
            const wanted = given === null ? undefined : (given ?? preset);
            if (!readBoolean(wanted ?? '')) continue;
            if (!scopes.some((scope) => grants(node, scope)))
              report(source.place(node), `${setting} of job \`${job.id}\` needs \`${scopes[0]}: write\``);
          }
        }
      }
    }
    function grants(node: Node, scope: string): boolean {
      if (isScalar(node)) return node.value === 'write-all';
      return (
        isMap(node) &&
        node.items.some(({ key, value }) => {
          return String(key) === scope && isScalar(value) && value.value === 'write';
        })
      );
    }
  },
};
