/** Deploys that start too early. */
import { type Deploy, settingOfDeploy, writtenSetting } from '../repository/deploys.js';
import { mayReach, startsOf } from '../repository/events.js';
import type { Project } from '../repository/project.js';
import {
  isCheckout,
  type Job,
  matrixValues,
  type Step,
  upstreamOf,
  valueAt,
} from '../repository/workflow.js';
import type { Rule } from '../rule.js';
import { type Context, conditionOf, holds, STATUS } from '../syntax/condition.js';
import { callsIn, referencesIn } from '../syntax/expression.js';
import { textOf } from '../syntax/source.js';

const BUILD_COMMAND =
  /\b(?:docker|podman|nerdctl)\s+(?:image\s+)?(?:buildx\s+)?(?:build|bake|push)\b|\bbuildah\s+(?:bud|build|push)\b|\bkaniko\b|\bko\s+(?:build|publish)\b|\bcrane\s+push\b/;
const BUILD_ACTION = /docker\/(?:build-push|bake)-action|buildah-build|push-to-registry|kaniko/i;
const BUILD_NAME =
  /^(?:build|publish|image|docker)(?:[-_](?:and[-_])?(?:image|images|push|publish|server))*$/i;

const builds = (job: Job) =>
  BUILD_NAME.test(job.id) ||
  job.steps.some(
    ({ uses, run }) =>
      BUILD_ACTION.test(uses?.text ?? '') || run?.commands.some(({ text }) => BUILD_COMMAND.test(text)),
  );

/** Whether one run may contain both jobs. */
const together = (one: Job, other: Job) =>
  startsOf(one.workflow).some((start) => mayReach(one, start) && mayReach(other, start));

export const deployWithoutNeeds: Rule = {
  id: 'deploy-without-needs',
  severity: 'error',
  shape: 'a deploy job without `needs` of the job that builds the image',
  why: 'both start at once: the roll runs before the image is there, and rolls the old one',
  next: 'add `needs:` with the build job',
  check({ workflows, rolls }, report) {
    for (const { source, jobs } of workflows) {
      for (const job of jobs.filter(rolls)) {
        if (builds(job)) continue;
        const candidates = jobs.filter((other) => other !== job && !rolls(other) && builds(other));
        const upstream = upstreamOf(job);
        const build = candidates.find((other) => together(job, other));
        if (build && !candidates.some((other) => upstream.includes(other)))
          report(
            source.place(job.keyNode),
            `job \`${job.id}\` deploys and does not wait for job \`${build.id}\``,
          );
      }
    }
  },
};

/** How things stand after a failure, or after none, for what `names` of jobs are needed. */
const outcome = (failed: boolean, names: readonly string[] = []): Context => ({
  'success()': { value: !failed },
  'failure()': { value: failed },
  'cancelled()': { value: false },
  ...Object.fromEntries(
    names.map((name) => [`needs.${name.toLowerCase()}.result`, { value: failed ? 'failure' : 'success' }]),
  ),
});

/** Whether a condition is met after a failure as after none; what waits for a failure alone is meant to. */
function ignoresFailure(text: string, needs: readonly string[] = []): boolean {
  const condition = conditionOf(text);
  // Without such a function servers and runners ask for success().
  if (!condition || !callsIn(condition).some((name) => STATUS.includes(name))) return false;
  const failed = holds(condition, outcome(true, needs));
  if (failed === false || holds(condition, outcome(false, needs)) === false) return false;
  const asks = referencesIn(condition).some(([first = '', , third = '']) => {
    return ['needs', 'steps'].includes(first) && /^(?:result|outcome|conclusion)$/.test(third);
  });
  return failed === true || !asks;
}

export const deployAfterFailure: Rule = {
  id: 'deploy-after-failure',
  severity: 'error',
  shape:
    '`always()`, `!cancelled()`, `success() || failure()` on a deploy job with `needs`, or on a deploy step after others',
  why: 'the roll starts although the build or the tests failed; `!cancelled()` is always true on runners before 2.0.0',
  next: "leave the condition out, or ask for `needs.<job>.result == 'success'`",
  check({ workflows, steps, rolls, deploysIn }, report) {
    for (const { source, jobs } of workflows) {
      for (const { id, needs, condition } of jobs.filter(rolls)) {
        if (!condition || !needs.length) continue;
        if (
          ignoresFailure(
            condition.text,
            needs.map((need) => need.id),
          )
        )
          report(source.place(condition.node), `job \`${id}\` deploys although a needed job failed`);
      }
    }
    for (const step of steps) {
      if (!deploysIn(step).some(({ dryRun }) => !dryRun)) continue;
      const node = valueAt(step.entries, 'if');
      const text = textOf(step.source, node);
      if (node && text !== undefined && step.before.some(mayFail) && ignoresFailure(text))
        report(step.source.place(node), 'this step deploys although a step before it failed');
    }
  },
};

const mayFail = (step: Step) =>
  !isCheckout(step) && textOf(step.source, valueAt(step.entries, 'continue-on-error')) !== 'true';

export const productionBeforeStaging: Rule = {
  id: 'production-before-staging',
  severity: 'warning',
  shape:
    'a production deploy that does not wait for the staging deploy of its workflow, in a job of its own or as a leg of one matrix',
  why: 'both roll at once, so a broken image reaches production before staging has shown it',
  next: 'a job for each, and `needs:` with the staging job',
  check(project, report) {
    for (const { source, jobs } of project.workflows) {
      const production = jobs.filter((job) => targets(project, job, PRODUCTION));
      const staging = jobs.filter((job) => targets(project, job, STAGING));
      for (const job of production) {
        const upstream = upstreamOf(job);
        const first = staging.find((one) => one !== job && together(one, job));
        if (first && !staging.some((one) => upstream.includes(one)))
          report(source.place(job.keyNode), `job \`${job.id}\` does not wait for job \`${first.id}\``);
        else if (legs(project, job).some((names) => [PRODUCTION, STAGING].every((one) => names.some(one))))
          report(
            source.place(job.keyNode),
            `the legs of job \`${job.id}\` roll staging and production at once`,
          );
      }
    }
  },
};

const PRODUCTION = (name: string) => /^prod/i.test(name);
const STAGING = (name: string) => /^stag/i.test(name);

const targets = (project: Project, job: Job, matches: (name: string) => boolean) =>
  legs(project, job).some((names) => names.some(matches));

/** The environments of each deploy of a job; of several where the matrix has them. */
const legs = ({ deploysIn }: Project, job: Job): string[][] =>
  job.steps
    .flatMap(deploysIn)
    .filter(({ dryRun }) => !dryRun)
    .map((deploy) => environmentsOf(deploy, job));

function environmentsOf(deploy: Deploy, job: Job): string[] {
  const written = writtenSetting(deploy, 'environment');
  const of = /^\$\{\{\s*matrix\.([\w-]+)\s*\}\}$/.exec(written ?? '')?.[1];
  return of === undefined ? [settingOfDeploy(deploy, 'environment') ?? ''] : matrixValues(job, of);
}
