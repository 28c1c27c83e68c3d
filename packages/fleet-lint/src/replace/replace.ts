/** Puts one step of fleet in the place of a deploy by hand. */
import { deploysOf } from '../repository/deploys.js';
import { isCheckout, type Job, readWorkflow, type Step, valueAt } from '../repository/workflow.js';
import type { LintFile, Place } from '../syntax/place.js';
import { commandsIn, parseShell, wordsOf } from '../syntax/shell.js';
import { entriesOf, parseSource, placeIn, type Source, textOf } from '../syntax/source.js';
import { applyEdits, type Edit, endOfBlock, startOfComments } from './edit.js';
import { isPartOf, isSwitch, type Read, readMechanism } from './mechanism.js';

/** Something that people have to look at: it was taken out, or does not work on. */
export interface Left {
  place: Place;
  message: string;
}

/** A workflow whose deploy by hand became a step of fleet. */
export interface Replacement {
  path: string;
  before: string;
  after: string;
  /** Settings for the configuration file, by name, that its scripts carried. */
  settings: Record<string, string | number | string[]>;
  environment: string;
  /** What was not taken over, by line of the old file. */
  left: Left[];
}

export interface ReplaceOptions {
  /** What `uses:` names: the composite action with its pin. */
  uses: string;
  /** Environment of the configuration file, which the settings in the scripts may tell. */
  environment: (found: Pick<Replacement, 'path' | 'settings'>) => string;
}

/** The checkout that a step is given where there is none: pinned by its commit, which nobody can move. */
export const CHECKOUT = 'actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2';

/**
 * Finds jobs that call `redeploy-fleet` by curl and ask tenants for `/buildinfo`, and puts the composite in their place.
 *
 * @returns null where the file has no such job. Pure: nothing is written.
 */
export function replaceCalls(file: LintFile, options: ReplaceOptions): Replacement | null {
  const source = parseSource(file);
  if (source.kind !== 'workflow' || source.problems.length) return null;
  const workflow = readWorkflow(source);
  const jobs = workflow.jobs.filter(callsByHand);
  if (!jobs.length) return null;
  const found: Found = { edits: [], left: [], settings: {} };
  const mechanisms = jobs.map((job) => mechanismOf(job));
  for (const { read } of mechanisms) found.settings = { ...read.settings, ...found.settings };
  const { path, text: before } = file;
  const { settings } = found;
  const environment = options.environment({ path, settings });
  for (const mechanism of mechanisms)
    replaceIn(mechanism, source, { uses: options.uses, environment }, found);
  dropKey(source, workflow.entries, 'concurrency', CONCURRENCY, found);
  const after = applyEdits(before, found.edits);
  return { path, before, after, settings, environment, left: inOrder(found.left) };
}

/** A deploy by hand: the steps that it is made of, and what they say. */
interface Mechanism {
  job: Job;
  parts: Step[];
  read: Read;
}

function mechanismOf(job: Job): Mechanism {
  const parts = job.steps.filter((step) => isPartOf(step) || isSwitch(step));
  return { job, parts, read: readMechanism(parts) };
}

interface StepOptions {
  uses: string;
  environment: string;
}

interface Found {
  edits: Edit[];
  left: Left[];
  settings: Replacement['settings'];
}

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: expressions of workflows
const OWN_TAG = '${{ steps.fleet-target.outputs.tag }}';
const OWN_COMMIT = '${{ github.sha }}';
const TOKEN = '${{ secrets.FLEET_CP_TOKEN }}';
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: expressions of workflows
const NO_TAG = '# which image?';
const TOLERANCE = '`continue-on-error` is taken out: a red deploy stays red';
const CONCURRENCY =
  '`concurrency` is taken out: servers ignore it or drop queued runs, and the lock of the environment is there for all';

const callsByHand = ({ steps }: Job): boolean =>
  steps.some((step) => deploysOf(step).some(({ kind, dryRun }) => kind === 'call' && !dryRun));

const inOrder = (left: Left[]) => left.sort((one, other) => one.place.line - other.place.line);

