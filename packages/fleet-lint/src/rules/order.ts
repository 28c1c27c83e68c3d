/** Deploys that start too early. */
import { settingOfDeploy } from '../repository/deploys.js';
import { mayReach, startsOf } from '../repository/events.js';
import type { Project } from '../repository/project.js';
import { type Job, upstreamOf } from '../repository/workflow.js';
import type { Rule } from '../rule.js';
import { conditionOf, referencesIn } from '../syntax/expression.js';
import { ignoresFailure } from './conditions.js';

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
  remedy: 'add `needs:` with the build job',
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

export const deployAfterFailure: Rule = {
  id: 'deploy-after-failure',
  severity: 'error',
  shape: '`if: always()` or `!cancelled()` on a deploy job with `needs`',
  why: 'the roll starts although the build failed; `!cancelled()` is always true on runners before 2.0.0',
  remedy: "leave the condition out, or ask for `needs.<job>.result == 'success'`",
  check({ workflows, rolls }, report) {
    for (const { source, jobs } of workflows) {
      for (const job of jobs.filter(rolls)) {
        const condition = job.condition && conditionOf(job.condition.text);
        if (!job.condition || !job.needs.length || !ignoresFailure(condition)) continue;
        const asks = referencesIn(condition).some(
          ([first, , third]) => first === 'needs' && third === 'result',
        );
        if (!asks)
          report(source.place(job.condition.node), `job \`${job.id}\` deploys although a needed job failed`);
      }
    }
  },
};

export const productionBeforeStaging: Rule = {
  id: 'production-before-staging',
  severity: 'warning',
  shape: 'a production deploy that does not wait for the staging deploy of its workflow',
  why: 'both roll at once, so a broken image reaches production before staging has shown it',
  remedy: 'add `needs:` with the staging job',
  check(project, report) {
    for (const { source, jobs } of project.workflows) {
      const production = jobs.filter((job) => targets(project, job, /^prod/i));
      const staging = jobs.filter((job) => targets(project, job, /^stag/i));
      for (const job of production) {
        const upstream = upstreamOf(job);
        const first = staging.find((one) => one !== job && together(one, job));
        if (first && !staging.some((one) => upstream.includes(one)))
          report(source.place(job.keyNode), `job \`${job.id}\` does not wait for job \`${first.id}\``);
      }
    }
  },
};

const targets = ({ deploysIn }: Project, job: Job, name: RegExp) =>
  job.steps
    .flatMap(deploysIn)
    .some((deploy) => !deploy.dryRun && name.test(settingOfDeploy(deploy, 'environment') ?? ''));
