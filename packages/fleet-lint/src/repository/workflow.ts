/** Workflows and composite actions as the linter sees them. */
import { isScalar, type Node } from 'yaml';
import { type Command, commandsOf } from '../syntax/script.js';
import { innerScripts, parseShell } from '../syntax/shell.js';
import { type Entry, entriesOf, itemsOf, type Source, textOf } from '../syntax/source.js';

export interface Trigger {
  event: string;
  node: Node;
  /** What is written below the event: filters, types, inputs. */
  below: Entry[];
  value: Node | null;
}

export interface Step {
  source: Source;
  node: Node;
  entries: Entry[];
  /** Undefined in an action. */
  job?: Job;
  /** Steps before it. */
  before: Step[];
  uses?: { text: string; node: Node };
  run?: { text: string; node: Node; commands: Command[] };
  with: Entry[];
  env: Entry[];
}

export interface Job {
  workflow: Workflow;
  id: string;
  keyNode: Node;
  entries: Entry[];
  needs: { id: string; node: Node }[];
  condition?: { text: string; node: Node };
  /** Workflow that the whole job consists of. */
  uses?: { text: string; node: Node };
  steps: Step[];
}

export interface Workflow {
  source: Source;
  entries: Entry[];
  triggers: Trigger[];
  jobs: Job[];
}

export interface Action {
  source: Source;
  entries: Entry[];
  steps: Step[];
}

export const valueAt = (entries: readonly Entry[], key: string) =>
  entries.findLast((entry) => entry.key === key)?.value ?? undefined;

/** The text of a key, with its node. */
function textAt(source: Source, entries: readonly Entry[], key: string) {
  const node = valueAt(entries, key);
  const text = textOf(source, node);
  return node && text !== undefined ? { text, node } : undefined;
}

export function readWorkflow(source: Source): Workflow {
  const entries = entriesOf(source, source.root);
  const workflow: Workflow = { source, entries, triggers: readTriggers(source, entries), jobs: [] };
  workflow.jobs = entriesOf(source, valueAt(entries, 'jobs')).map((entry) => readJob(workflow, entry));
  return workflow;
}

export function readAction(source: Source): Action {
  const entries = entriesOf(source, source.root);
  const runs = entriesOf(source, valueAt(entries, 'runs'));
  return { source, entries, steps: readSteps(source, valueAt(runs, 'steps')) };
}

function readTriggers(source: Source, entries: readonly Entry[]): Trigger[] {
  const on = valueAt(entries, 'on');
  const named = entriesOf(source, on).map(({ key, keyNode, value }) => {
    return { event: key, node: keyNode, below: entriesOf(source, value), value };
  });
  if (named.length) return named;
  return itemsOf(source, on)
    .filter(isScalar)
    .map((node) => ({ event: textOf(source, node) ?? '', node, below: [], value: null }));
}

function readJob(workflow: Workflow, { key, keyNode, value }: Entry): Job {
  const { source } = workflow;
  const entries = entriesOf(source, value);
  const job: Job = {
    workflow,
    id: key,
    keyNode,
    entries,
    needs: itemsOf(source, valueAt(entries, 'needs')).flatMap((node) => {
      const id = textOf(source, node);
      return id === undefined ? [] : [{ id, node }];
    }),
    condition: textAt(source, entries, 'if'),
    uses: textAt(source, entries, 'uses'),
    steps: [],
  };
  job.steps = readSteps(source, valueAt(entries, 'steps'), job);
  return job;
}

/** Those of the script, and of the here-documents that its shells are given. */
function allCommandsOf(script: string): Command[] {
  const inner = /<<-?\s*["']?\w/.test(script) ? innerScripts(parseShell(script), false) : [];
  const below = inner.flatMap(({ text, from }) =>
    commandsOf(text).map((command) => ({
      text: command.text,
      at: command.at + from,
      origin: (index: number) => command.origin(index) + from,
    })),
  );
  return [...commandsOf(script), ...below].sort((one, other) => one.at - other.at);
}

function readSteps(source: Source, list: unknown, job?: Job): Step[] {
  const steps: Step[] = [];
  for (const node of itemsOf(source, list)) {
    const entries = entriesOf(source, node);
    const run = textAt(source, entries, 'run');
    steps.push({
      source,
      node,
      entries,
      job,
      before: steps.slice(),
      uses: textAt(source, entries, 'uses'),
      run: run && { ...run, commands: allCommandsOf(run.text) },
      with: entriesOf(source, valueAt(entries, 'with')),
      env: entriesOf(source, valueAt(entries, 'env')),
    });
  }
  return steps;
}

/** The job and all that it waits for, itself first. */
export function upstreamOf(job: Job): Job[] {
  const found = [job];
  for (const one of found) {
    for (const { id } of one.needs) {
      const needed = job.workflow.jobs.find((other) => other.id === id);
      if (needed && !found.includes(needed)) found.push(needed);
    }
  }
  return found;
}

/** What a matrix has for one of its names, those that `include` adds too. */
export function matrixValues(job: Job, name: string): string[] {
  const { source } = job.workflow;
  const matrix = entriesOf(source, valueAt(entriesOf(source, valueAt(job.entries, 'strategy')), 'matrix'));
  const included = itemsOf(source, valueAt(matrix, 'include')).map((one) =>
    valueAt(entriesOf(source, one), name),
  );
  return [...itemsOf(source, valueAt(matrix, name)), ...included].flatMap(
    (node) => textOf(source, node) ?? [],
  );
}

/** Whether a step fetches the repository. */
export const isCheckout = ({ uses, run }: Step): boolean =>
  /(?:^|\/)[\w-]*checkout[\w-]*(?:@|$)/.test(uses?.text ?? '') ||
  (run?.commands.some(({ text }) => /\bgit\b.*\b(?:clone|checkout|fetch|init|pull)\b|\btar\b/.test(text)) ??
    false);

/** What a step's script is run by, as the step, its job or its workflow says. */
export function shellNameOf({ source, entries, job }: Step): string | undefined {
  const own = textOf(source, valueAt(entries, 'shell'));
  const defaults = [job?.entries ?? [], job?.workflow.entries ?? []].map((layer) => {
    const run = valueAt(entriesOf(source, valueAt(layer, 'defaults')), 'run');
    return textOf(source, valueAt(entriesOf(source, run), 'shell'));
  });
  return own ?? defaults.find((shell) => shell !== undefined);
}

/** A variable as step, job or workflow set it. */
export function variableOf(step: Step, name: string): string | undefined {
  const { source, job } = step;
  const layers = [
    step.env,
    job ? entriesOf(source, valueAt(job.entries, 'env')) : [],
    job ? entriesOf(source, valueAt(job.workflow.entries, 'env')) : [],
  ];
  for (const layer of layers) {
    const text = textOf(source, valueAt(layer, name));
    if (text) return text;
  }
  return undefined;
}
