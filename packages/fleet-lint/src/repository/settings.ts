/** Asks core what it would say to a setting, so that nothing here knows what fleet takes. */
import { isFleetError } from '@tenant-fleet/fleet-core';
import { resolveConfig, type SettingName, settingOf } from '@tenant-fleet/fleet-core/config';

/** What a run needs, so that only what is asked about can be wrong. */
const REST = {
  'control-plane': 'https://cp.example',
  'tenant-url': 'https://{slug}.example',
  'target-tag': 'main-0000000',
  'expected-sha': '1'.repeat(40),
  'lock-group': 'lint',
} as const satisfies Partial<Record<SettingName, string>>;

const ENV = {
  FLEET_CP_TOKEN: 'lint-asks',
  GITEA_TOKEN: 'lint-asks',
  GITHUB_SERVER_URL: 'https://git.example',
  GITHUB_REPOSITORY: 'owner/server',
  GITHUB_REF_NAME: 'main',
};

/** What fleet would refuse. */
export interface Refusal {
  /** Place of the value as fleet names it: a flag, or a key of the configuration file. */
  option: string;
  message: string;
}

/** Why fleet would refuse a value of a setting; undefined where it would take it. */
export function refusalOf(name: SettingName, value: string): string | undefined {
  const { kind } = settingOf(name);
  // Files and the environment that they choose are read by the run alone, and secrets are nobody's business.
  if (kind === 'file' || kind === 'secret' || name === 'environment') return undefined;
  const refusal = refused({ flags: { ...REST, [name]: value }, env: ENV });
  return refusal?.option === `--${name}` ? refusal.message.replace(/^--[\w-]+:? ?/, '') : undefined;
}

/** What fleet would refuse of a configuration file, for each of its environments. */
export function refusalsOf(path: string, content: unknown, environments: readonly string[]): Refusal[] {
  const found = new Map<string, Refusal>();
  for (const environment of environments.length ? environments : [undefined]) {
    const own = keysOf(content, environment);
    const rest = Object.fromEntries(Object.entries(REST).filter(([name]) => !own.includes(name)));
    const flags = { ...rest, ...(environment !== undefined && { environment }) };
    const refusal = refused({ flags, env: ENV, file: { path, content } });
    // What is missing may come by flag or variable.
    const inFile = refusal?.option.endsWith(` in ${path}`) || refusal?.option === path;
    if (refusal && inFile && !found.has(refusal.option)) found.set(refusal.option, refusal);
  }
  return [...found.values()];
}

function keysOf(content: unknown, environment: string | undefined): string[] {
  const record = (value: unknown) => (typeof value === 'object' && value !== null ? value : {});
  const all = record(content) as { environments?: unknown };
  const listed = record(all.environments) as Record<string, unknown>;
  const own = environment !== undefined && Object.hasOwn(listed, environment) ? listed[environment] : {};
  return [...Object.keys(all), ...Object.keys(record(own))].map(settingNameOf);
}

/** A key of the file as the name of its setting. */
export const settingNameOf = (key: string): string =>
  key
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();

function refused(layers: Parameters<typeof resolveConfig>[1]): Refusal | undefined {
  try {
    resolveConfig('redeploy', layers);
    return undefined;
  } catch (error) {
    // What core stumbles over is no fault of the file, and the linter never throws.
    if (!isFleetError(error)) return undefined;
    const next = error.next ? ` (${error.next})` : '';
    return { option: error.option ?? '', message: `${error.message}${next}` };
  }
}