function replaceIn(
  { job, parts, read }: Mechanism,
  source: Source,
  options: StepOptions,
  found: Found,
): void {
  const rolls = parts.find((step) => deploysOf(step).some(({ kind }) => kind === 'call'));
  const rows = parts.map((step) => rowsOf(source, step));
  if (!rolls || rows.some((row) => row === null)) {
    const message = `job \`${job.id}\` is written in a form that is not rewritten (one line, or an anchor): do it by hand`;
    found.left.push({ place: source.place(job.keyNode), message });
    return;
  }
  for (const [at, row] of rows.entries()) {
    if (row)
      found.edits.push({ ...row, lines: parts[at] === rolls ? stepLines(rolls, read, options, row) : [] });
  }
  found.left.push(...leftOf(parts, job, read, source));
  dropKey(source, job.entries, 'concurrency', CONCURRENCY, found);
  dropKey(source, job.entries, 'continue-on-error', TOLERANCE, found);
  grantRights(job, source, found);
  dropVariables(job, source, rows, found);
}

/** Variables of the job that nothing outside the replaced steps reads: one of them is the token. */
function dropVariables(job: Job, source: Source, gone: readonly (Row | null)[], found: Found): void {
  const env = job.entries.find(({ key }) => key === 'env');
  if (!env) return;
  const own = entriesOf(source, env.value).map(({ key, keyNode }) => ({
    key,
    at: source.place(keyNode).line - 1,
  }));
  const top = source.place(env.keyNode).line - 1;
  const end = endOfBlock(source.lines, top);
  const read = (name: string) =>
    source.lines.some((line, at) => {
      const elsewhere = (at < top || at >= end) && !gone.some((row) => row && row.from <= at && at < row.to);
      return elsewhere && new RegExp(`\\b${name}\\b`).test(line);
    });
  const unread = own.filter(({ key, at }) => at > top && !read(key));
  if (unread.length === own.length) found.edits.push({ from: top, to: end, lines: [] });
  else
    for (const { at } of unread) found.edits.push({ from: at, to: endOfBlock(source.lines, at), lines: [] });
}

interface Row {
  from: number;
  to: number;
  indent: string;
}

/** The lines of a step, from its dash with the comments above; null where it does not begin on a line of its own. */
function rowsOf(source: Source, step: Step): Row | null {
  const at = source.place(step.node).line - 1;
  const indent = /^(\s*)- /.exec(source.lines[at] ?? '')?.[1];
  if (indent === undefined) return null;
  return { from: startOfComments(source.lines, at), to: endOfBlock(source.lines, at), indent };
}

/** The step of fleet as lines, after one that tells it the tag where only a shell can. */
function stepLines(rolls: Step, read: Read, { uses, environment }: StepOptions, row: Row): string[] {
  const lines: string[] = [];
  const put = (depth: number, text: string) => lines.push(`${row.indent}${'  '.repeat(depth)}${text}`);
  const textAt = (key: string) => textOf(rolls.source, valueAt(rolls.entries, key));
  if (!rolls.before.some(isCheckout)) put(0, `- uses: ${CHECKOUT}`);
  let tag = read.targetTag?.text ?? NO_TAG;
  if (read.targetTag?.kind === 'shell') {
    put(0, '- id: fleet-target');
    put(1, `run: echo "tag=${tag}" >> "$GITHUB_OUTPUT"`);
    tag = OWN_TAG;
  }
  const name = textAt('name');
  put(0, name ? `- name: ${name}` : `- uses: ${uses}`);
  if (name) put(1, `uses: ${uses}`);
  for (const key of ['id', 'if']) {
    const text = textAt(key);
    if (text) put(1, `${key}: ${text}`);
  }
  put(1, 'with:');
  put(2, `environment: ${environment}`);
  put(2, `target-tag: ${tag}`);
  put(2, `expected-sha: ${read.expectedSha?.text ?? OWN_COMMIT}`);
  put(2, `token: ${read.token?.kind === 'expression' ? read.token.text : TOKEN}`);
  if (read.hold) put(2, `hold: ${read.hold.text}`);
  return lines;
}

