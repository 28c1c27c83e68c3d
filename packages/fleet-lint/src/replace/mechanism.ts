/** What a deploy by hand, with curl and jq, says of the fleet that it rolls. */
import { namesDeploy } from '../repository/deploys.js';
import type { Step } from '../repository/workflow.js';
import { textOf } from '../syntax/source.js';
import { fallbackOf, type Lookup, readWord, type Value, variablesOf } from './values.js';

/** Settings that can be read from such scripts; those of a workflow, and those that go to the configuration file. */
export interface Read {
  targetTag?: Value;
  expectedSha?: Value;
  token?: Value;
  hold?: Value;
  /** By the names of fleet's settings; variables of the server stand as what they fall back on. */
  settings: Record<string, string | number | string[]>;
  /** Expressions in whose place a fixed value stands from here on. */
  fixed: string[];
}

const FIELDS = {
  canary_slug: 'canary',
  soak_seconds: 'soak',
  batch_size: 'batch-size',
  max_stragglers: 'max-stragglers',
} as const;
const SWITCH = /hold|freeze|kill|disable|pause/i;

/** Whether a step belongs to a deploy by hand: it rolls, asks tenants what they run, or reads a kill switch for it. */
export const isPartOf = (step: Step): boolean =>
  step.run !== undefined &&
  (step.run.commands.some(({ text }) => namesDeploy(text)) || /\/buildinfo\b/.test(step.run.text));

/** A step of the same job that does nothing but read a kill switch. */
export const isSwitch = (step: Step): boolean =>
  step.run !== undefined && switchOf(step) !== undefined && !/\b(?:curl|docker|git)\b/.test(step.run.text);

function switchOf({ env, source, run }: Step): Value | undefined {
  for (const { key, value } of env) {
    const text = textOf(source, value);
    if (text && SWITCH.test(key) && /^\$\{\{\s*vars\.\w+\s*\}\}$/.test(text))
      return { kind: 'expression', text };
  }
  const direct = /\$\{\{\s*vars\.(\w+)\s*\}\}/.exec(run?.text ?? '');
  return direct?.[1] && SWITCH.test(direct[1]) ? { kind: 'expression', text: direct[0] } : undefined;
}

