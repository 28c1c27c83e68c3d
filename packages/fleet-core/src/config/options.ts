/** The options of the library: those of the settings, and what only a program gives. */
import type { SettingOptions } from './setting-options.js';
import type { Trigger } from './trigger.js';

export interface FleetOptions extends SettingOptions {
  /** A lease that a parent process (`fleet lock run`) holds and renews: used instead of waiting behind it. */
  lockInherited?: { group: string; fencingToken: number; session?: string };
  /** What started the run. */
  trigger?: Trigger;
}

export type { Command } from './setting.js';
export type { Trigger } from './trigger.js';
