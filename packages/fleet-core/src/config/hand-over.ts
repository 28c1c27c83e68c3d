/** What a server that rolls by its own configuration is told, and what it is not. */
import type { RolloutPolicy } from '../contract.js';
import type { Check } from './check.js';
import { asWritten } from './duration.js';
import { POLICY_SETTINGS } from './policy-bounds.js';
import { SETTINGS, type SettingName } from './settings.js';

export interface HandOver {
  /** Nobody watches. */
  detach: boolean;
  /** Settings of the roll that were typed or come from a variable, as they would be written. */
  policy: RolloutPolicy;
}

/** Settings that would change what is rolled, or when not, and that stand in the server's configuration alone. */
const SERVERS_OWN: readonly SettingName[] = [
  'ephemeral',
  'force',
  'lock-ttl',
  'no-lock',
  'require-context',
  'kill-switch',
  'image',
  'dry-run',
];

/** @returns null where this process rolls. @throws FleetError `USAGE` for what the server would not be told. */
export function checkHandOver(check: Check): HandOver | null {
  if (!check.onServer) return null;
  const given = (name: SettingName) => check.given(name) && !check.inFile(name);
  const lost = SERVERS_OWN.find((name) => given(name));
  if (lost) {
    check.fail(
      lost,
      'stands in the configuration of the server, which rolls with --on-server',
      lost === 'dry-run' ? 'fleet plan shows what a roll from here would do' : 'leave it out here',
    );
  }
  check.need('environment', check.values.environment);
  const policy: RolloutPolicy = {};
  for (const { name, option, kind } of SETTINGS) {
    if (!POLICY_SETTINGS.includes(name) || !given(name)) continue;
    const value = check.values[option as keyof typeof check.values] as RolloutPolicy[string];
    policy[name] = kind === 'duration' ? asWritten(value as number) : value;
  }
  return { detach: check.values.detach ?? false, policy };
}
