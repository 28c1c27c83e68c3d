/** The inputs of the step as the top layer of the configuration. */
import { getInput } from '@actions/core';
import {
  didYouMean,
  type Env,
  type Layers,
  readBoolean,
  SETTINGS,
  type SettingName,
  usageError,
} from '@tenant-fleet/fleet-core';

/** Inputs that hold a secret, and the variable that core reads it from. */
export const SECRET_INPUTS = {
  token: 'FLEET_CP_TOKEN',
  'gitea-token': 'GITEA_TOKEN',
  'alert-webhook': 'FLEET_ALERT_WEBHOOK',
} as const;

/** The settings that the step takes: it rolls, so the one for `verify` alone is none of them. */
export const ACTION_SETTINGS = SETTINGS.filter((setting) => setting.name !== 'tenant');

export interface Inputs {
  flags: Layers['flags'];
  /** The environment with the secrets of the inputs in it. */
  env: Env;
  verbose: boolean;
}

/** Everything that must never be printed. */
export function secretsOf(env: Env): (string | undefined)[] {
  const named = Object.entries(SECRET_INPUTS).flatMap(([input, variable]) => [inputOf(input), env[variable]]);
  return [...named, env.FLEET_REGISTRY_PASSWORD];
}

/** @throws FleetError `USAGE` for an input that this action does not have: it would otherwise be ignored unsaid. */
export function readInputs(env: Env): Inputs {
  const known = new Set<string>([
    ...ACTION_SETTINGS.map(({ name }) => name),
    ...Object.keys(SECRET_INPUTS),
    'verbose',
  ]);
  for (const variable of Object.keys(env)) {
    if (!variable.startsWith('INPUT_')) continue;
    const name = variable.slice('INPUT_'.length).toLowerCase().replaceAll('_', '-');
    if (known.has(name)) continue;
    throw usageError(`input ${name}: this action has no such input`, {
      option: name,
      hint: didYouMean(name, [...known]) ?? 'its inputs are listed in action.yml',
    });
  }
  const flags: Partial<Record<SettingName, string>> = {};
  for (const { name } of ACTION_SETTINGS) {
    const value = inputOf(name);
    // A runner passes '' for every input that was not given.
    if (value) flags[name] = value;
  }
  const secrets = Object.entries(SECRET_INPUTS).map(([input, variable]) => [
    variable,
    inputOf(input) || env[variable],
  ]);
  return {
    flags,
    env: { ...env, ...Object.fromEntries(secrets) },
    verbose: readBoolean(inputOf('verbose')) === true || env.RUNNER_DEBUG === '1',
  };
}

/** The value of an input, '' where it was not given; runners differ in what they make of its dashes. */
export function inputOf(name: string): string {
  return getInput(name) || getInput(name.replaceAll('-', '_'));
}
