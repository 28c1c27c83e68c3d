/** Flags, inputs, variables and keys that fleet itself would refuse. */
import { type Command, SETTING_NAMES, SETTINGS, settingsFor } from '@tenant-fleet/fleet-core/config';
import leven from 'leven';
import { isFleetAction } from '../repository/deploys.js';
import { refusalOf, refusalsOf, settingNameOf } from '../repository/settings.js';
import { type Step, valueAt } from '../repository/workflow.js';
import type { Report, Rule } from '../rule.js';
import { commandsIn, innerScripts, parseShell } from '../syntax/shell.js';
import { entriesOf, entryOf, placeIn, type Source, textOf } from '../syntax/source.js';

/** Flags that are no settings. A test of the command line holds this list against its commands. */
const FLAGS =
  'yes json events report-json report-html report-junit quiet verbose no-color help version to freeze'.split(
    ' ',
  );
const COMMANDS: readonly Command[] = ['redeploy', 'rollback', 'plan', 'verify'];
const PROGRAM = /^(?:\S*\/)?(?:fleet|fleet-cli|cli\.js)(?:@\S+)?$/;

export const refusedSetting: Rule = {
  id: 'refused-setting',
  severity: 'error',
  elsewhere: 'warning',
  shape:
    'a flag that fleet does not have, or a value of a flag, an input or a variable that it does not take',
  why: 'fleet refuses to run, in the run that was to deploy',
  next: 'write it as `fleet redeploy --help` has it',
  check({ steps }, report) {
    for (const step of steps) {
      checkInputs(step, report);
      checkVariables(step, report);
      checkFlags(step, report);
    }
  },
};

function checkInputs({ source, uses, with: given }: Step, report: Report): void {
  if (!uses || !isFleetAction(uses.text)) return;
  for (const { key, value } of given) {
    const name = SETTING_NAMES.find((one) => one === settingNameOf(key));
    const text = textOf(source, value);
    if (name && value && text && !text.includes('${{')) {
      const problem = refusalOf(name, text);
      if (problem) report(source.place(value), `\`${key}\`: ${problem}`);
    }
  }
}

function checkVariables({ source, env }: Step, report: Report): void {
  const known = SETTINGS.flatMap((one) => one.env);
  for (const { key, keyNode, value } of env) {
    if (!key.startsWith('FLEET_')) continue;
    const setting = SETTINGS.find((one) => one.env.includes(key));
    const text = textOf(source, value);
    const near = known.find((one) => leven(one, key) <= 2);
    // Other tools may have such variables too.
    if (!known.includes(key) && near)
      report(source.place(keyNode), `fleet does not read ${key}; did you mean ${near}`);
    if (!setting || !value || !text || text.includes('${{')) continue;
    const problem = refusalOf(setting.name, text);
    if (problem) report(source.place(value), `${key}: ${problem}`);
  }
}

function checkFlags({ run, source }: Step, report: Report): void {
  if (!run || !/fleet|cli\.js/.test(run.text)) return;
  const parsed = parseShell(run.text);
  const scripts = [{ ...parsed, from: 0 }, ...innerScripts(parsed, true)];
  const commands = scripts.flatMap(({ script, from }) =>
    commandsIn(script).map((command) => ({ command, from })),
  );
  for (const { command: called, from } of commands) {
    const words = [called.name, ...called.args].flatMap((word) =>
      word ? [{ at: word.pos + from, text: run.text.slice(word.pos + from, word.end + from) }] : [],
    );
    const start = words.findIndex(
      ({ text }, at) => PROGRAM.test(text) && COMMANDS.some((name) => name === words[at + 1]?.text),
    );
    const command = COMMANDS.find((name) => name === words[start + 1]?.text);
    if (start < 0 || !command) continue;
    const flags = settingsFor(command).filter(({ kind }) => kind !== 'secret');
    for (const [at, { text, at: position }] of words.entries()) {
      const flag = at > start ? /^--([\w-]+)(?:=(.*))?$/s.exec(text) : null;
      if (!flag) continue;
      const [, name = '', joined] = flag;
      const setting = flags.find((one) => one.name === name);
      const place = placeIn(source, run.node, position);
      if (!setting && !FLAGS.includes(name)) report(place, `fleet has no flag --${name}${near(name, flags)}`);
      if (!setting?.value) continue;
      const value = unquoted(joined ?? words[at + 1]?.text ?? '');
      const problem = value === undefined ? undefined : refusalOf(setting.name, value);
      if (problem) report(place, `--${name}: ${problem}`);
    }
  }
}

/** A word as the program gets it; undefined where only the run will know. */
function unquoted(word: string): string | undefined {
  return /[$`*?]/.test(word) && !/^'[^']*'$/.test(word) ? undefined : word.replace(/^(["'])(.*)\1$/s, '$2');
}

function near(name: string, settings: readonly { name: string }[]): string {
  const known = [...settings.map((one) => one.name), ...FLAGS];
  const [best = ''] = known.sort((one, other) => leven(one, name) - leven(other, name));
  return leven(best, name) <= 3 ? `; did you mean --${best}` : '';
}

export const refusedConfig: Rule = {
  id: 'refused-config',
  severity: 'error',
  shape: 'a key or value of `fleet.config.yaml` that fleet refuses, in one environment or another',
  why: 'every run with that environment ends before it does anything',
  next: 'write it as the message says; `fleet plan --environment NAME` tries it',
  check({ sources, config }, report) {
    if (!config || sources.some((one) => one === config.source && one.further)) return;
    const { source, environments } = config;
    let content: unknown;
    try {
      content = source.document.toJS({ maxAliasCount: 20 });
    } catch {
      report(source.place(0), 'it has too many aliases to be read');
      return;
    }
    const names = environments.map(({ name }) => name);
    for (const { option, message } of refusalsOf(source.path, content, names))
      report(source.place(nodeOf(source, option)), message);
  },
};

/** The key that fleet names, as `environments.staging.soak in fleet.config.yaml`. */
function nodeOf(source: Source, option: string) {
  const path = option.replace(/ in \S+$/, '');
  const [, environment, key = path] = /^environments\.(.*)\.([^.]+)$/.exec(path) ?? [];
  if (environment === undefined) return entryOf(source, source.root, key)?.keyNode ?? 0;
  const listed = valueAt(entriesOf(source, source.root), 'environments');
  const own = entryOf(source, listed, environment);
  return entryOf(source, own?.value, key)?.keyNode ?? own?.keyNode ?? 0;
}
