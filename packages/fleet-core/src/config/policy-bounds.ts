/** What a request to roll on a server may change of the server's own configuration, and how far. */
import * as z from 'zod';
import type { SettingName } from './settings.js';

/** Settings of a roll that a request may carry; the server takes them within its own bounds. */
export const POLICY_SETTINGS: readonly SettingName[] = [
  'strategy',
  'canary',
  'soak',
  'batch-size',
  'max-stragglers',
  'only',
  'exclude',
  'min-tenants',
  'allow-missing',
  'settle-budget',
  'confirmations',
  'lock-wait',
  'timeout',
];

/** Key of the configuration file that only a server reads: what it does not name is fixed there. */
export const POLICY_BOUNDS = 'policy-bounds';

/** `true` leaves a setting open; else the range or the values that it may have. */
export type PolicyBound = true | { min?: string | number; max?: string | number; 'one-of'?: string[] };

/** Of {@link POLICY_BOUNDS}. Made when it is asked for: a command has no use for it. */
export function policyBoundsSchema(): z.ZodType<Partial<Record<SettingName, PolicyBound>>> {
  const size = z.union([z.string(), z.number()]).optional();
  const range = z.strictObject({ min: size, max: size, 'one-of': z.array(z.string()).min(1).optional() });
  return z.partialRecord(
    z.enum(POLICY_SETTINGS as [SettingName, ...SettingName[]]),
    z.union([z.literal(true), range]),
  );
}
