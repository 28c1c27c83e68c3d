/** Settings and how they are read: for adapters and for tools that know the settings. */

export { checkOptions } from './check-options.js';
export { COMPOSITE_LEAVES_OUT, compositeSettings } from './composite.js';
export type { Config } from './config.js';
export { parseDuration } from './duration.js';
export { configFileJsonSchema, configFileSchema, didYouMean } from './file.js';
export { type SettingInForce, settingsInForce } from './in-force.js';
export { CONFIG_FILES, DEFAULT_CONFIG_FILE, environmentNames, loadConfig } from './load.js';
export type { Command, FleetOptions, Trigger } from './options.js';
export { POLICY_SETTINGS, type PolicyBound, policyBoundsSchema } from './policy-bounds.js';
export { type Layers, resolveConfig } from './resolve.js';
export { type Files, type Given, secretsOf } from './secrets.js';
export { readBoolean } from './setting.js';
export {
  type NamedSetting,
  SETTING_NAMES,
  SETTINGS,
  type Setting,
  type SettingKind,
  type SettingName,
  settingOf,
  settingsFor,
} from './settings.js';
export { type Env, TRUSTED_EVENTS } from './trigger.js';
