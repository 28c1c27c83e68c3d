/** The inputs of the step as the top layer of the configuration. */
import { getInput } from '@actions/core';
import { didYouMean, type Env, type Given, readBoolean, settingsFor } from '@tenant-fleet/fleet-core/config';
import { oneLine } from '@tenant-fleet/fleet-core/program';

/** The settings that the step takes. */
export const ACTION_SETTINGS = settingsFor('redeploy');

export interface Inputs extends Given {
  verbose: boolean;
  /** What is said of inputs that this action does not have. */
  unknown: string[];
}

export function readInputs(env: Env): Inputs {
  const flags: Given['flags'] = {};
  for (const { name } of ACTION_SETTINGS) {
    const value = inputOf(name);
    // A runner passes '' for every input that was not given.
    if (value.trim()) flags[name] = value;
  }
  const verbose = readBoolean(inputOf('verbose').trim()) === true || env.RUNNER_DEBUG === '1';
  return { flags, env, verbose, unknown: unknownInputs(env) };
}

/** Runners hand the inputs of a surrounding composite on, so one that is not known is no reason to fail. */
function unknownInputs(env: Env): string[] {
  const known = [...ACTION_SETTINGS.map(({ name }) => name), 'verbose'];
  return Object.keys(env)
    .filter((variable) => variable.startsWith('INPUT_') && env[variable])
    .map((variable) => variable.slice('INPUT_'.length).toLowerCase().replaceAll('_', '-'))
    .filter((name) => !known.includes(name))
    .map((name) => {
      const hint = didYouMean(name, known);
      return oneLine(
        `input ${name} is not read: this action has none of that name${hint ? `; ${hint}` : ''}`,
      );
    });
}

/** The value of an input, '' where it was not given; runners differ in what they make of its dashes. */
export function inputOf(name: string): string {
  // The line end of a list of one tells that a comma in it parts nothing.
  const options = { trimWhitespace: false };
  return getInput(name, options) || getInput(name.replaceAll('-', '_'), options);
}
