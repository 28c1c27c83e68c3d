/** The commit status of an environment: begun, and how it ended. */

import type { CommitState, CommitStatus, Gitea } from '../clients/gitea/gitea.js';
import { type Read, whyNot } from '../clients/gitea/request.js';
import type { Announcing } from '../config/alerts.js';
import type { FleetResult } from '../result/result.js';
import { oneLine } from '../text/sanitize.js';
import { shortSha } from '../text/words.js';
import { type NotAnnounced, notAnnounced } from './fault.js';

/** Gitea shows no more of a description. */
const LONGEST_DESCRIPTION = 140;
/** How far back runs that were killed are looked for. */
const LOOK_BACK = 5;

export interface StatusIo {
  gitea: Gitea;
  context: string;
  /** Page of this run. */
  runUrl: string | null;
}

/** Name of the status; one row a run is added, and the newest counts. */
export const statusContext = ({ name }: Announcing): string => oneLine(`fleet/${name}`, 100);

/**
 * Adds a row to the status of a commit.
 *
 * @throws NotAnnounced; the reason of the client's signal.
 */
export async function showStatus(
  { gitea, context, runUrl }: StatusIo,
  sha: string,
  state: CommitState,
  description: string,
): Promise<CommitStatus> {
  const row = { context, state, description: oneLine(description, LONGEST_DESCRIPTION) };
  const read = await gitea.setStatus(sha, runUrl ? { ...row, target_url: runUrl } : row);
  if (read.kind === 'read') return read.value;
  // Gitea's way to say that it does not know the commit.
  const maybe =
    read.kind === 'unreadable' && read.why === 'HTTP 500' ? ' (is the commit in the repository?)' : '';
  throw unable(`set the commit status ${context} on ${shortSha(sha)}${maybe}`, read);
}

/**
 * Ends the `pending` of earlier commits whose run was killed: no run is as long as `timeoutMs`.
 *
 * Looks at the commits between what the tenants ran before and this one, and at what they ran before.
 *
 * @param shown The row that this run has just added: its time is the server's, as that of the rows in question is.
 * @param tell Told of each commit that was settled.
 * @throws NotAnnounced; the reason of the client's signal.
 */
export async function settleKilled(
  io: StatusIo,
  result: FleetResult,
  shown: CommitStatus,
  timeoutMs: number,
  tell: (sha: string) => void,
): Promise<void> {
  const sha = result.expected_sha;
  if (!sha) return;
  for (const commit of await before(io.gitea, sha, result)) {
    const read = await io.gitea.statuses(commit);
    if (read.kind !== 'read') throw unable(`read the statuses of ${shortSha(commit)}`, read);
    const row = read.value.get(io.context);
    const age = Date.parse(shown.created_at ?? '') - Date.parse(row?.created_at ?? '');
    if (row === undefined || (row.status ?? row.state) !== 'pending' || !(age > timeoutMs)) continue;
    const text = `cut off; ${shortSha(sha)} was proven later`;
    await showStatus({ ...io, runUrl: row.target_url ?? null }, commit, 'error', text);
    tell(commit);
  }
}

/** Commits of the branch before `sha`, by first parents, as far as the tenants' old commit. */
async function before(gitea: Gitea, sha: string, { tenants }: FleetResult): Promise<string[]> {
  const ran = new Map<string, number>();
  for (const { baseline_sha: commit } of tenants) {
    if (commit && commit !== sha && commit !== 'dev') ran.set(commit, (ran.get(commit) ?? 0) + 1);
  }
  const [base] = [...ran].sort(([, a], [, b]) => b - a).map(([commit]) => commit);
  if (!base) return [];
  const read = await gitea.firstParents(base, sha);
  // A commit that is gone, or of another branch: there is nothing to settle that could be found.
  if (read.kind === 'absent') return [];
  if (read.kind !== 'read') throw unable(`compare ${shortSha(base)} with ${shortSha(sha)}`, read);
  const commits: string[] = [];
  for (let at = read.value.get(sha); at && commits.length < LOOK_BACK; at = read.value.get(at))
    commits.push(at);
  return commits;
}

const unable = (what: string, read: Exclude<Read<unknown>, { kind: 'read' }>): NotAnnounced =>
  notAnnounced(`cannot ${what}: ${whyNot(read)}`, read, '"contents: write" (scope write:repository)');
