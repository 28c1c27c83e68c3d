/** Expressions that are empty, or stay as they are written. */
import type { Node } from 'yaml';
import { type Job, type Step, valueAt, type Workflow } from '../repository/workflow.js';
import type { Report, Rule } from '../rule.js';
import { embeddedIn, referencesIn } from '../syntax/expression.js';
import { expressionsBelow, textsBelow } from '../syntax/expressions.js';
import { type Entry, entriesOf, placeIn, type Source, textOf } from '../syntax/source.js';

const AT_JOB = [
  'if',
  'with',
  'secrets',
  'runs-on',
  'environment',
  'concurrency',
  'env',
  'strategy',
  'timeout-minutes',
  'continue-on-error',
];
const AT_TOP = ['env', 'concurrency', 'run-name'];

export const envContext: Rule = {
  id: 'env-context',
  severity: 'error',
  shape:
    '`env.` in `if`, `with`, `runs-on`, `environment`, `concurrency`, `env` or `strategy` of a job, or at the top of a workflow',
  why: 'the context does not exist there: the text stays as it is written or becomes empty; in `if` it works on runners and is empty from Gitea 1.27 on',
  next: 'use `vars.X`, `github.X` or `needs.<job>.outputs.X`, or move the expression into a step',
  check({ workflows }, report) {
    for (const { source, entries, jobs } of workflows) {
      const look = (from: readonly Entry[], keys: string[], where: string) => {
        for (const { key, value } of from) {
          if (!keys.includes(key)) continue;
          const contexts = key === 'concurrency' || key === 'if' ? ['env', 'secrets'] : ['env'];
          for (const { expression, place } of expressionsBelow(source, value, key)) {
            const [context] =
              referencesIn(expression).find(([first = '']) => contexts.includes(first.toLowerCase())) ?? [];
            if (context) report(place, `\`${context}\` cannot be read in \`${key}\` of ${where}`);
          }
        }
      };
      look(entries, AT_TOP, 'a workflow');
      for (const job of jobs) look(job.entries, AT_JOB, `job \`${job.id}\``);
    }
  },
};

export const emptyExpression: Rule = {
  id: 'empty-expression',
  severity: 'error',
  elsewhere: 'warning',
  shape: '`inputs.X`, `needs.X`, `steps.X` or `matrix.X` that nothing declares',
  why: 'it becomes an empty text: a deploy then rolls to an empty tag, or takes its default',
  next: 'declare the input, list the job in `needs:`, give the earlier step that `id:`',
  check({ workflows, actions }, report) {
    for (const workflow of workflows) checkWorkflow(workflow, report);
    for (const { source, entries, steps } of actions) {
      const inputs = names(entriesOf(source, valueAt(entries, 'inputs')));
      const check = (node: unknown, earlier: readonly Step[]) => {
        for (const { expression, place } of expressionsBelow(source, node)) {
          for (const [context = '', name = '*'] of referencesIn(expression)) {
            if (name === '*') continue;
            if (context.toLowerCase() === 'inputs' && !inputs.has(name.toLowerCase()))
              report(place, `this action has no input \`${name}\``);
            if (context.toLowerCase() === 'steps' && !hasId(earlier, name))
              report(place, `no earlier step has the id \`${name}\``);
          }
        }
      };
      for (const step of steps) check(step.node, step.before);
      check(valueAt(entries, 'outputs'), steps);
    }
  },
};

const names = (entries: readonly Entry[]) => new Set(entries.map(({ key }) => key.toLowerCase()));

const hasId = (steps: readonly Step[], id: string) =>
  steps.some((step) => textOf(step.source, valueAt(step.entries, 'id'))?.toLowerCase() === id.toLowerCase());

