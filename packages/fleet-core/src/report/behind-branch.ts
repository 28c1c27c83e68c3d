/** How far this commit is behind its branch: reported with every result, never decisive. */
import { Gitea } from '../clients/gitea/gitea.js';
import type { Config } from '../config/config.js';
import type { StageContext } from '../context.js';
import type { FleetResult } from '../result/result.js';

/**
 * Name and head of the branch, and how many of its commits this one lacks; null where it cannot be known. Never throws: a
 * deploy does not depend on it.
 */
export async function behindBranch(
  { gitea, branch, expectedSha }: Pick<Config, 'gitea' | 'branch' | 'expectedSha'>,
  { http, signal }: Pick<StageContext, 'http' | 'signal'>,
): Promise<FleetResult['branch']> {
  if (!gitea || !branch || !expectedSha || signal.aborted) return null;
  try {
    const client = new Gitea({ ...gitea, http, signal });
    const head = await client.branchHead(branch);
    if (head.kind !== 'read') return null;
    if (head.value === expectedSha) return { name: branch, head: head.value, behind_by: 0 };
    const ahead = await client.commitsBetween(expectedSha, head.value);
    return { name: branch, head: head.value, behind_by: ahead.kind === 'read' ? ahead.value : null };
  } catch {
    return null;
  }
}
