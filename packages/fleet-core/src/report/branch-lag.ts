/** How far this commit lags behind its branch: reported with every result, never decisive. */
import { Gitea } from '../clients/gitea/gitea.js';
import type { FleetResult } from '../result/result.js';
import type { Verification } from '../verify/verify.js';

/** Name and head of the branch, and how many of its commits this one lacks. */
export type Lag = NonNullable<FleetResult['branch']>;

/** Reads the lag; null where it cannot be known. Never throws: a deploy does not depend on it. */
export async function lagOf({ config, ports, signal }: Verification): Promise<Lag | null> {
  const { gitea, branch, expectedSha } = config;
  if (!gitea || !branch || !expectedSha || signal.aborted) return null;
  try {
    const client = new Gitea({ ...gitea, http: ports.http, signal });
    const head = await client.branchHead(branch);
    if (head.kind !== 'read') return null;
    if (head.value === expectedSha) return { name: branch, head: head.value, behind_by: 0 };
    const ahead = await client.commitsBetween(expectedSha, head.value);
    return { name: branch, head: head.value, behind_by: ahead.kind === 'read' ? ahead.value : null };
  } catch {
    return null;
  }
}
