/** What a setting is made of, and the forms of the rows of its table. */

/**
 * `lock`: every command below `fleet lock` but `lock run`, which waits for the lock and keeps it. `rollout`: every command
 * below `fleet rollout`. `config` and `doctor` take every setting. `announce` tells people of a run that did not get to its
 * verdict, by what can be read of its settings. Rows name none of the three.
 */
export type Command =
  | 'redeploy'
  | 'rollback'
  | 'plan'
  | 'gates'
  | 'verify'
  | 'status'
  | 'history'
  | 'lock'
  | 'lock run'
  | 'watch'
  | 'rollout'
  | 'doctor'
  | 'config'
  | 'announce';

/** What it takes to tell people of a run, beside the settings of alerts. */
export const ANNOUNCES =
  `config environment control-plane-host target-tag expected-sha lock-group gitea-url gitea-token
  gitea-token-file allow-http-gitea gitea-web-url repository branch dry-run`.split(/\s+/);

export type SettingKind =
  | 'text'
  | 'list'
  | 'duration'
  | 'integer'
  | 'boolean'
  | 'choice'
  /** Path of a file that is read before anything else; no option of the library. */
  | 'file'
  /** Never a flag, never in a configuration file, never printed. */
  | 'secret';

/** What is wrong with a value, and what to give instead. */
export type Problem = [problem: string, next?: string];

export interface Setting {
  /** Name without dashes; also the key in the configuration file and the name of the action's input. */
  name: string;
  /** Key among the options of the library. */
  option: string;
  kind: SettingKind;
  /** Placeholder in help texts; none for a switch. */
  value?: string;
  /** Environment variables, the first that is set and not empty wins. */
  env: readonly string[];
  /** Default as the user would write it. */
  default?: string;
  choices?: readonly string[];
  /** Smallest value that is taken: of an integer, or milliseconds. Default 0. */
  min?: number;
  /** An integer that may be a share of the fleet as well: a text such as `5%`. */
  percent?: boolean;
  /** Largest number of milliseconds that is taken. */
  max?: number;
  /** What is wrong with a text, each one of a list. It is never empty, and has no white space around it. */
  check?: (text: string) => Problem | null;
  /** A list that keeps something out: typed and empty, by a variable that is not set, it would let everything in. */
  narrows?: boolean;
  help: string;
  group: 'target' | 'rollout' | 'verify' | 'lock' | 'gates' | 'alerts' | 'run';
  /** Commands that take it; the others never read it, wherever it stands. */
  commands: readonly Command[];
  /** May not stand in a configuration file. */
  noFile?: boolean;
}

type Extra = Partial<
  Pick<
    Setting,
    'env' | 'default' | 'min' | 'max' | 'percent' | 'check' | 'commands' | 'narrows' | 'noFile' | 'option'
  >
>;
type Row<Name extends string> = Omit<Setting, 'name' | 'group' | 'commands'> & {
  name: Name;
  commands?: readonly Command[];
};

const camel = (name: string) => name.replace(/-(.)/g, (_dash, letter: string) => letter.toUpperCase());

function row<Name extends string>(
  name: Name,
  kind: SettingKind,
  help: string,
  rest: Extra & Pick<Setting, 'value' | 'choices'>,
): Row<Name> {
  const env = [`FLEET_${name.toUpperCase().replaceAll('-', '_')}`];
  return { env, option: camel(name) + (kind === 'duration' ? 'Ms' : ''), ...rest, name, kind, help };
}

export const text = <Name extends string>(name: Name, value: string, help: string, extra: Extra = {}) =>
  row(name, 'text', help, { value, ...extra });
/** May be given several times. */
export const list = <Name extends string>(name: Name, value: string, help: string, extra: Extra = {}) =>
  row(name, 'list', help, { value, ...extra });
export const duration = <Name extends string>(name: Name, preset: string, help: string, extra: Extra = {}) =>
  row(name, 'duration', help, { value: 'DUR', default: preset, ...extra });
export const integer = <Name extends string>(name: Name, extra: Extra, help: string) =>
  row(name, 'integer', help, { value: 'N', ...extra });
export const toggle = <Name extends string>(name: Name, help: string, extra: Extra = {}) =>
  row(name, 'boolean', help, extra);
export const choice = <Name extends string>(
  name: Name,
  value: string,
  choices: readonly string[],
  help: string,
  extra: Extra = {},
) => row(name, 'choice', help, { value, choices, ...extra });
export const file = <Name extends string>(name: Name, help: string, extra: Extra = {}) =>
  row(name, 'file', help, { value: 'FILE', noFile: true, ...extra });

/** A secret, and the setting that names a file to read it from. */
export const secret = <Name extends string>(
  name: Name,
  help: string,
  extra: Extra = {},
): [Row<Name>, Row<`${Name}-file`>] => {
  const value = row(name, 'secret', help, { value: 'SECRET', noFile: true, ...extra });
  const { commands } = extra;
  return [value, file(`${name}-file`, `file with the ${help}`, commands ? { commands } : {})];
};

/** Rows of one group. @param commands Those that take a row which names none itself. */
export const group = <const Rows extends readonly Row<string>[]>(
  name: Setting['group'],
  commands: readonly Command[],
  ...rows: Rows
) =>
  rows.map((one) => ({ commands, ...one, group: name })) as {
    [Key in keyof Rows]: Setting & { name: Rows[Key]['name'] };
  };

/** What is written for a switch: any case, nothing counts as off; undefined for anything else. */
export function readBoolean(written: string): boolean | undefined {
  if (/^(?:1|true|yes|on)$/i.test(written)) return true;
  return /^(?:0|false|no|off|)$/i.test(written) ? false : undefined;
}
