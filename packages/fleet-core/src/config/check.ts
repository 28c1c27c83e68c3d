/** Checks options one by one, each by its row of the table; what belongs together is checked by the group's own file. */
import { type FleetError, isFleetError, usageError } from '../errors.js';
import { isShare, type Share } from './batch.js';
import { parseDuration } from './duration.js';
import type { FleetOptions } from './options.js';
import type { Command } from './setting.js';
import type { DefaultedOption } from './setting-options.js';
import { type NamedSetting, SETTINGS, type SettingName, settingOf, takes } from './settings.js';

/** How a setting is called towards the user: `--soak`, `FLEET_SOAK`, `soak in fleet.config.yaml`. */
export type Label = (name: SettingName) => string;

/** As a flag; a secret has none, and is called by its variable. */
export const flagLabel: Label = (name) => {
  const { kind, env } = settingOf(name);
  return kind === 'secret' ? `${env[0]}` : `--${name}`;
};

/**
 * Where people are told of settings that are no good, such a setting counts as not given; but for what keeps a secret in.
 */
export function leniently<T>(command: Command, { narrows }: NamedSetting, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (command !== 'announce' || narrows || !isFleetError(error)) throw error;
    return undefined;
  }
}

/** Options that were checked one by one, with their defaults. */
export type Values = FleetOptions & Required<Pick<FleetOptions, DefaultedOption>>;

/** What the checker of a group works with. */
export class Check {
  /** Nothing is rolled. */
  readonly dryRun: boolean;
  /** Gates apply, if only to be shown. */
  readonly gated: boolean;
  readonly rolls: boolean;
  /** A server rolls by its own configuration: this process hands over and watches. */
  readonly onServer: boolean;
  readonly values: Values;
  readonly #given: Record<string, unknown>;
  readonly #missing = new Set<SettingName>();

  /** @throws FleetError `USAGE` for the first value that its row does not take. */
  constructor(
    readonly command: Command,
    options: FleetOptions,
    readonly label: Label,
    /** Whether the configuration file gives a setting; false for whoever calls the library. */
    readonly inFile: (name: SettingName) => boolean = () => false,
    /** Where a configuration file was looked for in vain. */
    readonly searched?: string,
  ) {
    this.onServer = command === 'redeploy' && (options.onServer === true || options.detach === true);
    // What is examined is what a roll would need.
    const rolls = command === 'redeploy' || command === 'rollback' || command === 'doctor';
    this.gated = (rolls || command === 'plan' || command === 'gates') && !this.onServer;
    this.dryRun = command === 'plan' || ((rolls || command === 'announce') && options.dryRun === true);
    this.rolls = rolls && !this.dryRun && !this.onServer;
    const values: Record<string, unknown> = {
      lockInherited: options.lockInherited,
      trigger: options.trigger,
    };
    const given = options as Record<string, unknown>;
    this.#given = given;
    for (const setting of SETTINGS) {
      if (setting.kind === 'file') continue;
      const taken = takes(command, setting.name) ? given[setting.option] : undefined;
      values[setting.option] = leniently(command, setting, () => this.#value(setting, taken));
    }
    this.values = values as unknown as Values;
  }

  /** Whether anything gives the setting: it is no default. */
  given(name: SettingName): boolean {
    const value = this.#given[settingOf(name).option];
    return value !== undefined && value !== false && !(Array.isArray(value) && !value.length);
  }

  fail(name: SettingName, problem: string, next?: string): never {
    throw usageError(`${this.label(name)}: ${problem}`, { option: this.label(name), next });
  }

  /** A value that there has to be. All that are not there are told of at once, by {@link done}. */
  need(name: SettingName, value: string | undefined): string {
    if (!value) this.#missing.add(name);
    return value ?? '';
  }

  /** @throws FleetError `USAGE` that names everything that is missing. */
  done(): void {
    if (this.#missing.size) throw missing([...this.#missing], this);
  }

  #value(setting: NamedSetting, value: unknown): unknown {
    const { name, kind, default: preset } = setting;
    switch (kind) {
      case 'duration':
        return this.#span(setting, (value ?? parseDuration(preset ?? '', name)) as number);
      case 'integer':
        return this.#whole(
          setting,
          (value ?? (preset === undefined ? undefined : Number(preset))) as number | Share,
        );
      case 'boolean':
        return value ?? false;
      case 'list': {
        const items = ((value ?? []) as string[]).map((item) => item.trim());
        for (const item of items) this.#text(setting, item);
        return items;
      }
      default: {
        const text = (value as string | undefined)?.trim();
        if (text) this.#text(setting, text);
        // The empty value of a kill switch means "off".
        return text || (name === 'hold' ? text : preset);
      }
    }
  }

  #text({ name, choices, check }: NamedSetting, text: string): void {
    if (choices && !choices.includes(text))
      this.fail(name, `${JSON.stringify(text.slice(0, 40))} is not known`, `give ${choices.join(', ')}`);
    const problem = check?.(text);
    if (problem) this.fail(name, ...problem);
  }

  #whole({ name, min = 0, percent }: NamedSetting, value: number | Share | undefined): typeof value {
    if (percent && typeof value === 'string') {
      if (isShare(value)) return value;
      this.fail(name, `${JSON.stringify(value)} is no share above 0% and up to 100%`);
    }
    if (value !== undefined && !(Number.isSafeInteger(value) && Number(value) >= min))
      this.fail(name, `${value} is not a whole number of at least ${min}`);
    return value;
  }

  #span({ name, min = 0, max }: NamedSetting, ms: number): number {
    if (Number.isFinite(ms) && ms >= min && ms <= (max ?? Number.MAX_SAFE_INTEGER)) return ms;
    return this.fail(
      name,
      max === undefined ? `must be at least ${min}ms` : `must be from ${min / 1000}s to ${max / 1000}s`,
    );
  }
}

/** One line, however many are missing. */
function missing(names: SettingName[], check: Pick<Check, 'command' | 'label' | 'searched'>): FleetError {
  const { command, label, searched } = check;
  if (names.join() === 'lock-group')
    return usageError('no lock group: nothing keeps two rolls of this fleet apart', {
      option: label('lock-group'),
      next: `give --lock-group or --environment${takes(command, 'no-lock') ? '; or say --no-lock and mean it' : ''}`,
    });
  const settings = names.map(settingOf);
  const verb = names.length > 1 ? 'are' : 'is';
  const options = settings.map(({ option }) => option);
  // Whoever calls the library knows neither flags nor variables.
  if (label(names[0] as SettingName) === options[0])
    return usageError(`${and(options)} ${verb} missing`, {
      option: options[0],
      next: 'give it with the options',
    });
  const calls = names.map(flagLabel);
  const flags = settings.map(({ name, kind }) => (kind === 'secret' ? `--${name}-file` : `--${name}`));
  const keys = settings.filter(({ noFile }) => !noFile).map(({ name }) => `${name}:`);
  const none = searched ? ` (none was found ${searched})` : '';
  const ways = [`give ${and(flags)}`, `set ${and(settings.map(({ env }) => env.join(' or ')))}`];
  return usageError(`${and(calls)} ${verb} missing`, {
    option: calls[0],
    next: keys.length
      ? `${ways.join(', ')}, or write ${and(keys)} in fleet.config.yaml${none}`
      : ways.join(', or '),
  });
}

const and = (words: string[]): string =>
  words.length > 1 ? `${words.slice(0, -1).join(', ')} and ${words.at(-1)}` : `${words[0]}`;
