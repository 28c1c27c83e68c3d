/** The inputs of the step as the top layer of the configuration. */
import { getInput } from '@actions/core';
import { usageError } from '@tenant-fleet/fleet-core';
import { didYouMean, type Env, type Given, readBoolean, settingsFor } from '@tenant-fleet/fleet-core/config';

/** The settings that the step takes. */
export const ACTION_SETTINGS = settingsFor('redeploy');

export interface Inputs extends Given {
  verbose: boolean;
}

/** Everything that must never be printed. */
export function secretsOf(env: Env): (string | undefined)[] {
  return ACTION_SETTINGS.filter(({ kind }) => kind === 'secret').flatMap(({ name, env: variables }) => [
    inputOf(name),
    ...variables.map((variable) => env[variable]),
  ]);
}

/** @throws FleetError `USAGE` for an input that this action does not have: it would otherwise be ignored unsaid. */
export function readInputs(env: Env): Inputs {
  const known = new Set<string>([...ACTION_SETTINGS.map(({ name }) => name), 'verbose']);
  for (const variable of Object.keys(env)) {
    if (!variable.startsWith('INPUT_')) continue;
    const name = variable.slice('INPUT_'.length).toLowerCase().replaceAll('_', '-');
    if (known.has(name)) continue;
    throw usageError(`input ${name}: this action has no such input`, {
      option: name,
      hint: didYouMean(name, [...known]) ?? 'its inputs are listed in action.yml',
    });
  }
  const flags: Given['flags'] = {};
  for (const { name } of ACTION_SETTINGS) {
    const value = inputOf(name);
    // A runner passes '' for every input that was not given.
    if (value) flags[name] = value;
  }
  return { flags, env, verbose: readBoolean(inputOf('verbose')) === true || env.RUNNER_DEBUG === '1' };
}

/** The value of an input, '' where it was not given; runners differ in what they make of its dashes. */
export function inputOf(name: string): string {
  return getInput(name) || getInput(name.replaceAll('-', '_'));
}
