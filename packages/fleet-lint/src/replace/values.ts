/** What the words of a script stand for, as far as workflow and script themselves say it. */
import { type Step, valueAt } from '../repository/workflow.js';
import { type Entry, entriesOf, textOf } from '../syntax/source.js';

/** `expression`: the server fills it in; `shell`: only the run will know. */
export interface Value {
  kind: 'literal' | 'expression' | 'shell';
  text: string;
}

/** Gives what a variable holds; undefined for one that nothing here sets. */
export type Lookup = (name: string) => Value | undefined;

/** What runners set, as the expression for it. */
const OF_THE_RUN: Readonly<Record<string, string>> = {
  GITHUB_SHA: 'github.sha',
  GITHUB_REF_NAME: 'github.ref_name',
  GITHUB_REPOSITORY: 'github.repository',
};
const MAX_DEPTH = 8;
const ASSIGNMENT = /^(?:(?:export|readonly|local|declare)\s+)?([A-Za-z_]\w*)=(.*)$/s;

/** Variables of a step: what its script, those of the steps beside it, the step, its job and its workflow set. */
export function variablesOf(step: Step, beside: readonly Step[]): Lookup {
  const { source, job } = step;
  const env = (entries: readonly Entry[] | undefined) =>
    new Map(
      (entries ?? []).flatMap(({ key, value }): [string, string][] => {
        const text = textOf(source, value);
        return text === undefined ? [] : [[key, text]];
      }),
    );
  const envOf = (entries: readonly Entry[] | undefined) =>
    env(entries && entriesOf(source, valueAt(entries, 'env')));
  const layers = [
    assignedIn([step, ...beside]),
    env(step.env),
    ...beside.map((one) => env(one.env)),
    envOf(job?.entries),
    envOf(job?.workflow.entries),
  ];
  const at = (name: string, from: number, depth: number): Value | undefined => {
    const layer = layers.findIndex((one, index) => index >= from && one.has(name));
    if (layer < 0 || depth > MAX_DEPTH) return ofTheRun(name);
    // A variable that falls back on itself (`A=${A:-x}`) means the one further out.
    return readWord(layers[layer]?.get(name) ?? '', (other) =>
      at(other, other === name ? layer + 1 : 0, depth + 1),
    );
  };
  return (name) => at(name, 0, 0);
}

function ofTheRun(name: string): Value | undefined {
  const own = OF_THE_RUN[name];
  return own === undefined ? undefined : { kind: 'expression', text: `\${{ ${own} }}` };
}

function assignedIn(steps: readonly Step[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const { run } of steps) {
    for (const { text } of run?.commands ?? []) {
      const [, name, value] = ASSIGNMENT.exec(text) ?? [];
      if (name && value !== undefined && !found.has(name)) found.set(name, value);
    }
  }
  return found;
}

/** What a word of a script stands for. */
export function readWord(word: string, lookup: Lookup): Value {
  const text = word.trim().replace(/^(["'])(.*)\1$/s, '$2');
  const fallback = /^\$\{([A-Za-z_]\w*):?-([^{}]*)\}$/.exec(text);
  if (fallback) return lookup(fallback[1] ?? '') ?? readWord(fallback[2] ?? '', lookup);
  const held = new Set<Value['kind']>();
  const filled = text.replace(/\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)/g, (all, braced, bare) => {
    const value = lookup(braced ?? bare);
    held.add(value?.kind ?? 'shell');
    return value?.text ?? all;
  });
  const rest = filled.replace(/\$\{\{.*?\}\}/gs, '');
  if (held.has('shell') || /[$`]/.test(rest)) return { kind: 'shell', text: filled };
  return { kind: filled.includes('${{') ? 'expression' : 'literal', text: filled };
}

/** The value that an expression falls back on: `staging-latest` of `${{ vars.TAG || 'staging-latest' }}`. */
export const fallbackOf = ({ kind, text }: Value): string | undefined =>
  kind === 'literal' ? text : kind === 'expression' ? /\|\|\s*'([^']*)'\s*\}\}$/.exec(text)?.[1] : undefined;