/** @param steps All steps of one deploy by hand. */
export function readMechanism(steps: readonly Step[]): Read {
  const read: Read = { settings: {}, fixed: [] };
  const keep = (name: string, value: Value | undefined, shown: (text: string) => string | number) => {
    const text = value && fallbackOf(value);
    if (!text || name in read.settings) return;
    read.settings[name] = shown(text);
    if (value.kind === 'expression') read.fixed.push(value.text);
  };
  for (const step of steps) {
    const lookup = variablesOf(
      step,
      steps.filter((other) => other !== step),
    );
    const text = step.run?.text ?? '';
    const word = (pattern: RegExp) => {
      const found = pattern.exec(text)?.[1];
      return found === undefined ? undefined : readWord(found, lookup);
    };
    keep('control-plane', word(/([^\s"'=]+)\/cp\/admin\/tenants\/redeploy-fleet/), String);
    keep('tenant-url', tenantUrl(text, lookup), String);
    for (const [field, name] of Object.entries(FIELDS))
      keep(
        name,
        fieldOf(field, text, lookup),
        name === 'canary' ? String : name === 'soak' ? seconds : count,
      );
    keep('settle-budget', budgetOf(text, lookup), seconds);
    read.targetTag ??= fieldOf('target_tag', text, lookup);
    read.token ??= word(/Authorization:\s*Bearer\s+([^\s"']+)/i);
    read.hold ??= switchOf(step);
    read.expectedSha ??= expectedSha(text, lookup);
    const globs = ephemeralIn(text);
    if (globs.length) read.settings.ephemeral ??= globs;
  }
  return read;
}

const seconds = (text: string) => `${text}s`;
const count = (text: string) => Number(text);

/** A field of the request's body, as jq or the shell itself writes it. */
function fieldOf(field: string, text: string, lookup: Lookup): Value | undefined {
  const written = new RegExp(`\\\\?"?\\b${field}\\b\\\\?"?\\s*:\\s*([^,}\\s]+)`).exec(text)?.[1];
  if (written === undefined) return undefined;
  const bare = written.replace(/^[\\"']+|[\\"']+$/g, '');
  const argument = /^\(?\$(\w+)/.exec(bare)?.[1];
  const given =
    argument && new RegExp(`--arg(?:json)?\\s+${argument}\\s+("[^"]*"|'[^']*'|[^\\s\\\\]+)`).exec(text)?.[1];
  const value = readWord(given ?? bare, lookup);
  return value.text ? value : undefined;
}

/** The address that tenants are asked at, with `{slug}` for the name that a loop fills in. */
function tenantUrl(text: string, lookup: Lookup): Value | undefined {
  const written = /((?:https?:\/\/|\$)[^\s"']+)\/buildinfo\b/.exec(text)?.[1];
  if (!written) return undefined;
  const isSlug = (name: string) => /slug|tenant|name/i.test(name) || name.length === 1;
  return readWord(written, (name) => {
    const value = lookup(name);
    if (value && value.kind !== 'shell') return value;
    return isSlug(name) ? { kind: 'literal', text: '{slug}' } : value;
  });
}

/** How long one tenant may go on answering with the old commit: a variable called so, or rounds times their pause. */
function budgetOf(text: string, lookup: Lookup): Value | undefined {
  for (const [, name = ''] of text.matchAll(/\b([A-Za-z_]*(?:SETTLE|BUDGET|DEADLINE)[A-Za-z_]*)\b/gi)) {
    const value = lookup(name);
    if (value && /^\d+$/.test(fallbackOf(value) ?? '')) return value;
  }
  const rounds = /\$\(seq\s+(?:1\s+)?(\d+)\)|\{1\.\.(\d+)\}/.exec(text);
  const pause = /\bsleep\s+(\d+)\b/.exec(text)?.[1];
  if (!rounds || !pause || !/\/buildinfo\b/.test(text)) return undefined;
  return { kind: 'literal', text: String(Number(rounds[1] ?? rounds[2]) * Number(pause)) };
}

function expectedSha(text: string, lookup: Lookup): Value | undefined {
  for (const [, name = ''] of text.matchAll(
    /\$\{?((?:EXPECTED|WANT|WANTED|TARGET)_?(?:GIT_)?(?:SHA|COMMIT)?)\b/gi,
  )) {
    const value = /SHA|COMMIT|WANT|EXPECTED/i.test(name) ? lookup(name) : undefined;
    if (value && value.kind !== 'shell') return value;
  }
  return /\$\{?GITHUB_SHA\b/.test(text) ? lookup('GITHUB_SHA') : undefined;
}

/** Name patterns that scripts let pass: arms of a `case`, `[[ $slug == e2e-* ]]`, `grep -E '^(e2e-|rt-e2e-)'`. */
function ephemeralIn(text: string): string[] {
  const arms = [...text.matchAll(/^\s*\(?((?:[a-z][\w-]*-\*\s*\|\s*)*[a-z][\w-]*-\*)\)/gm)].flatMap(
    ([, list = '']) => list.split('|').map((one) => one.trim()),
  );
  const compared = [...text.matchAll(/==?\s*"?([a-z][\w-]*-)"?\*/g)].map(([, prefix]) => `${prefix}*`);
  const searched = [...text.matchAll(/\^\(?((?:[a-z][\w-]*-\|)*[a-z][\w-]*-)\)?/g)].flatMap(([, list = '']) =>
    list.split('|').map((prefix) => `${prefix}*`),
  );
  return [...new Set([...arms, ...compared, ...searched])];
}
