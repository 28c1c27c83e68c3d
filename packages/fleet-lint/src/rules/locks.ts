/** Deploys of one fleet that nothing keeps apart. */

import type { SettingName } from '@tenant-fleet/fleet-core/config';
import type { FleetConfig } from '../repository/config.js';
import { type Deploy, settingOfDeploy, takesLock } from '../repository/deploys.js';
import type { Project } from '../repository/project.js';
import { valueAt } from '../repository/workflow.js';
import type { Rule } from '../rule.js';
import type { Place } from '../syntax/place.js';

interface Target {
  place: Place;
  environment?: string;
  controlPlane?: string;
  /** Undefined where only the run will know. */
  group?: string;
}

const sameAddress = (one: string, other: string) => one.replace(/\/+$/, '') === other.replace(/\/+$/, '');

const sameFleet = (one: Target, other: Target) =>
  (one.environment !== undefined && one.environment === other.environment) ||
  (one.controlPlane !== undefined &&
    other.controlPlane !== undefined &&
    sameAddress(one.controlPlane, other.controlPlane));

export const lockGroupMismatch: Rule = {
  id: 'lock-group-mismatch',
  severity: 'error',
  shape: 'two deploys of one environment or control plane with different lock groups',
  why: 'each takes a lock that the other does not know: two rolls of one fleet at the same time',
  next: 'give both the same lock-group, or none where the environment name is the same',
  check(project, report) {
    const targets = targetsOf(project);
    for (const [at, target] of targets.entries()) {
      const first = targets.slice(0, at).find((other) => {
        return sameFleet(other, target) && other.group && target.group && other.group !== target.group;
      });
      if (!first) continue;
      const where = `${first.place.file}:${first.place.line}`;
      report(
        target.place,
        `lock group \`${target.group}\` here, \`${first.group}\` in ${where}, for one fleet`,
      );
    }
  },
};

function targetsOf({ deploys, config }: Project): Target[] {
  const ofFile = (config?.environments ?? []).map(({ name, node, values }): Target => {
    const shared = config?.shared ?? {};
    return {
      place: config?.source.place(node) as Place,
      environment: name,
      controlPlane: values['control-plane'] ?? shared['control-plane'],
      group: values['lock-group'] ?? shared['lock-group'] ?? name,
    };
  });
  const ofSteps = deploys
    .filter((deploy) => deploy.kind !== 'call' && !deploy.dryRun && takesLock(deploy) !== false)
    .map((deploy) => targetOf(deploy, config));
  return [...ofFile, ...ofSteps];
}

function targetOf(deploy: Deploy, config: FleetConfig | undefined): Target {
  const { step } = deploy;
  const read = (name: SettingName) => settingOfDeploy(deploy, name);
  const other = read('config');
  const [environment, group, controlPlane] = (['environment', 'lock-group', 'control-plane'] as const).map(
    read,
  );
  const input = step.with.find(({ key }) => key === 'lock-group');
  const place = input && deploy.kind === 'action' ? step.source.place(input.keyNode) : deploy.place;
  const names = config?.environments ?? [];
  const chosen =
    environment ?? config?.shared.environment ?? (names.length === 1 ? names[0]?.name : undefined);
  // What the run fills in, and a configuration file of another name, are not guessed.
  if (environment === null || group === null) return { place };
  if (other !== undefined) return { place, environment, controlPlane: controlPlane ?? undefined, group };
  const values = { ...config?.shared, ...names.find(({ name }) => name === chosen)?.values };
  return {
    place,
    environment: chosen,
    controlPlane: controlPlane === null ? undefined : (controlPlane ?? values['control-plane']),
    group: group ?? values['lock-group'] ?? chosen,
  };
}

export const unlockedDeploy: Rule = {
  id: 'unlocked-deploy',
  severity: 'warning',
  shape: 'a deploy without the lock: a call by hand, or no-lock',
  why: 'two runs, or a run and a person, roll the fleet at the same time, and the older commit may win',
  next: 'deploy with fleet and its lock, or run the call under `fleet lock run`',
  check({ deploys }, report) {
    for (const deploy of deploys) {
      const { job } = deploy.step;
      const concurrency =
        job && (valueAt(job.entries, 'concurrency') ?? valueAt(job.workflow.entries, 'concurrency'));
      if (deploy.dryRun || concurrency || takesLock(deploy) !== false) continue;
      // Beside a deploy that takes the lock it undoes what that one promises.
      const guarded = deploys.some((other) => other !== deploy && !other.dryRun && takesLock(other) === true);
      report(
        deploy.place,
        guarded
          ? 'no lock here, although other deploys of this repository take one'
          : 'nothing keeps this deploy apart from others',
        guarded ? 'error' : undefined,
      );
    }
  },
};
