/** The lock that guards a fleet. */
import type { Check } from './check.js';
import { lockGroup } from './checks.js';
import type { Config } from './config.js';
import { baseUrl, checkControlPlane } from './target.js';

/** @returns null where the command takes no lock. */
export function checkLock(check: Check): Config['lock'] {
  const { values, command } = check;
  // A rollback that is only planned reads the record too.
  const locks =
    check.rolls || ['rollback', 'watch', 'status', 'history', 'lock', 'lock run'].includes(command);
  if (!locks || values.noLock) return null;
  // What tenants run can be told without a lock.
  if (command === 'status' && !values.lockGroup && !values.environment) return null;
  const group = check.need('lock-group', values.lockGroup ?? values.environment);
  // The name of an environment was not checked as the name of a lock yet.
  const problem = group ? lockGroup(group) : null;
  if (problem) {
    const lower = group.toLowerCase();
    const next = lockGroup(lower)
      ? problem[1]
      : `write lock-group: ${lower}, or call the environment ${lower}`;
    check.fail('lock-group', problem[0], next);
  }
  return {
    group,
    url: values.lockUrl ? baseUrl(values.lockUrl) : checkControlPlane(check),
    token: values.lockToken ?? check.need('token', values.controlPlaneToken),
    waitMs: values.lockWaitMs,
    ttlMs: values.lockTtlMs,
    ...inherited(values.lockInherited, group),
  };
}

/** Of the lease that a parent process holds: it is of use for its own group alone. */
function inherited(lent: Check['values']['lockInherited'], group: string) {
  if (lent?.group !== group) return {};
  const { fencingToken: inheritedToken, session: inheritedSession } = lent;
  return { inheritedToken, ...(inheritedSession ? { inheritedSession } : {}) };
}
