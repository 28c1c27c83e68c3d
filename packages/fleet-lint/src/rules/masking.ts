/** Failures of a deploy that nobody sees. */
import type { Deploy } from '../repository/deploys.js';
import { type Step, valueAt } from '../repository/workflow.js';
import type { Rule } from '../rule.js';
import type { Place } from '../syntax/place.js';
import { restOfList } from '../syntax/script.js';
import { placeIn, textOf } from '../syntax/source.js';

export const maskedFailure: Rule = {
  id: 'masked-failure',
  severity: 'error',
  shape: '`continue-on-error` on a deploy step, or on a job that deploys',
  why: 'a failed deploy shows as green; on the job, servers before 1.27 ignore the key, so the colour depends on the version',
  remedy: 'take it away; for tenants that may stay behind there is max-stragglers',
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
    '`|| true`, `|| echo ...`, `set +e` or an `if` around a deploy command that nothing ends the step by',
  why: 'the exit code is the verdict; whoever drops it shows a failed deploy as green',
  remedy: 'let the command end the step; exit codes say which kind of failure it was',
  check({ steps, deploysIn }, report) {
    for (const step of steps) {
      for (const deploy of deploysIn(step)) {
        const found = mask(step, deploy);
        if (found) report(found.place, found.text);
      }
    }
  },
};

/** Ends a script with a failure. */
const ENDS = /\b(?:exit\s+(?:[1-9]|["']?\$)|exit\s*(?:$|[;&|}])|false\b|return\s+(?:[1-9]|["']?\$))/m;
const SWALLOW = /\|\|\s*(?:\{\s*)?(?:true\b|:(?=\s|$|\))|echo\b|printf\b|exit\s+0\b|\(?\s*exit\s+0)/;

function mask(
  step: Step,
  { kind, command, index, code, place }: Deploy,
): { place: Place; text: string } | undefined {
  const { run, source } = step;
  if (!command || !run) return undefined;
  // The status that curl writes is the verdict of a call, not its exit code.
  if (kind === 'call' && /\s(?:-w|--write-out)[=\s]/.test(command.text)) return undefined;
  const at = run.commands.indexOf(command);
  const following = [command.text.slice(index), ...run.commands.slice(at + 1).map(({ text }) => text)].join(
    '\n',
  );
  const swallow = SWALLOW.exec(restOfList(code, index));
  if (swallow) {
    const from = index + swallow.index;
    // A block may go on over several lines.
    const handler = swallow[0].includes('{') ? following : command.text.slice(from);
    if (!ENDS.test(handler.replace(/exit\s+0/g, ''))) {
      const text = `\`${swallow[0]}\` drops the exit code of the deploy`;
      return { place: placeIn(source, run.node, command.origin(from)), text };
    }
  }
  if (/^(?:if|while|until)\s/.test(command.text) && !ENDS.test(following)) {
    const word = command.text.split(/\s/, 1)[0];
    return { place, text: `\`${word}\` takes the exit code of the deploy, and nothing ends the step by it` };
  }
  let off: number | undefined;
  for (const [place, { text }] of run.commands.slice(0, at + 1).entries()) {
    if (/(?:^|[;&]\s*)set\s+(?:\+\w*e|\+o\s+errexit)/.test(text)) off = place;
    else if (/(?:^|[;&]\s*)set\s+(?:-\w*e|-o\s+errexit)/.test(text)) off = undefined;
  }
  // The last command's exit code is the script's, with or without the shell option.
  if (off === undefined || at === run.commands.length - 1 || /\$\{?(?:\?|PIPESTATUS)/.test(following))
    return undefined;
  const line = run.commands[off];
  return {
    place: line ? placeIn(source, run.node, line.at) : place,
    text: '`set +e` drops the exit code of the deploy, which nothing reads afterwards',
  };
}
