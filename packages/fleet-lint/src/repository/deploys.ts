/** Which steps deploy, and what can be read of where they deploy to and under which lock. */

import { readBoolean, type SettingName, settingOf } from '@tenant-fleet/fleet-core/config';
import type { Node } from 'yaml';
import type { Place } from '../syntax/place.js';
import { type Command, codeOf, flagOf } from '../syntax/script.js';
import { placeIn, textOf } from '../syntax/source.js';
import { type Step, valueAt, variableOf } from './workflow.js';

/** `action`: a step of ours; `command`: `fleet redeploy`; `call`: a request to the control plane by hand. */
export type DeployKind = 'action' | 'command' | 'call';

export interface Deploy {
  kind: DeployKind;
  step: Step;
  place: Place;
  /** The command line, but for an action. */
  command?: Command;
  /** Where the deploy starts in the command line. */
  index: number;
  /** The command line without what it only talks about, of the same length. */
  code: string;
  /** Changes nothing. */
  dryRun: boolean;
}

// The composite lays the bundle out in .fleet-action of the work folder.
const ACTION = /(?:^|\/)(?:packages\/fleet-action|\.fleet-action)\/?(?:@[^@]*)?$/;
const COMPOSITE = /(?:^|\/)\.gitea\/actions\/redeploy-fleet\/?(?:@[^@]*)?$/;
const COMMAND =
  /(?:^|[\s;&|(`!{"'])(?:[^\s;&|("']*\/)?(?:fleet(?:-cli)?|fleet-cli\/dist\/cli\.js)(?:@[\w.^~-]+)?\s+(?:redeploy|rollback)(?=[\s;&|)"']|$)/;
const CLIENT = /(?:^|[\s;&|(`!{])(?:curl|wget)\s/;
const PATH = 'redeploy-fleet';

export const isFleetAction = (uses: string) => ACTION.test(uses);

/** The shared composite, whose inputs have defaults of their own. */
export const isComposite = (uses: string) => COMPOSITE.test(uses);

/** Whether a text of shell deploys. */
export const namesDeploy = (text: string): boolean =>
  COMMAND.test(codeOf(text)) || (CLIENT.test(text) && text.includes(PATH));

/** The deploys of a step, in their order. */
export function deploysOf(step: Step): Deploy[] {
  const { uses, run, source } = step;
  if (uses) {
    if (!isFleetAction(uses.text) && !isComposite(uses.text)) return [];
    const dryRun = isTrue(textOf(source, valueAt(step.with, 'dry-run')) ?? variableOf(step, 'FLEET_DRY_RUN'));
    return [{ kind: 'action', step, place: source.place(uses.node), index: 0, code: '', dryRun }];
  }
  if (!run) return [];
  const addresses = addressVariables(step);
  return run.commands.flatMap((command): Deploy[] => {
    const { text } = command;
    const code = codeOf(text);
    if (/^(?:echo|printf)\s[^;&|]*$/.test(text)) return [];
    const at = (kind: DeployKind, index: number, dryRun: boolean): Deploy => {
      const place = placeIn(source, run.node as Node, command.origin(index));
      return { kind, step, place, command, index, code, dryRun };
    };
    const named = COMMAND.exec(code);
    if (named) {
      const index = named.index + named[0].length - named[0].replace(/^[\s;&|(`!{"']/, '').length;
      return [at('command', index, flagOf(text, 'dry-run') !== undefined || /\s--help\b/.test(text))];
    }
    const client = CLIENT.exec(code);
    const called =
      text.includes(PATH) || addresses.some((name) => new RegExp(`\\$\\{?${name}\\b`).test(text));
    if (!client || !called) return [];
    const index = client.index + client[0].search(/[cw]/);
    return [at('call', index, /\\?["']?dry_run\\?["']?\s*:\s*true/.test(text))];
  });
}

/** Variables that hold the address of the redeploy call. */
function addressVariables(step: Step): string[] {
  const assigned = step.run?.commands.flatMap(({ text }) => {
    const name = /^(?:export\s+|readonly\s+|local\s+)?([A-Za-z_]\w*)=/.exec(text)?.[1];
    return name && text.includes(PATH) && !CLIENT.test(text) ? [name] : [];
  });
  const given = step.env.flatMap(({ key, value }) =>
    textOf(step.source, value)?.includes(`/${PATH}`) && /^\w+$/.test(key) ? [key] : [],
  );
  return [...(assigned ?? []), ...given];
}

const isTrue = (text: string | undefined) => readBoolean(text ?? '') === true;

/** The variable of a setting's own. */
const variableName = (name: SettingName) => settingOf(name).env[0] ?? '';

/** A setting of a deploy as flag, input or variable gives it; null where only the run will know. */
export function settingOfDeploy(deploy: Deploy, name: SettingName): string | null | undefined {
  const given = writtenSetting(deploy, name);
  return given !== undefined && /\$|`/.test(given) ? null : given || undefined;
}

/** The same as it is written, with its expressions. */
export function writtenSetting(deploy: Deploy, name: SettingName): string | undefined {
  const { step, command } = deploy;
  const variable = () => variableOf(step, variableName(name));
  return deploy.kind === 'action'
    ? (textOf(step.source, valueAt(step.with, name)) ?? variable())
    : (typed(command?.text ?? '', name) ?? exported(step, name) ?? variable());
}

/** A flag of a command line; a switch without a value is on. */
function typed(text: string, name: SettingName): string | undefined {
  const value = flagOf(text, name);
  // What ought to have a value and has none that can be read is left to the run.
  return value === '' ? (settingOf(name).value ? '$' : 'true') : value;
}

/** A variable that the script itself sets. */
function exported(step: Step, name: SettingName): string | undefined {
  for (const { text } of step.run?.commands ?? []) {
    const match = new RegExp(`(?:^|\\s)${variableName(name)}=("[^"]*"|'[^']*'|\\S*)`).exec(text);
    if (match) return (match[1] ?? '').replace(/^(["'])(.*)\1$/, '$2');
  }
  return undefined;
}

/** Whether the deploy takes the fleet's lock; null where only the run will know. */
export function takesLock(deploy: Deploy): boolean | null {
  if (/\bfleet\S*\s+lock\s+run\b/.test(deploy.command?.text ?? '')) return true;
  if (deploy.kind === 'call') return false;
  if (deploy.kind === 'command' && flagOf(deploy.command?.text ?? '', 'no-lock') !== undefined) return false;
  const without = settingOfDeploy(deploy, 'no-lock');
  return without === null ? null : !isTrue(without);
}
