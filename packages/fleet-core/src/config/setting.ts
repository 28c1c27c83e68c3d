/** What a setting is made of. */

export type SettingKind = 'text' | 'list' | 'duration' | 'integer' | 'boolean' | 'choice' | 'file';

export interface Setting {
  /** Name without dashes; also the key in the configuration file and the name of the action's input. */
  name: string;
  /** Placeholder in help texts; none for a switch. */
  value?: string;
  kind: SettingKind;
  /** Environment variables, the first that is set and not empty wins. */
  env: readonly string[];
  /** Default as the user would write it. */
  default?: string;
  choices?: readonly string[];
  /** Smallest integer that is taken. */
  min?: number;
  help: string;
  group: 'target' | 'rollout' | 'verify' | 'lock' | 'gates' | 'alerts' | 'run';
  /** May not stand in a configuration file. */
  noFile?: boolean;
}

/** What is written for a switch: any case, nothing counts as off; undefined for anything else. */
export function readBoolean(text: string): boolean | undefined {
  if (/^(?:1|true|yes|on)$/i.test(text)) return true;
  return /^(?:0|false|no|off|)$/i.test(text) ? false : undefined;
}

/** A setting whose own variable is FLEET_ and its name, unless others are given. */
export const setting = <Name extends string>(
  name: Name,
  rest: Omit<Setting, 'name' | 'env'> & { env?: readonly string[] },
) => {
  const own = `FLEET_${name.toUpperCase().replaceAll('-', '_')}`;
  return { env: [own], ...rest, name } as Setting & { name: Name };
};