function checkWorkflow({ source, entries, triggers, jobs }: Workflow, report: Report): void {
  const inputs = names(
    triggers
      .filter(({ event }) => event === 'workflow_dispatch' || event === 'workflow_call')
      .flatMap(({ below }) => entriesOf(source, valueAt(below, 'inputs'))),
  );
  const checkInputs = (path: string[], place: Parameters<Report>[0]) => {
    const [context, second, third] = path.map((part) => part.toLowerCase());
    const input =
      context === 'inputs'
        ? second
        : context === 'github' && path[1] === 'event' && third === 'inputs'
          ? path[3]?.toLowerCase()
          : undefined;
    if (input !== undefined && input !== '*' && !inputs.has(input))
      report(place, `this workflow has no input \`${input}\``);
  };
  for (const { key, value } of entries) {
    if (key === 'jobs' || key === 'on') continue;
    for (const { expression, place } of expressionsBelow(source, value, key))
      for (const path of referencesIn(expression)) checkInputs(path, place);
  }
  for (const job of jobs) {
    const check = (node: unknown, key: string, earlier: readonly Step[]) => {
      for (const { expression, place } of expressionsBelow(source, node, key)) {
        for (const path of referencesIn(expression)) {
          checkInputs(path, place);
          const problem = missing(job, path, earlier);
          if (problem) report(place, problem);
        }
      }
    };
    for (const { key, value } of job.entries) if (key !== 'steps') check(value, key, job.steps);
    for (const step of job.steps) check(step.node, '', step.before);
  }
}

function missing(
  job: Job,
  [context = '', name = '*', part = '', output]: string[],
  earlier: readonly Step[],
): string | undefined {
  const { source } = job.workflow;
  if (name === '*') return undefined;
  switch (context.toLowerCase()) {
    case 'steps':
      return hasId(earlier, name) ? undefined : `no earlier step of job \`${job.id}\` has the id \`${name}\``;
    case 'matrix':
      return valueAt(job.entries, 'strategy')
        ? undefined
        : `job \`${job.id}\` has no \`strategy\`, so no \`matrix\``;
    case 'needs': {
      if (!job.needs.some(({ id }) => id.toLowerCase() === name.toLowerCase()))
        return `job \`${job.id}\` does not need \`${name}\``;
      const needed = job.workflow.jobs.find(({ id }) => id.toLowerCase() === name.toLowerCase());
      if (!needed || needed.uses || part.toLowerCase() !== 'outputs' || !output || output === '*')
        return undefined;
      const outputs = names(entriesOf(source, valueAt(needed.entries, 'outputs')));
      return outputs.has(output.toLowerCase()) ? undefined : `job \`${name}\` has no output \`${output}\``;
    }
    default:
      return undefined;
  }
}

export const unfilledExpression: Rule = {
  id: 'unfilled-expression',
  severity: 'error',
  elsewhere: 'warning',
  shape: '`{{ vars.X }}` without its `$`, braces without an end, text in them that is no expression',
  why: 'nothing fills it in: the literal text, or an empty one, reaches the deploy as its tag, address or token',
  next: 'put `$` before the two braces, close them, and put texts in single quotes',
  check({ workflows, actions }, report) {
    for (const { source } of [...workflows, ...actions]) {
      for (const { text, node } of textsBelow(source, source.root)) checkText(source, node, text, report);
    }
  },
};

function checkText(source: Source, node: Node, text: string, report: Report): void {
  if (!text.includes('{{')) return;
  const embedded = embeddedIn(text);
  const last = embedded.at(-1);
  const open = text.indexOf('${{', last ? last.at + last.body.length + 5 : 0);
  if (open >= 0) report(placeIn(source, node, open), '`${{` has no end');
  for (const { at, body, expression } of embedded) {
    if (!expression) report(placeIn(source, node, at), `\`${body.trim().slice(0, 60)}\` is no expression`);
  }
  const bare =
    /(?<!\$)(?:\$\s+)?\{\{\s*(?:secrets|vars|github|inputs|needs|env|steps|matrix|gitea)\.[\w.-]+\s*\}\}/g;
  for (const { index, 0: whole } of text.matchAll(bare)) {
    report(
      placeIn(source, node, index),
      `\`${whole}\` stays as it is: the \`$\` before its braces is missing`,
    );
  }
}