/** From Gitea 1.26 on a scope that is not listed is none, and fleet sets a commit status and keeps an alert issue. */
function grantRights(job: Job, source: Source, found: Found): void {
  const steps = job.entries.find(({ key }) => key === 'steps');
  if (!steps || job.entries.some(({ key }) => key === 'permissions')) return;
  const { line, column } = source.place(steps.keyNode);
  const lines = ['permissions:', '  contents: write', '  issues: write'].map(
    (text) => ' '.repeat(column - 1) + text,
  );
  found.edits.push({ from: line - 1, to: line - 1, lines });
}

function dropKey(source: Source, entries: Job['entries'], key: string, message: string, found: Found): void {
  const entry = entries.find((one) => one.key === key);
  if (!entry) return;
  const place = source.place(entry.keyNode);
  const at = place.line - 1;
  found.edits.push({ from: startOfComments(source.lines, at), to: endOfBlock(source.lines, at), lines: [] });
  found.left.push({ place, message });
}

/** What such scripts do for themselves, and fleet does in their place. */
const TAKEN_OVER = new Set(
  `[ [[ : awk basename break cat continue curl cut date declare echo exit export false grep head jq let local mapfile mktemp
  printf read readarray return rm sed seq set shift sleep sort tail test tr trap true uniq unset wc xargs`.split(
    /\s+/,
  ),
);

function leftOf(parts: readonly Step[], job: Job, read: Read, source: Source): Left[] {
  const left: Left[] = [];
  for (const expression of new Set(read.fixed)) {
    const part = parts.find(({ env }) => env.some(({ value }) => textOf(source, value) === expression));
    const message = `${expression} is not read any more: what it falls back on stands in the configuration file`;
    left.push({ place: source.place(part?.node ?? job.keyNode), message });
  }
  if (!read.targetTag)
    left.push({
      place: source.place(job.keyNode),
      message: 'no `target_tag` was found: say which image to roll to',
    });
  if (!read.expectedSha) {
    const message = 'no expected commit was found: the commit of the run is taken';
    left.push({ place: source.place(job.keyNode), message });
  }
  for (const step of parts) left.push(...commandsLeft(step), ...outputsLeft(step, job, parts));
  return left;
}

function commandsLeft({ run, source }: Step): Left[] {
  if (!run) return [];
  const { script, text } = parseShell(run.text);
  const functions = new Set(
    [...text.matchAll(/^\s*(?:function\s+)?([\w-]+)\s*\(\)/gm)].map(([, name]) => name),
  );
  return commandsIn(script).flatMap((command): Left[] => {
    const [name = ''] = wordsOf(command);
    const written = run.text.slice(command.pos, command.end).split('\n')[0] ?? '';
    const elsewhere =
      name === 'curl' && !/redeploy-fleet|buildinfo|\$/.test(run.text.slice(command.pos, command.end));
    if (!name || functions.has(name) || (TAKEN_OVER.has(name) && !elsewhere)) return [];
    const message = `\`${written.trim().slice(0, 80)}\` is not taken over: give it a step of its own if it is needed`;
    return [{ place: placeIn(source, run.node, command.pos), message }];
  });
}

/** Outputs of steps that are gone, where the rest of the workflow reads them. */
function outputsLeft(step: Step, job: Job, parts: readonly Step[]): Left[] {
  const id = textOf(step.source, valueAt(step.entries, 'id'));
  if (!id) return [];
  const rest = job.workflow.source.lines;
  const gone = parts.map((part) => rowsOf(step.source, part));
  return rest.flatMap((line, at): Left[] => {
    const name = new RegExp(`steps\\.${id}\\.outputs\\.([\\w-]+)`).exec(line)?.[1];
    if (!name || gone.some((row) => row && row.from <= at && at < row.to)) return [];
    const message = `output \`${name}\` of step \`${id}\` is gone: fleet sets outcome, deployed, on-target, stale, result-json, report`;
    return [{ place: { file: step.source.path, line: at + 1, column: 1 }, message }];
  });
}
