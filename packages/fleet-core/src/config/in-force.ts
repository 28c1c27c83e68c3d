/** Every setting as it is in force, and what gave it: for people who ask why a run went by it. */
import { Check } from './check.js';
import { asWritten } from './duration.js';
import { layersOf } from './load.js';
import { resolveOptions } from './resolve.js';
import { type Files, type Given, sourceOf } from './secrets.js';
import { type NamedSetting, SETTINGS, type SettingName, settingOf } from './settings.js';

/** A setting, and where its value comes from. */
export interface SettingInForce {
  name: SettingName;
  /** As the configuration file would have it; null: not set, or a secret. */
  value: string | number | boolean | string[] | null;
  /** Flag, variable, key of a file, or the setting that it follows; `default`; null: not set. */
  from: string | null;
  /** There is one, and it is never told. */
  secret: boolean;
}

/** Settings that are another one where nothing gives them. */
const FOLLOWS: Partial<Record<SettingName, SettingName>> = {
  'lock-group': 'environment',
  'lock-url': 'control-plane',
  'lock-token': 'token',
  'gitea-web-url': 'gitea-url',
};

/**
 * What every setting is, in the order of the table; the file itself comes first.
 *
 * @throws FleetError `USAGE` for an unreadable file and for the first value that its row does not take.
 */
export async function settingsInForce(given: Given, files: Files): Promise<SettingInForce[]> {
  const layers = await layersOf('config', given, files);
  const { options, label, inFile } = resolveOptions('config', layers);
  // Whatever is shown would be taken.
  new Check('config', options, label, inFile);
  const values = options as Record<string, unknown>;
  const own = (setting: NamedSetting): SettingInForce => {
    const { name, kind, option } = setting;
    if (kind === 'secret') {
      const from = sourceOf(setting, given)?.option ?? null;
      return { name, value: null, from, secret: from !== null };
    }
    const value = values[option];
    if (value === undefined) {
      const preset =
        kind === 'integer' && setting.default ? Number(setting.default) : (setting.default ?? null);
      return { name, value: preset, from: preset === null ? null : 'default', secret: false };
    }
    const from =
      label(name) === `--${name}` && layers.flags[name] === undefined ? chosenBy(name) : label(name);
    return {
      name,
      value: kind === 'duration' ? asWritten(value as number) : (value as SettingInForce['value']),
      from,
      secret: false,
    };
  };
  const chosenBy = (name: SettingName) =>
    name === 'environment' ? `the only one in ${layers.file?.path}` : `--${name}`;
  const found: SettingInForce = {
    name: 'config',
    value: layers.file?.path ?? null,
    from: layers.file
      ? given.flags.config
        ? '--config'
        : given.env.FLEET_CONFIG
          ? 'FLEET_CONFIG'
          : 'found'
      : null,
    secret: false,
  };
  return [
    found,
    ...SETTINGS.filter(({ kind }) => kind !== 'file').map((setting) => {
      const here = own(setting);
      const other = here.from === null ? FOLLOWS[setting.name] : undefined;
      const followed = other && own(settingOf(other));
      return followed?.from ? { ...followed, name: setting.name, from: `as ${other}` } : here;
    }),
  ];
}
