/** Failures of a deploy that nobody sees. */
import { type Deploy, namesDeploy } from '../repository/deploys.js';
import { type Step, shellNameOf, valueAt } from '../repository/workflow.js';
import type { Rule } from '../rule.js';
import { lossOf } from '../syntax/exit-code.js';
import { parseShell, pathTo, shellOf } from '../syntax/shell.js';
import { placeIn, textOf } from '../syntax/source.js';

export const maskedFailure: Rule = {
  id: 'masked-failure',
  severity: 'error',
  shape: '`continue-on-error` on a deploy step, or on a job that deploys',
  why: 'a failed deploy shows as green; on the job, servers before 1.27 ignore the key, so the colour depends on the version',
  next: 'take it away; for tenants that may stay behind there is max-stragglers',
  check({ workflows, rolls, steps, deploysIn }, report) {
    const masks = (value: string | undefined) => value !== undefined && value !== 'false';
    for (const { source, jobs } of workflows) {
      for (const job of jobs.filter(rolls)) {
        const node = valueAt(job.entries, 'continue-on-error');
        if (masks(textOf(source, node)))
          report(source.place(node), `a failed deploy of job \`${job.id}\` is green`);
      }
    }
    for (const step of steps.filter((one) => deploysIn(one).length)) {
      const node = valueAt(step.entries, 'continue-on-error');
      if (masks(textOf(step.source, node)))
        report(step.source.place(node), 'a failed deploy goes on as if it were proven');
    }
  },
};

export const maskedExitCode: Rule = {
  id: 'masked-exit-code',
  severity: 'error',
  shape:
    "anything in a script that keeps the deploy's exit code from becoming the script's: `|| true`, a pipe without `pipefail`, `export X=$(...)`, `&`, `set +e`, an `if` or `!` that nothing ends the step by",
  why: 'the exit code is the verdict; whoever drops it shows a failed deploy as green',
  next: 'let the command end the step (`shell: bash` brings `-e -o pipefail`); exit codes say which kind of failure it was',
  check({ steps, deploysIn }, report) {
    for (const step of steps) {
      const script = readScript(step);
      if (!script?.options) continue;
      for (const deploy of deploysIn(step)) {
        if (!isFollowed(deploy)) continue;
        const loss = lossOf(script.parsed, positionOf(deploy), script.options, namesDeploy);
        if (loss)
          report(placeIn(step.source, script.node, loss.at), loss.text, loss.perhaps ? 'warning' : undefined);
      }
    }
  },
};

export const unreadScript: Rule = {
  id: 'unread-script',
  severity: 'warning',
  shape:
    'a deploy in a script that this linter cannot read: another language than that of sh and bash, or a mistake in it',
  why: 'whether its exit code ends the step is not known; a script that the shell cannot read either does nothing',
  next: 'deploy in a step of its own with `shell: bash`, or with the action',
  check({ steps, deploysIn }, report) {
    for (const step of steps) {
      const deploy = deploysIn(step).find(isFollowed);
      const script = deploy && readScript(step);
      if (!script) continue;
      const { parsed, options, name, node } = script;
      const [error] = parsed.script.errors ?? [];
      if (!options) report(deploy.place, `scripts for \`${name}\` are not read here`);
      else if (error)
        report(placeIn(step.source, node, error.pos), `the shell script cannot be read: ${error.message}`);
      else if (!pathTo(parsed, positionOf(deploy)).length)
        report(deploy.place, 'what this deploy is a part of cannot be read');
    }
  },
};

/** The status that curl writes is the verdict of a call by hand, not its exit code. */
const isFollowed = ({ kind, command, dryRun }: Deploy) =>
  command !== undefined && !dryRun && !(kind === 'call' && /\s(?:-w|--write-out)[=\s]/.test(command.text));

const positionOf = ({ command, index }: Deploy) => command?.origin(index) ?? 0;

function readScript(step: Step) {
  const { run } = step;
  return run && { parsed: parseShell(run.text), node: run.node, ...shellOf(shellNameOf(step)) };
}
